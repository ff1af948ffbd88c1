"""`/v1/prune`: what retention would remove, and having it done now."""

from __future__ import annotations

import time

from daemon.api.part import part
from daemon.api.shed import Actor, Here
from daemon.keeping import policy_of
from daemon.prune import preview
from store.errors import Refused
from store.wire import Done, PruneView

router = part("prune")


@router.get("/prune")
def prune_plan(shed: Here) -> PruneView:
    """Which old runs go by the settings in force, and which stay, with the reasons. Changes nothing."""
    daemon = shed.daemon
    with daemon.record.read() as session:
        return preview(session, daemon.home, daemon.project, shed.now, time.monotonic)


@router.post("/prune", status_code=202)
def prune(shed: Here, actor: Actor) -> Done:
    """Begins to remove what is old now, where it else begins each hour. An event tells when it is done."""
    if policy_of(shed.daemon.project).shortest is None:
        raise Refused(
            'nothing is old by the settings: daemon.keep_runs is "off"',
            where="trainshed.toml",
            remedy="name a time there, then `trainshed reload`",
        )
    shed.daemon.retention.ask(actor)
    return Done(message="old runs are being removed; `trainshed events --subject runs` tells what went")
