"""Lines of labels into a table of the lake, each exactly once; what is known already leaves no row.

A label with the value that stands is the same label again. One with another value is a restatement: it gets a row of
its own, the newest arrival stands, and the others are history. How far each segment was read is written in the commit
with the rows, as for predictions.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from pipeline.labels.joined import STANDING, parquet
from pipeline.labels.record import Label, from_line
from pipeline.predictions.segments import segments, whole_lines
from pipeline.tables.duck import connect
from store import lake
from store.lakefiles import live_files

BATCH: Final = 16_000_000
"""Bytes of lines in one commit, about."""
REPEATED: Final = lake.PREFIX + "repeated"
DAMAGED: Final = lake.PREFIX + "damaged"
"""Sums over all commits up to this one."""

SCHEMA: Final = pa.schema(
    [
        pa.field("key", pa.string(), nullable=False),
        pa.field("name", pa.string(), nullable=False),
        pa.field("request", pa.string()),
        pa.field("unit", pa.string()),
        pa.field("at", pa.timestamp("us", "UTC")),
        pa.field("value", pa.string(), nullable=False),
        pa.field("arrived", pa.timestamp("us", "UTC"), nullable=False),
        pa.field("restates", pa.bool_(), nullable=False),
        pa.field("post", pa.string(), nullable=False),
        pa.field("segment", pa.string(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
    ]
)
"""Of the table. `value` is JSON; `restates`: another value stood for this key; (segment, offset) is the identity of
a row."""


@dataclass(frozen=True)
class Taken:
    """What one call took."""

    new: int = 0
    restated: int = 0
    repeated: int = 0
    damaged: int = 0
    version: int | None = None
    """Of the table; None if there was nothing new."""
    full: bool = False
    """It took as much as one call takes: there may be more."""


@dataclass(frozen=True)
class _Line:
    label: Label
    segment: str
    end: int


def ingest(folder: Path, table: Path, *, batch: int = BATCH) -> Taken:
    """Takes about `batch` bytes of what is new. Call it while it is full.

    Raises Conflict if somebody else ingested at the same time, StorageError if the disk is full; then nothing is taken.
    """
    newest = lake.latest(table)
    before = {} if newest is None else dict(newest.metadata)
    places: dict[str, int] = json.loads(before.get(lake.CURSOR, "{}"))
    lines, damaged, after, full = _read(folder, places, batch)
    if not lines and not damaged:
        return Taken()
    rows = _told_apart(lines, _standing(table, {line.label.key for line in lines}))
    repeated = len(lines) - len(rows)
    metadata = {
        lake.CURSOR: json.dumps(after, separators=(",", ":")),
        REPEATED: str(int(before.get(REPEATED, "0")) + repeated),
        DAMAGED: str(int(before.get(DAMAGED, "0")) + damaged),
    }
    written = lake.commit(
        table,
        pa.Table.from_pylist(rows, SCHEMA).to_reader(),
        mode="append",
        metadata=metadata,
        expected=None if newest is None else newest.version,
    )
    restated = sum(row["restates"] for row in rows)
    return Taken(len(rows) - restated, restated, repeated, damaged, written.version, full)


def _read(folder: Path, places: Mapping[str, int], batch: int) -> tuple[list[_Line], int, dict[str, int], bool]:
    """Lines in the order of their arrival, how many were damaged, segment → where to go on, whether it is full."""
    lines: list[_Line] = []
    damaged, room, after = 0, batch, {}
    for segment in segments(folder):
        offset = began = places.get(segment.name, 0)
        for offset, line in whole_lines(segment, began, room):
            try:
                lines.append(_Line(from_line(line), segment.name, offset))
            except ValueError:
                damaged += 1
        room -= offset - began
        after[segment.name] = offset
    return sorted(lines, key=lambda one: (one.label.arrived_us, one.segment, one.end)), damaged, after, room <= 0


def _standing(table: Path, keys: Iterable[str]) -> dict[str, str]:
    """Key → the value that stands, of those keys that have one."""
    files = live_files(table)
    if not files:
        return {}
    with closing(connect(readable=files)) as connection:
        connection.register("wanted", pa.table({"key": sorted(keys)}))
        rows = f"(SELECT * FROM {parquet(files)} SEMI JOIN wanted USING (key))"
        return dict(connection.execute(f"SELECT key, value FROM {STANDING.format(labels=rows)}").fetchall())


def _told_apart(lines: Iterable[_Line], standing: dict[str, str]) -> list[dict[str, Any]]:
    """Rows of the lines that say something new."""
    rows = []
    for line in lines:
        key, value = line.label.key, line.label.value
        if standing.get(key) != value:
            rows.append(_row(line, key, restates=key in standing))
            standing[key] = value
    return rows


def _row(line: _Line, key: str, *, restates: bool) -> dict[str, Any]:
    label = line.label
    return {
        "key": key,
        "name": label.name,
        "request": label.request,
        "unit": label.unit,
        "at": label.at_us,
        "value": label.value,
        "arrived": label.arrived_us,
        "restates": restates,
        "post": label.post,
        "segment": line.segment,
        "offset": line.end,
    }
