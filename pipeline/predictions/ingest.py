"""The reader's side: whole lines of all segments into a table of the lake, each exactly once.

How far each segment was read is written with the rows, in the metadata of the same commit. So whoever dies, and
whenever, rows and place agree; of two readers at once the lake refuses one.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from pipeline.predictions.record import Dropped, Prediction, from_line
from pipeline.predictions.segments import finished, segments, whole_lines
from store import lake

BATCH: Final = 16_000_000
"""Bytes of lines in one commit, about."""
DROPPED: Final = lake.PREFIX + "dropped"
DAMAGED: Final = lake.PREFIX + "damaged"
"""Sums over all commits up to this one."""

SCHEMA: Final = pa.schema(
    [
        pa.field("request", pa.string(), nullable=False),
        pa.field("at", pa.timestamp("us", "UTC"), nullable=False),
        pa.field("model", pa.string(), nullable=False),
        pa.field("version", pa.int64(), nullable=False),
        pa.field("why", pa.string(), nullable=False),
        pa.field("unit", pa.string()),
        pa.field("epoch", pa.int64(), nullable=False),
        pa.field("latency_us", pa.int64(), nullable=False),
        pa.field("status", pa.int64(), nullable=False),
        pa.field("inputs", pa.string()),
        pa.field("outputs", pa.string()),
        pa.field("segment", pa.string(), nullable=False),
        pa.field("offset", pa.int64(), nullable=False),
    ]
)
"""Of the table. `inputs` and `outputs` are JSON as Python writes it, with NaN; (segment, offset), where the line ended,
is a row's identity."""


@dataclass(frozen=True)
class Ingested:
    """What one call took."""

    rows: int = 0
    dropped: int = 0
    """Predictions that their writer had to drop, as its notices among these lines say."""
    damaged: int = 0
    """Lines that were none of ours, and were left out."""
    version: int | None = None
    """Of the table; None if there was nothing new."""
    full: bool = False
    """It took as much as one call takes: there may be more."""


def ingest(folder: Path, table: Path, *, batch: int = BATCH) -> Ingested:
    """Takes about `batch` bytes of what is new. Call it while it is full.

    Raises Conflict if somebody else ingested at the same time, StorageError if the disk is full; then nothing is taken.
    """
    newest = lake.latest(table)
    before = {} if newest is None else dict(newest.metadata)
    places = _places(before)
    read = _Read()
    after = {}
    for segment in segments(folder):
        after[segment.name] = read.take(segment, places.get(segment.name, 0), batch)
    if not read.lines:
        return Ingested()
    metadata = {
        lake.CURSOR: json.dumps(after, separators=(",", ":")),
        DROPPED: str(int(before.get(DROPPED, "0")) + read.dropped),
        DAMAGED: str(int(before.get(DAMAGED, "0")) + read.damaged),
    }
    rows = pa.Table.from_pylist(read.rows, SCHEMA).to_reader()
    expected = None if newest is None else newest.version
    written = lake.commit(table, rows, mode="append", metadata=metadata, expected=expected)
    return Ingested(len(read.rows), read.dropped, read.damaged, written.version, read.bytes >= batch)


def forget(folder: Path, table: Path, *, keep: timedelta, now: datetime) -> list[Path]:
    """Removes segments that are finished, ingested to their last whole line, and unchanged for `keep`; returns them."""
    newest = lake.latest(table)
    places = {} if newest is None else _places(newest.metadata)
    gone = []
    for segment in segments(folder):
        changed = datetime.fromtimestamp(segment.stat().st_mtime, UTC)
        # In this order: a segment that is finished grows no more, so what it holds can be judged.
        if now - changed >= keep and finished(segment) and _all_taken(segment, places.get(segment.name, 0)):
            segment.unlink()
            gone.append(segment)
    return gone


class _Read:
    """What was read for one commit."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []
        self.lines = self.bytes = self.dropped = self.damaged = 0

    def take(self, segment: Path, offset: int, batch: int) -> int:
        """Reads from `offset` as far as the batch has room. Returns where to go on."""
        began = offset
        for end, line in whole_lines(segment, offset, batch - self.bytes):
            self._add(line, segment.name, end)
            offset = end
        self.bytes += offset - began
        return offset

    def _add(self, line: bytes, segment: str, end: int) -> None:
        self.lines += 1
        try:
            found = from_line(line)
        except ValueError:
            self.damaged += 1
            return
        if isinstance(found, Dropped):
            self.dropped += found.many
        else:
            self.rows.append(_row(found, segment, end))


def _row(one: Prediction, segment: str, end: int) -> dict[str, Any]:
    return {
        "request": _text(one.request),
        "at": one.at_us,
        "model": _text(one.model),
        "version": one.version,
        "why": _text(one.why),
        "unit": None if one.unit is None else _text(one.unit),
        "epoch": one.epoch,
        "latency_us": one.latency_us,
        "status": one.status,
        "inputs": None if one.inputs is None else json.dumps(one.inputs, separators=(",", ":")),
        "outputs": None if one.outputs is None else json.dumps(one.outputs, separators=(",", ":")),
        "segment": segment,
        "offset": end,
    }


def _text(text: str) -> str:
    """Half a surrogate pair, which JSON lets a caller send, is no text to Arrow."""
    return text.encode(errors="replace").decode()


def _places(metadata: Mapping[str, str]) -> dict[str, int]:
    """Segment → offset up to which it is in the table."""
    return dict(json.loads(metadata.get(lake.CURSOR, "{}")))


def _all_taken(segment: Path, offset: int) -> bool:
    return next(whole_lines(segment, offset, 1), None) is None
