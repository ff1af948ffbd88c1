"""`/v1/models/MODEL/drift`: has what is asked moved away from what the version in production learned from?"""

from __future__ import annotations

import difflib
import os
from typing import Annotated, Any, Final

from fastapi import Query
from pydantic import AwareDatetime
from sqlmodel import Session

from daemon.api.models import known_models
from daemon.api.part import part
from daemon.api.shed import Here, Name
from daemon.program import ask_program
from pipeline.config.watched import monitors_of
from pipeline.serving.starting import computing_environment
from store import versions, watching
from store.errors import NotFound, StorageError
from store.times import to_us
from store.watchviews import windows_page
from store.wire import DriftReportView, DriftView
from store.words import PRODUCTION

SHOWN: Final = 48
"""Closed windows."""
router = part("drift")
FRESH_S: Final = 12.0
"""For what was logged since the last reading; beyond it, what is there is looked at."""
LONGEST_S: Final = 170.0
"""Of a version that was never asked about, all rows it learned from are read."""


@router.get("/models/{model}/drift")
def drift(
    shed: Here,
    model: Name,
    since: Annotated[AwareDatetime | None, Query(description="Only rows asked from then on, with its offset.")] = None,
    column: Annotated[str | None, Query(max_length=500, description="Only this one.")] = None,
) -> DriftView:
    """The newest rows of the prediction log against the reference of the version in production."""
    daemon = shed.daemon
    with daemon.record.read() as session:
        versions.model_view(session, model, known_models(daemon.project))
        live = versions.live(session, model, PRODUCTION)
        if live is None:
            raise NotFound(
                f"no version of {model} is in production, so there is nothing to hold its log against",
                where=model,
                remedy=f"`trainshed versions {model}` shows what could be promoted",
            )
        number, digest, training_set = live.number, live.digest, live.training_set
    current = daemon.predictions.fresh(FRESH_S)
    arguments = [str(daemon.home.root), model, f"--version={number}", f"--digest={digest}"]
    arguments += [f"--training-set={training_set}", f"--since={0 if since is None else to_us(since)}"]
    found = ask_program("pipeline.watching.drift", arguments, LONGEST_S, computing_environment(os.environ))
    if "fault" in found:
        raise StorageError(**found["fault"])
    found["columns"] = _only(found["columns"], column)
    with daemon.record.read() as session:
        names = [name for name, one in monitors_of(daemon.project).items() if one.model == model]
        since_us = None if since is None else to_us(since)
        closed = windows_page(session, names, limit=SHOWN, since_us=since_us, version=number, column=column)
        reports = _reports(session, names, number)
    return DriftView(
        model=model,
        version=number,
        over_time=closed.items,
        findings=[one for report in reports for one in report.findings if column in (None, one.subject)],
        life=[said for report in reports for said in report.life] if column is None else [],
        current=current,
        problem=daemon.predictions.problem,
        **found,
    )


def _reports(session: Session, monitors: list[str], version: int) -> list[DriftReportView]:
    """The last one of each monitor, if it is about this version."""
    found = watching.last_reports(session)
    rows = [found[name] for name in monitors if name in found]
    return [watching.report_view(row) for row in rows if row.version == version]


def _only(columns: list[dict[str, Any]], wanted: str | None) -> list[dict[str, Any]]:
    """Raises NotFound for a column that is not there."""
    chosen = [one for one in columns if wanted in (None, one["name"])]
    if columns and not chosen:
        names = [str(one["name"]) for one in columns]
        close = difflib.get_close_matches(str(wanted), names, 1)
        listed = ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
        hint = f"did you mean {close[0]}?" if close else f"it has {listed}"
        raise NotFound(f"the version has no column {wanted!r}", where="column", remedy=hint)
    return chosen
