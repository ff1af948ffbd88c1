"""What every kind of source gives: pieces of rows, each with the place from which reading can go on after it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa

from pipeline.config.sources import Incremental
from pipeline.sources.cursor import Cursor
from pipeline.sources.times import Times

Resume = dict[str, Any]
"""Plain JSON: where to go on after a crash. Each kind of source has its own keys."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """Some rows, in lake types; times are UTC microseconds."""

    rows: pa.RecordBatch
    raw: pa.Array | None = None
    """The incremental column as the source wrote it, row by row: what it will want to hear again."""
    resume: Resume | None = None
    """Reading can go on behind this piece; None in the middle of a file or an answer."""


def piece_of(
    batch: pa.RecordBatch,
    times: Times,
    incremental: Incremental | None,
    *,
    text: bool,
    resume: Resume | None = None,
) -> Piece:
    """The piece that a batch makes, as the source wrote it. `text`: see `Times.rows`."""
    rows = times.rows(batch, text=text)
    named = incremental is not None and incremental.column in batch.schema.names
    raw = batch.column(incremental.column) if incremental is not None and named else None
    return Piece(rows=rows, raw=raw, resume=resume)


def no_rows() -> pa.RecordBatch:
    """Nothing, for a piece that only says where reading can go on."""
    return pa.RecordBatch.from_pylist([], schema=pa.schema([]))


@dataclass(frozen=True, kw_only=True)
class Opening:
    """What a source is opened with, besides its section of the project file."""

    name: str
    root: Path
    """The project's folder."""
    scratch: Path
    """An existing folder for answers that are larger than memory should hold."""
    cursor: Cursor | None = None
    """Up to where an incremental source was read before."""
    types: Mapping[str, pa.DataType]
    """Types that columns are wanted in; a text format has no types of its own."""
    validators: Mapping[str, str]
    """Address → ETag of the last complete read, when nothing else about it changed."""
    sleep: Callable[[float], None]
    """Waits so many seconds, or raises when the run is asked to stop."""
    now: Callable[[], datetime]
    chance: Callable[[], float]
    """A random number in [0, 1)."""
    scheduled_for: datetime | None = None
    """The time of a schedule for which this read stands, UTC; None for one that a person asked for."""

    @property
    def where(self) -> str:
        return f"sources.{self.name}"


class SourceReader(Protocol):
    def unchanged(self) -> bool:
        """Whether the source itself says that nothing changed since the last complete read."""
        ...

    def identity(self) -> str:
        """What the read depends on besides configuration and cursor, such as sizes and times of files.

        An interrupted read goes on only if this is still the same.
        """
        ...

    def pieces(self, resume: Resume | None) -> Iterator[Piece]:
        """All rows, or those behind `resume`. Raises SourceError."""
        ...

    def validators(self) -> dict[str, str]:
        """Address → ETag of everything read, once `pieces` is exhausted; empty if it cannot be asked again so."""
        ...


class StartsAgain:
    """A source that has to be read to be known: it cannot say that nothing changed, nor go on in the middle."""

    def unchanged(self) -> bool:
        return False

    def identity(self) -> str:
        return ""

    def validators(self) -> dict[str, str]:
        return {}
