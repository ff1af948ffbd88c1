"""Formats → record batches, as the source wrote the values: times and zones come later (times.py)."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any, Final, Literal

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq

from pipeline.sources.records import parse_lines, to_batch
from store.errors import SourceMalformed, SourceTooLarge

Format = Literal["json", "jsonl", "csv", "parquet"]
MAX_ANSWER: Final = 256 * 2**20
"""A JSON answer is held in memory whole; larger tables come in pages or line by line."""
_CSV_BLOCK: Final = 8 * 2**20
_BUFFER: Final = 2**20
_SHOWN: Final = 80


@dataclass(frozen=True, kw_only=True)
class Decoder:
    """How the bytes of one source are read."""

    format: Format
    where: str
    batch_rows: int = 65_536
    types: Mapping[str, pa.DataType] = field(default_factory=dict)
    """Types that columns are wanted in."""
    records: str = ""
    delimiter: str = ","
    null_values: tuple[str, ...] = ("", "NA")

    @property
    def text(self) -> bool:
        """Whether the format leaves open what is a time."""
        return self.format != "parquet"

    def batches(self, file: IO[bytes], where: str | None = None) -> Iterator[pa.RecordBatch]:
        """All rows of one file or answer; `where` it came from. Raises SourceMalformed."""
        place = where or self.where
        if self.format == "csv":
            return self._csv(file, place)
        if self.format == "parquet":
            return self._parquet(file, place)
        if self.format == "jsonl":
            return self._jsonl(file, place)
        return self._records(self.document(file, place), place)

    def document(self, file: IO[bytes], where: str) -> Any:
        """A JSON answer as Python values. Raises SourceMalformed with its first characters."""
        body = file.read(MAX_ANSWER + 1)
        if len(body) > MAX_ANSWER:
            raise SourceTooLarge(
                f"a JSON answer of more than {MAX_ANSWER:,} bytes",
                where=where,
                remedy='let the source page it (`paging`), or give it as lines (`format = "jsonl"`)',
            )
        try:
            return json.loads(body)
        except (ValueError, RecursionError):  # the second: lists in lists in lists, deeper than Python follows
            raise malformed(body, "JSON", where) from None

    def rows_of(self, document: Any, where: str) -> pa.RecordBatch:
        """The records of a JSON answer. Raises SourceMalformed."""
        found = dig(document, self.records)
        if not isinstance(found, list):
            at = f"at {self.records!r}" if self.records else "at its top"
            keys = f"; its keys are: {', '.join(document)}" if isinstance(document, dict) else ""
            raise SourceMalformed(
                f"the answer has no list of records {at}{keys}", where=where, remedy="set `records` to the list's path"
            )
        return to_batch(found, self.types, where)

    def _records(self, document: Any, where: str) -> Iterator[pa.RecordBatch]:
        rows = self.rows_of(document, where)
        for start in range(0, rows.num_rows, self.batch_rows):
            yield rows.slice(start, self.batch_rows)

    def _jsonl(self, file: IO[bytes], where: str) -> Iterator[pa.RecordBatch]:
        line = 1
        lines: list[bytes] = []
        for text in _buffered(file):
            lines.append(text)
            if len(lines) >= self.batch_rows:
                yield to_batch(parse_lines(lines, where, line), self.types, where)
                line += len(lines)
                lines = []
        if lines:
            yield to_batch(parse_lines(lines, where, line), self.types, where)

    def _csv(self, file: IO[bytes], where: str) -> Iterator[pa.RecordBatch]:
        # Times are read as text: Arrow's own guess drops the offset or depends on the first block.
        wanted = {name: pa.string() if pa.types.is_timestamp(t) else t for name, t in self.types.items()}
        buffered = _buffered(file)
        head = buffered.peek(1)
        if head.lstrip().lower().startswith((b"<!doctype", b"<html")):
            raise malformed(head, "CSV", where)
        try:
            yield from self._csv_batches(buffered, wanted, where)
        except (pa.ArrowInvalid, pa.ArrowKeyError, UnicodeDecodeError) as error:
            if "Empty CSV file" in str(error):
                return
            raise SourceMalformed(
                str(error).partition("\n")[0],
                where=where,
                remedy='mend the file, or declare the column as text (`columns.NAME = "string"` in the dataset)',
            ) from None

    def _csv_batches(self, file: IO[bytes], wanted: Mapping[str, pa.DataType], where: str) -> Iterator[pa.RecordBatch]:
        reader = pacsv.open_csv(
            file,
            read_options=pacsv.ReadOptions(block_size=_CSV_BLOCK, use_threads=False),
            parse_options=pacsv.ParseOptions(delimiter=self.delimiter, newlines_in_values=True),
            convert_options=pacsv.ConvertOptions(
                column_types=wanted,
                null_values=list(self.null_values),
                strings_can_be_null=True,
                quoted_strings_can_be_null=False,
                timestamp_parsers=["%%"],
            ),
        )
        for batch in reader:
            _refuse_rounded(batch, wanted, where)
            for start in range(0, batch.num_rows, self.batch_rows):
                yield batch.slice(start, self.batch_rows)

    def _parquet(self, file: IO[bytes], where: str) -> Iterator[pa.RecordBatch]:
        try:
            yield from pq.ParquetFile(file).iter_batches(batch_size=self.batch_rows)
        except (pa.ArrowInvalid, OSError) as error:
            file.seek(0)
            head = file.read(_SHOWN)
            if head.startswith(b"PAR1"):
                raise SourceMalformed(
                    f"the Parquet file is damaged: {error}", where=where, remedy="fetch or write it again whole"
                ) from None
            raise malformed(head, "Parquet", where) from None


def _refuse_rounded(batch: pa.RecordBatch, wanted: Mapping[str, pa.DataType], where: str) -> None:
    """Whole numbers that are too large for an integer were guessed to be floats, which hold 16 digits of them."""
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        if name in wanted or not pa.types.is_floating(column.type):
            continue
        finite = column.filter(pc.is_finite(column))
        large = len(finite) > 0 and pc.max(pc.abs(finite)).as_py() >= 2.0**63
        if large and pc.all(pc.equal(finite, pc.trunc(finite))).as_py():
            raise SourceMalformed(
                f"the column {name!r} has whole numbers that are too large for an integer, and a float rounds them",
                where=where,
                remedy=f'declare `columns.{name} = "string"` in the dataset to keep them, or "float64" to round them',
            )


def _buffered(file: IO[bytes]) -> io.BufferedReader:
    return io.BufferedReader(file, _BUFFER)  # type: ignore[arg-type]


def dig(document: Any, path: str) -> Any:
    """The value at a dotted path, or None."""
    for part in path.split(".") if path else []:
        if not isinstance(document, dict):
            return None
        document = document.get(part)
    return document


def malformed(body: bytes, promised: str, where: str) -> SourceMalformed:
    """What came instead of the promised format, by its first characters."""
    start = body[: 4 * _SHOWN].decode("utf-8", "replace").strip()[:_SHOWN]
    got = f"text that begins {start!r}" if start else "nothing"
    return SourceMalformed(
        f"it promised {promised} and gave {got}",
        where=where,
        remedy="check url and path with curl; an HTML page is often a login or an error page",
    )
