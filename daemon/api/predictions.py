"""`/v1/models/MODEL/predictions`: what a served model was asked and answered."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Query

from daemon.api.models import known_models
from daemon.api.part import part
from daemon.api.shed import Here, Name
from daemon.program import ask_program
from store import versions
from store.wire import PredictionsView

router = part("predictions")
MOST: Final = 500
FRESH_S: Final = 12.0
"""For what was logged since the last reading; beyond it, what is there is shown."""
SHOW_S: Final = 15.0


@router.get("/models/{model}/predictions")
def newest(
    shed: Here,
    model: Name,
    last: Annotated[int, Query(ge=1, le=MOST)] = 20,
    labels: Annotated[bool, Query(description="With the label that stands for each.")] = False,
) -> PredictionsView:
    """The newest requests of the prediction log, which is read into the lake before."""
    daemon = shed.daemon
    with daemon.record.read() as session:
        versions.model_view(session, model, known_models(daemon.project))
    current = daemon.predictions.fresh(FRESH_S)
    table = daemon.home.predictions(model)
    found = {"total": 0, "dropped": 0, "damaged": 0, "items": []}
    if table.exists():  # else no process has to be started to say so
        beside = [f"--labels={daemon.home.labels(model)}"] if labels else []
        found = ask_program("pipeline.predictions.newest", [str(table), "--last", str(last), *beside], SHOW_S)
    return PredictionsView(model=model, current=current, problem=daemon.predictions.problem, table=str(table), **found)
