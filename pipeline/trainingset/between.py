"""A model's labelled examples between two times, with their features as of each one's own moment, as a file.

What a training would see of these rows, for whoever wants to look at them, or to ask a served model about them again.
"""

from __future__ import annotations

import os
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pyarrow.parquet as pq

from pipeline.config import Project
from pipeline.tables.duck import connect
from pipeline.tables.storage import storage_faults
from pipeline.trainingset.examples import gather_examples
from store.errors import NotFound, Refused
from store.home import Home
from store.times import to_us


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where the examples are gathered."""

    project: Project
    home: Home


@dataclass(frozen=True, kw_only=True)
class Written:
    """What was written."""

    file: Path
    rows: int
    columns: tuple[str, ...]
    inputs: dict[str, int]
    """Dataset, or `features:` and a view → version it was made from."""


def write_between(place: Place, name: str, since: datetime, until: datetime, file: Path) -> Written:
    """Parquet, by time and key: key, time, label, slices, features. `file` is replaced at once, when all are there.

    Raises NotFound for a model that the project does not have, Refused for one without a time, and what
    `gather_examples` raises; StorageError where disk or memory give out.
    """
    model = place.project.models.get(name)
    if model is None:
        known = ", ".join(sorted(place.project.models)) or "none"
        raise NotFound(f"the project has no model {name!r}", where="models", remedy=f"name one that it has: {known}")
    if model.time is None:
        raise Refused(
            "its rows have no time", where=f"models.{name}", remedy="name the column that says when, as `time`"
        )
    if not file.parent.is_dir():
        raise NotFound("there is no such folder", where=str(file.parent), remedy="make it, or name a file elsewhere")
    with storage_faults(file.parent), closing(connect()) as connection:
        examples = gather_examples(connection, place, name, model)
        found = examples.between(model.time, to_us(since), to_us(until))
        aside = file.with_name(f".{file.name}.{os.getpid()}")
        try:
            with pq.ParquetWriter(aside, found.schema, compression="zstd") as writer:
                rows = 0
                for batch in found:
                    writer.write_batch(batch)
                    rows += batch.num_rows
            os.replace(aside, file)
        finally:
            aside.unlink(missing_ok=True)
    return Written(file=file, rows=rows, columns=tuple(found.schema.names), inputs=examples.inputs)
