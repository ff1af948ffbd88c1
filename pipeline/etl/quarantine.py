"""Rows that a dataset's checks refused, kept apart with the names of the checks, the run and the time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

import pyarrow as pa

from pipeline.etl.candidate import conform
from pipeline.tables import kept
from pipeline.tables.arrow import TIMESTAMP, lake_type
from store import lake
from store.lake import LakeVersion


def keep(path: Path, bad: pa.RecordBatchReader, *, run: int, ingest: str, now: datetime) -> None:
    """Adds the rows to the quarantine table, once for each `ingest`; `_run` and `_at` say where they come from.

    A column whose type changed since the table began becomes text in it: nothing that was kept is lost.
    """
    before = lake.latest(path)
    if before is not None and before.metadata.get(lake.INGEST) == ingest:
        return
    schema = _schema(bad.schema, before)
    rows = _in_schema(_marked(bad, run, now), schema, path)
    changed = before is not None and any(
        field.name in schema.names and schema.field(field.name).type != field.type for field in before.schema
    )
    if before is not None and changed:
        earlier = lake.dataset_at(path, before.version).to_batches()
        rows = _in_schema(_chain(earlier, rows), schema, path)
    lake.commit(
        path,
        rows,
        mode="replace" if changed else "append",
        metadata={lake.RUN: str(run), lake.INGEST: ingest},
        expected=before.version if before else None,
    )


def _schema(bad: pa.Schema, before: LakeVersion | None) -> pa.Schema:
    """The columns of both; text where their types differ."""
    types = {field.name: field.type for field in before.schema} if before else {}
    found = [*((f.name, lake_type(f.type)) for f in bad), (kept.RUN, pa.int64()), (kept.AT, TIMESTAMP)]
    for name, type_ in found:
        types[name] = type_ if types.get(name, type_) == type_ else pa.string()
    return pa.schema(list(types.items()))


def _marked(bad: pa.RecordBatchReader, run: int, now: datetime) -> Iterator[pa.RecordBatch]:
    for batch in bad:
        count = batch.num_rows
        yield pa.RecordBatch.from_arrays(
            [*batch.columns, pa.array([run] * count, pa.int64()), pa.array([now] * count, TIMESTAMP)],
            [*batch.schema.names, kept.RUN, kept.AT],
        )


def _in_schema(batches: Iterable[pa.RecordBatch], schema: pa.Schema, path: Path) -> pa.RecordBatchReader:
    return pa.RecordBatchReader.from_batches(schema, (conform(b, schema, str(path)) for b in batches))


def _chain(first: Iterable[pa.RecordBatch], second: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    yield from first
    yield from second
