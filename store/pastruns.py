"""One run with everything that was known of it at a moment.

What it was asked for with, its tries, points, checkpoints, files and results have times, so these are as they were. How
far it was, what it said, and the points that a later try computed again are not kept.
"""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session, col, select

from store import curves, events, results, runs
from store.errors import NotFound
from store.past import runs_then
from store.queue import get_run
from store.tables import Artifact, DatasetVersion, ModelVersion, Run, RunDependency
from store.times import from_us
from store.wire import ArtifactView, AttemptView, CheckpointView, RunDetail, RunView
from store.words import ACTIVE


def detail_then(session: Session, run: int, at: int) -> RunDetail:
    """Raises NotFound for a run that nobody had asked for yet."""
    row = get_run(session, run)
    view = view_then(session, row, at)
    return RunDetail(
        run=view,
        # They are told when its worker begins, and by no time of their own.
        params=row.params if view.started_at is None else runs.params_of(session, row),
        attempts=_attempts(session, view, from_us(at)),
        metrics=curves.latest_then(session, run, at),
        artifacts=_artifacts(session, run, at),
        checkpoints=_checkpoints(session, run, at),
        depends_on=sorted(session.exec(select(RunDependency.on_run).where(RunDependency.run == run))),
        produced=_produced(session, run, at),
        events=events.list_events(session, subject=f"run {run}", at=at, limit=200).items,
    )


def view_then(session: Session, row: Run, at: int) -> RunView:
    """Raises NotFound."""
    found = runs_then(session, [row], at)
    if not found:
        raise NotFound(
            f"run {row.id} had not been asked for by {from_us(at):%Y-%m-%d %H:%M:%S} UTC",
            where=f"run {row.id}",
            remedy=f"it was asked for at {from_us(row.created_at):%Y-%m-%d %H:%M:%S} UTC",
        )
    return found[0]


def _attempts(session: Session, run: RunView, at: datetime) -> list[AttemptView]:
    """Of one that went on, what became of it is left out."""
    begun = [one for one in runs.attempts_of(session, run.id) if one.started_at is not None and one.started_at <= at]
    return [
        one
        if one.ended_at is not None and one.ended_at <= at
        else one.model_copy(
            update={
                **dict.fromkeys(("exit_code", "signal", "ended_at", "peak_rss", "cpu_seconds")),
                "state": run.state if run.state in ACTIVE else "starting",
                "reason": "",
            }
        )
        for one in begun
    ]


def _artifacts(session: Session, run: int, at: int) -> list[ArtifactView]:
    there = select(Artifact.name).where(Artifact.run == run, col(Artifact.created_at) <= at)
    names = set(session.exec(there))
    return [one for one in results.artifacts_of(session, run) if one.name in names]


def _checkpoints(session: Session, run: int, at: int) -> list[CheckpointView]:
    return [one for one in results.checkpoints_of(session, run) if one.at <= from_us(at)]


def _produced(session: Session, run: int, at: int) -> list[str]:
    data = select(DatasetVersion.dataset, DatasetVersion.version).where(DatasetVersion.run == run)
    models = select(ModelVersion.model, ModelVersion.number).where(ModelVersion.run == run)
    found = session.exec(data.where(col(DatasetVersion.created_at) <= at)).all()
    return [f"{name}@{version}" for name, version in found] + [
        f"{name} {number}" for name, number in session.exec(models.where(col(ModelVersion.created_at) <= at))
    ]
