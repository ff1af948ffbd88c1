"""What a run was given and left behind: parameters, artifacts, checkpoints, its training set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlmodel import Session, col, select

from store.engine import Transaction
from store.facts import TrainingSetFacts
from store.queue import get_run
from store.tables import Artifact, Checkpoint, DatasetVersion, ModelVersion, Param, Run, TrainingSet
from store.times import from_us
from store.wire import ArtifactView, BackupView, CheckpointView


def put_params(tx: Transaction, run: int, values: Mapping[str, Any]) -> None:
    """Parameters as the run resolved them; one said again is replaced. Plain JSON values."""
    for name, value in values.items():
        tx.session.merge(Param(run=run, name=name, value=value))
    _changed(tx, run)


def put_artifact(tx: Transaction, run: int, *, name: str, kind: str, path: str, digest: str, bytes: int) -> None:
    """A file the run wrote; `path` relative to the home."""
    row = Artifact(run=run, name=name, kind=kind, path=path, digest=digest, bytes=bytes, created_at=tx.now)
    tx.session.merge(row)
    _changed(tx, run)


def put_checkpoint(tx: Transaction, run: int, *, step: int, path: str, digest: str, bytes: int) -> None:
    """A checkpoint that is whole and on disk."""
    tx.session.merge(Checkpoint(run=run, step=step, path=path, digest=digest, bytes=bytes, created_at=tx.now))
    _changed(tx, run)


def put_training_set(tx: Transaction, run: int, facts: TrainingSetFacts) -> None:
    """The exact rows a model was trained on. The first run that made them stays their maker."""
    if tx.session.get(TrainingSet, facts.digest) is None:
        tx.session.add(TrainingSet(run=run, created_at=tx.now, **facts.model_dump()))
        tx.session.flush()
    _changed(tx, run)


def params_of(session: Session, run: int) -> dict[str, Any]:
    """Name → value, by name."""
    return {row.name: row.value for row in session.exec(select(Param).where(Param.run == run).order_by(Param.name))}


def artifacts_of(session: Session, run: int) -> list[ArtifactView]:
    """By name."""
    rows = session.exec(select(Artifact).where(Artifact.run == run).order_by(Artifact.name))
    return [ArtifactView(name=r.name, kind=r.kind, path=r.path, digest=r.digest, bytes=r.bytes) for r in rows]


def checkpoints_of(session: Session, run: int) -> list[CheckpointView]:
    """Oldest first."""
    rows = session.exec(select(Checkpoint).where(Checkpoint.run == run).order_by(col(Checkpoint.step)))
    return [
        CheckpointView(step=r.step, path=r.path, digest=r.digest, bytes=r.bytes, at=from_us(r.created_at)) for r in rows
    ]


def last_backup(session: Session) -> BackupView | None:
    """The newest that came to its end and is in the record."""
    query = (
        select(Artifact)
        .join(Run, col(Run.id) == Artifact.run)
        .where(Run.job == "backup", Artifact.kind == "backup")
        .order_by(col(Run.id).desc())
        .limit(1)
    )
    row = session.exec(query).first()
    return None if row is None else BackupView(run=row.run, at=from_us(row.created_at), path=row.path, bytes=row.bytes)


def produced_by(session: Session, run: int) -> list[str]:
    """`flights@12` for each dataset version, `late 3` for each version of a model."""
    data = session.exec(select(DatasetVersion.dataset, DatasetVersion.version).where(DatasetVersion.run == run))
    models = session.exec(select(ModelVersion.model, ModelVersion.number).where(ModelVersion.run == run))
    return [f"{name}@{version}" for name, version in data] + [f"{name} {number}" for name, number in models]


def _changed(tx: Transaction, run: int) -> None:
    row = get_run(tx.session, run)
    row.last_event_at, row.rev = tx.now, tx.rev
