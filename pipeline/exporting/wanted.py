"""Which version is meant, by the record: MODEL@ALIAS, MODEL@NUMBER. Read beside a daemon, or without one."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import Session

from store import aliases, versions
from store.errors import NotFound
from store.tables import TrainingSet


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """A version as the record knows it."""

    model: str
    version: int
    alias: str | None
    digest: str
    run: int
    training_set: str
    inputs: Mapping[str, int]


def find(session: Session, reference: str) -> Wanted:
    """Raises NotFound for what is no reference, or refers to nothing."""
    model, alias, number = parse(reference)
    if alias is not None:
        move = aliases.last_move(session, model, alias)
        if move is None:
            versions.get_version(session, model, 1)  # is there such a model at all?
            raise NotFound(
                f"{alias} of {model} points at no version",
                where=reference,
                remedy=f"`trainshed promote {model} VERSION` puts one into production; or name a number: {model}@1",
            )
        number = move.to_version
    row = versions.get_version(session, model, number)
    used = session.get(TrainingSet, row.training_set)
    return Wanted(
        model=model,
        version=row.number,
        alias=alias,
        digest=row.digest,
        run=row.run,
        training_set=row.training_set,
        inputs=used.inputs if used is not None else row.lineage.get("inputs", {}),
    )


def parse(reference: str) -> tuple[str, str | None, int]:
    """(model, alias, number), of which an alias leaves the number at 0. Raises NotFound."""
    model, _, which = reference.partition("@")
    if re.fullmatch(r"v?\d{1,9}", which):
        return model, None, int(which.removeprefix("v"))
    if model and which:
        return model, which, 0
    raise NotFound(
        f"{reference!r} names no version", where="export", remedy="write MODEL@ALIAS or MODEL@NUMBER: late@production"
    )
