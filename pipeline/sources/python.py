"""`kind = "python"`: a function of the project that yields Arrow tables or record batches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from pipeline import plugins
from pipeline.config.sources import PythonSource
from pipeline.sources.bytestream import Allowance
from pipeline.sources.reader import Opening, Piece, Resume, StartsAgain, piece_of
from pipeline.sources.times import Times
from store.errors import ProjectError


class PythonReader(StartsAgain):
    """Calls the function once and reads what it gives; after an interruption it is called again."""

    def __init__(self, source: PythonSource, opening: Opening) -> None:
        self._source = source
        self._opening = opening
        self._times = Times(where=opening.where, zone=source.timezone, types=opening.types)
        self._allowance = Allowance(limit=source.max_bytes, where=opening.where)

    def identity(self) -> str:
        """Rows that were fetched for one time of a schedule are not taken for those of another."""
        slot = self._opening.scheduled_for
        return "" if slot is None else slot.isoformat()

    def pieces(self, resume: Resume | None) -> Iterator[Piece]:
        reference = self._source.function
        function = plugins.load_function(self._opening.root, reference)
        cursor = self._opening.cursor
        offered = {
            "cursor": cursor.native if cursor else None,
            "scheduled_for": self._opening.scheduled_for,
            **self._source.params,
        }
        result = plugins.call(function, offered, where=reference)
        for table in _tables(result, reference):
            for batch in table.to_batches(max_chunksize=self._source.batch_rows):
                self._allowance.take(batch.nbytes)
                yield self._piece(batch)

    def _piece(self, batch: pa.RecordBatch) -> Piece:
        return piece_of(batch, self._times, self._source.incremental, text=False)


def _tables(result: Any, where: str) -> Iterator[pa.Table]:
    parts = [result] if isinstance(result, pa.Table | pa.RecordBatch) else result
    for part in plugins.iterating(parts, where):
        if not isinstance(part, pa.Table | pa.RecordBatch):
            raise ProjectError(
                f"it gave a {type(part).__name__}, not an Arrow table",
                where=where,
                remedy="return or yield pyarrow.Table or pyarrow.RecordBatch",
            )
        yield pa.Table.from_batches([part]) if isinstance(part, pa.RecordBatch) else part
