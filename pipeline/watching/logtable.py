"""The prediction log of a version as a table that is watched: what it was asked and answered, a row of a request a row.

Shadows' copies, answers that nobody heard, and requests whose payload was not kept are left out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from pipeline.labels.joined import ANSWERED, parquet
from pipeline.tables.duck import connect
from pipeline.tables.sqltext import literal
from pipeline.versions.signature import FeatureKind
from pipeline.watching.logged import OUTPUT, as_array
from pipeline.watching.requests import loads, requests
from pipeline.watching.tables import Batch, Content
from pipeline.watching.windows import Window, origin
from store.times import from_us

_FETCHED: Final = 500
"""Requests."""
_BATCH: Final = 20_000
"""Rows."""
_VALUES: Final = 100_000
"""That are numbers and words of Python at one time."""


@dataclass(frozen=True)
class LogTable:
    files: Sequence[Path]
    """Of the log."""
    version: int
    kinds: Mapping[str, FeatureKind]
    """Of its inputs, and `OUTPUT`."""
    output: str
    """Which output is watched."""

    def pieces(self, piece_us: int, since_us: int) -> Mapping[int, Content]:
        first = origin(piece_us)
        start = f'(epoch_us("at") - {first}) // {int(piece_us)} * {int(piece_us)} + {first}'
        query = f"SELECT {start}, count(*) {self._kept(since_us)} GROUP BY 1 ORDER BY 1"
        return {int(begin): Content(int(count), str(count)) for begin, count in self._asked(query)}

    def contents(self, windows: Sequence[Window]) -> Mapping[Window, Content]:
        if not windows:
            return {}
        spans = ", ".join(f"({one.start_us}, {one.end_us})" for one in windows)
        query = f"""
            SELECT w."start", w."end", count(*) FROM (VALUES {spans}) AS w("start", "end")
            JOIN (SELECT epoch_us("at") AS "us" {self._kept(min(windows).start_us)}) ON "us" >= "start" AND "us" < "end"
            GROUP BY ALL ORDER BY ALL
        """
        return {Window(start, end): Content(int(count), str(count)) for start, end, count in self._asked(query)}

    def times(self, since_us: int) -> Iterator[tuple[int, int]]:
        for at_us, answered in self._asked(f'SELECT epoch_us("at"), "outputs" {self._kept(since_us)} ORDER BY "at"'):
            yield int(at_us), len(loads(answered)[self.output])

    def batches(self, window: Window) -> Iterator[Batch]:
        some = _Some(self.kinds)
        parts: list[Batch] = []
        for asked, answered in requests(self.files, self.version, window):
            some.take(asked, answered[self.output])
            if some.rows >= self._at_once:
                parts.append(some.batch())
                some = _Some(self.kinds)
            if sum(one.rows.num_rows for one in parts) >= _BATCH:
                yield together(parts)
                parts = []
        if some.rows:
            parts.append(some.batch())
        if parts:
            yield together(parts)

    @property
    def _at_once(self) -> int:
        return max(1, min(_BATCH, _VALUES // len(self.kinds)))

    def _kept(self, since_us: int, until_us: int | None = None) -> str:
        rows = f'FROM {parquet(self.files)} WHERE "version" = {int(self.version)} AND {ANSWERED}'
        rows += f' AND "inputs" IS NOT NULL AND "outputs" IS NOT NULL AND "at" >= {moment(since_us)}'
        return rows if until_us is None else f'{rows} AND "at" < {moment(until_us)}'

    def _asked(self, query: str) -> Iterator[tuple[Any, ...]]:
        if not self.files:
            return
        with closing(connect(readable=self.files)) as connection:
            connection.execute(query)
            while rows := connection.fetchmany(_FETCHED):
                yield from rows


class _Some:
    """Rows as Python has them, eight times as large as Arrow does: so they are few."""

    def __init__(self, kinds: Mapping[str, FeatureKind]) -> None:
        self.rows = 0
        self._kinds = kinds
        self._values: dict[str, list[Any]] = {name: [] for name in kinds}
        self._named: Counter[str] = Counter()

    def take(self, asked: Mapping[str, Any], outputs: list[Any]) -> None:
        """A request's rows."""
        for name, known in self._values.items():
            there = outputs if name == OUTPUT else asked.get(name)
            known += [None] * len(outputs) if there is None else there
            self._named[name] += 0 if there is None else len(outputs)
        self.rows += len(outputs)

    def batch(self) -> Batch:
        arrays = {name: as_array(self._values[name], kind) for name, kind in self._kinds.items()}
        return Batch(pa.record_batch(arrays), {name: self._named[name] for name in self._kinds})


def together(parts: Sequence[Batch]) -> Batch:
    """The rows of all, of which there is at least one."""
    named = {name: sum(one.named[name] for one in parts) for name in parts[0].named}
    return Batch(pa.concat_batches([one.rows for one in parts]), named)


def moment(at_us: int) -> str:
    """As it is compared without a computation for each row, so that files that are older are not read."""
    return f"TIMESTAMPTZ {literal(from_us(at_us).isoformat())}"
