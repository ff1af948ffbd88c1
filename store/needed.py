"""Runs that made what versions in use were made from: of those, however old, everything can still be looked up."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from typing import Final

from sqlalchemy import func
from sqlmodel import Session, col, select

from store import comparisons
from store.tables import AliasEvent, Comparison, DatasetVersion, ModelVersion, Shadow, TrainingSet

_MODEL: Final = "model:"
_VIEW: Final = "features:"
"""What comes before the names of models and of feature views, in inputs."""
Version = tuple[str, int]
"""Of a model, or of a table."""


def needed_runs(session: Session) -> dict[int, str]:
    """Run → what it made and what that is needed for: "flights@9, from which late 3 was made"."""
    needed: dict[int, str] = {}
    seen: set[Version] = set()
    ahead = deque(((f"{_MODEL}{model}", number), f"{model} {number}") for model, number in versions_in_use(session))
    while ahead:
        version, head = ahead.popleft()
        if version in seen:
            continue
        seen.add(version)
        made_from = _of_model if version[0].startswith(_MODEL) else _of_table
        for inputs in made_from(session, version, head, needed):
            ahead.extend(((name, number), head) for name, number in inputs.items())
    return needed


def versions_in_use(session: Session) -> list[Version]:
    """Those that an alias points at, or did before its last move; that part a model's traffic or are its shadow; and
    the newest of each model. In the order of their names."""
    last = select(func.max(col(AliasEvent.id))).group_by(col(AliasEvent.model), col(AliasEvent.alias))
    moves = select(AliasEvent.model, AliasEvent.to_version, AliasEvent.from_version)
    found: set[Version] = set()
    for model, now, before in session.exec(moves.where(col(AliasEvent.id).in_(last))):
        found |= {(model, number) for number in (now, before) if number is not None}
    for row in session.exec(select(Comparison).where(Comparison.status == "running")):
        found |= {(row.model, number) for number in (row.control, *comparisons.treatments(row))}
    found |= set(session.exec(select(Shadow.model, Shadow.version)))
    newest = select(ModelVersion.model, func.max(col(ModelVersion.number))).group_by(col(ModelVersion.model))
    found |= {(model, number) for model, number in session.exec(newest) if number is not None}
    return sorted(found)


def _of_model(session: Session, what: Version, _: str, needed: dict[int, str]) -> Iterator[Mapping[str, int]]:
    """What it was made from; the run that made its training set is noted. Its own run stays in any case."""
    row = session.get(ModelVersion, (what[0].removeprefix(_MODEL), what[1]))
    if row is None:
        return
    yield row.lineage.get("inputs", {})
    training_set = session.get(TrainingSet, row.training_set)
    if training_set is not None:
        needed.setdefault(training_set.run, f"the training set of {row.model} {row.number}")
        yield training_set.inputs


def _of_table(session: Session, what: Version, head: str, needed: dict[int, str]) -> Iterator[Mapping[str, int]]:
    """What it was made from; the run that made it is noted."""
    row = session.get(DatasetVersion, (what[0].removeprefix(_VIEW), what[1]))
    if row is not None:
        needed.setdefault(row.run, f"{row.dataset}@{row.version}, from which {head} was made")
        yield row.inputs
