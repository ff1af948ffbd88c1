"""`/v1/labels`, `/v1/models/MODEL/labels`: the truth about requests, which arrives later."""

from __future__ import annotations

import secrets
from typing import Annotated, Any, Final

from fastapi import Query

from daemon.api.models import known_models
from daemon.api.part import part
from daemon.api.shed import Here, Name, Shed
from daemon.program import ask_program
from pipeline.labels.record import LABEL, MOST_TEXT, Label, read_label
from store import versions
from store.errors import DataError
from store.wire import LabelsRequest, LabelsTaken, LabelsView

router = part("labels")
FRESH_S: Final = 12.0
"""For what was sent to get into the lake; beyond it, what is there is told."""
SHOW_S: Final = 15.0


@router.post("/labels")
def add(shed: Here, request: LabelsRequest, wait: Annotated[float, Query(ge=0, le=FRESH_S)] = FRESH_S) -> LabelsTaken:
    """Keeps labels, and says what they changed once they are in the lake; waits for that up to `wait` seconds."""
    daemon = shed.daemon
    _known(shed, request.model)
    post = request.post or f"post-{secrets.token_hex(8)}"
    daemon.labels.put(request.model, _read(request, post, shed.now))
    current = wait > 0 and daemon.predictions.fresh(wait)
    found: dict[str, int] = {}
    if current:
        found = ask_program("pipeline.labels.coverage", [*_tables(shed, request.model), f"--post={post}"], SHOW_S)
    taken = len(request.labels)
    same = taken - found["new"] - found["restated"] if found and request.post is None else None
    return LabelsTaken(
        model=request.model,
        post=post,
        taken=taken,
        current=current,
        new=found.get("new"),
        restated=found.get("restated"),
        same=same,
    )


@router.get("/models/{model}/labels")
def coverage(
    shed: Here, model: Name, name: Annotated[str, Query(min_length=1, max_length=MOST_TEXT)] = LABEL
) -> LabelsView:
    """How many of a model's requests have a label, by version."""
    daemon = shed.daemon
    _known(shed, model)
    current = daemon.predictions.fresh(FRESH_S)
    arguments = [*_tables(shed, model), f"--name={name}"]
    found: dict[str, Any] = ask_program("pipeline.labels.coverage", arguments, SHOW_S)
    table = str(daemon.home.labels(model))
    return LabelsView(model=model, current=current, problem=daemon.predictions.problem, table=table, **found)


def _known(shed: Shed, model: str) -> None:
    """Raises NotFound for a model of which neither the project nor the record knows: no folder gets such a name."""
    with shed.daemon.record.read() as session:
        versions.model_view(session, model, known_models(shed.daemon.project))


def _tables(shed: Shed, model: str) -> list[str]:
    return [str(shed.daemon.home.labels(model)), str(shed.daemon.home.predictions(model))]


def _read(request: LabelsRequest, post: str, now: int) -> list[Label]:
    """Raises DataError: of labels of which one is wrong, none is kept."""
    found = []
    for place, given in enumerate(request.labels):
        try:
            found.append(read_label(given, arrived_us=now, post=post))
        except ValueError as error:
            raise DataError(str(error), where=f"labels[{place}]", remedy="correct it; none of them was kept") from None
    return found
