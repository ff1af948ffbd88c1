"""A version's newest logged rows as a table: what it was asked, and what it answered."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from pipeline.labels.joined import ANSWERED, parquet
from pipeline.serving.columns import word
from pipeline.tables.duck import connect
from pipeline.versions.signature import FeatureKind

_FETCHED: Final = 500
Columns = Mapping[str, Sequence[Any]]


@dataclass
class Logged:
    """Rows, newest request first. A request's rows keep together."""

    table: pa.Table
    at: list[int] = field(default_factory=list)
    """[rows]: when each was asked, microseconds since 1970 UTC."""


def newest_rows(
    files: Sequence[Path], version: int, inputs: Mapping[str, FeatureKind], output: str, since_us: int, most: int
) -> Logged:
    """At most about `most` rows that were answered and kept, and are not older than `since_us`.

    Columns: `inputs` and then the `output`, see `as_profiled`. Shadows' copies are left out.
    """
    kinds = {**inputs, OUTPUT: kind_of(output)}
    values: dict[str, list[Any]] = {name: [] for name in kinds}
    at: list[int] = []
    if files:
        with closing(connect(readable=files)) as connection:
            connection.execute(_query(files, version, since_us, most))
            while len(at) < most and (batch := connection.fetchmany(_FETCHED)):
                for asked_us, asked, answered in batch:
                    outputs = json.loads(answered)[output]
                    taken(values, {**json.loads(asked), OUTPUT: outputs}, len(outputs))
                    at += [asked_us] * len(outputs)
    return Logged(pa.table({name: as_array(values[name], kind) for name, kind in kinds.items()}), at)


OUTPUT: Final = "$output"
"""The column of answers: no input has such a name."""


def kind_of(output: str) -> FeatureKind:
    """Scores are numbers, labels words."""
    return "numeric" if output == "score" else "categorical"


def as_profiled(table: pa.Table, kinds: Mapping[str, FeatureKind]) -> pa.Table:
    """Only these columns, as the model meets them: numbers in single precision, for one that came as 0.1 and one that
    came as the single 0.1 are the same to it. Words that come as a dictionary stay one."""
    return pa.table({name: _as_profiled(table.column(name), kind) for name, kind in kinds.items()})


def _as_profiled(column: pa.ChunkedArray, kind: FeatureKind) -> pa.ChunkedArray:
    if kind == "numeric":
        return column.cast(pa.float32(), safe=False)
    return column if pa.types.is_dictionary(column.type) else column.cast(pa.string(), safe=False)


def _query(files: Sequence[Path], version: int, since_us: int, most: int) -> str:
    kept = f'"version" = {int(version)} AND "inputs" IS NOT NULL AND "outputs" IS NOT NULL AND {ANSWERED}'
    newer = f'epoch_us("at") >= {int(since_us)}'
    return (
        f'SELECT epoch_us("at"), "inputs", "outputs" FROM {parquet(files)} WHERE {kept} AND {newer} '
        f'ORDER BY "at" DESC, "segment", "offset" DESC LIMIT {int(most)}'
    )


def taken(values: dict[str, list[Any]], columns: Columns, rows: int) -> None:
    """Adds a request's rows to the columns that are wanted; one that it does not have is missing."""
    for name, known in values.items():
        known += columns.get(name, [None] * rows)


def as_array(values: list[Any], kind: FeatureKind) -> pa.Array:
    """Values of a column as they were logged, as the model meets them."""
    if kind == "categorical":
        return pa.array([word(value) for value in values], pa.string())
    return pa.array([None if value is None else float(value) for value in values], pa.float64()).cast(
        pa.float32(), safe=False
    )
