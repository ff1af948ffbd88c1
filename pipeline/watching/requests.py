"""Requests of the log as they were asked and answered, some hundred at a time: what is in memory does not grow with the
log, nor with its files.

Not by DuckDB, which holds what it has read of a file until it is done with it: a fifth of a gigabyte, here a third.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.watching.windows import Window
from store.times import from_us

_AT_ONCE: Final = 500
"""Requests."""
_COLUMNS: Final = ("at", "version", "status", "why", "inputs", "outputs")


def requests(files: Sequence[Path], version: int, window: Window) -> Iterator[tuple[Any, Any]]:
    """(inputs, outputs) of those that `version` answered in the window, whose payload was kept; no shadow's copies."""
    for file in files:
        # Without `pre_buffer` it reads as far as it is asked, and group by group it lets go of those behind it.
        with pq.ParquetFile(file, pre_buffer=False, buffer_size=2**20) as opened:
            for group in range(opened.num_row_groups):
                if _may_have(opened, group, window):
                    for batch in opened.iter_batches(_AT_ONCE, [group], list(_COLUMNS), use_threads=False):
                        rows = _without_views(batch)
                        yield from _asked(rows.filter(_wanted(rows, version, window)))


def loads(text: str | None) -> Any:
    """The log's JSON is as Python writes it, with NaN and infinities; without any it is read five times as fast."""
    try:
        return orjson.loads(text or "null")
    except orjson.JSONDecodeError:
        return json.loads(text or "null")


def _asked(batch: pa.RecordBatch) -> Iterator[tuple[Any, Any]]:
    for asked, answered in zip(batch["inputs"].to_pylist(), batch["outputs"].to_pylist(), strict=True):
        yield loads(asked), loads(answered)


def _without_views(batch: pa.RecordBatch) -> pa.RecordBatch:
    """What the lake wrote anew, when old rows went, has views of words, which Arrow neither compares nor picks."""
    kinds = [pa.string() if pa.types.is_string_view(one.type) else one.type for one in batch.schema]
    return batch if kinds == batch.schema.types else batch.cast(pa.schema(zip(batch.schema.names, kinds, strict=True)))


def _may_have(opened: pq.ParquetFile, group: int, window: Window) -> bool:
    """By what the file says of its rows' times."""
    place = opened.schema_arrow.get_field_index("at")
    known = opened.metadata.row_group(group).column(place).statistics
    if known is None or not known.has_min_max:
        return True
    return bool(known.min < from_us(window.end_us) and known.max >= from_us(window.start_us))


def _wanted(batch: pa.RecordBatch, version: int, window: Window) -> pa.BooleanArray:
    """As `pipeline.labels.joined.ANSWERED` says it in SQL."""
    at = batch["at"].cast(pa.int64())
    found = pc.and_(pc.greater_equal(at, window.start_us), pc.less(at, window.end_us))
    for one in (
        pc.equal(batch["version"], version),
        pc.less(batch["status"], 500),
        pc.not_equal(batch["why"], "shadow"),
        pc.is_valid(batch["inputs"]),
        pc.is_valid(batch["outputs"]),
    ):
        found = pc.and_(found, one)
    return found
