"""`kind = "sql"`: a query against SQLite or PostgreSQL; and how the cursor gets into it."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from pipeline import secrets
from pipeline.config.sources import SqlSource
from pipeline.sources.bytestream import Allowance
from pipeline.sources.cursor import Cursor
from pipeline.sources.reader import Opening, Piece, Resume, SourceReader, StartsAgain, piece_of
from pipeline.sources.times import Times
from pipeline.tables.shape import sql_text
from pipeline.tables.sqltext import identifier
from store.errors import ProjectError, SourceDenied, SourceError, SourceMalformed, SourceUnreachable

_LOCK_S: Final = 2.0
"""How long to wait for whoever is writing to a SQLite file; the job's own retry comes back later."""


def open_sql(source: SqlSource, opening: Opening) -> SourceReader:
    """The reader for the database that the uri names. Raises ProjectError."""
    uri = secrets.resolve(source.uri, opening.root)
    if uri.startswith("sqlite:"):
        return SqliteReader(source, opening, uri.removeprefix("sqlite:"))
    if uri.startswith(("postgresql://", "postgres://")):
        from pipeline.sources.postgres import PostgresReader

        return PostgresReader(source, opening, uri)
    raise ProjectError(
        "this is no database that can be read",
        where=f"{opening.where}.uri",
        remedy="write sqlite:PATH or postgresql://USER@HOST:PORT/DATABASE",
    )


@dataclass(frozen=True, kw_only=True)
class Statement:
    text: str
    binds: bool
    """Whether `:param` in it wants the cursor."""
    where: str


def statement(source: SqlSource, opening: Opening) -> Statement:
    """The query to run: the project's own if it says where the cursor goes, else one around it.

    Raises ProjectError when the query wants a cursor and a first run has none.
    """
    text, where = sql_text(opening.root, source.query)
    place = f"{opening.where}.query" if where == "sql" else where
    text = text.strip().rstrip(";")
    if source.incremental is None:
        return Statement(text=text, binds=False, where=place)
    if re.search(_parameter(source.incremental.param), text):
        if opening.cursor is None:
            raise ProjectError(
                f"the query asks for :{source.incremental.param}, and a first run has no cursor",
                where=place,
                remedy=f"set `initial` in [{opening.where}.incremental], or leave the condition out: it is added",
            )
        return Statement(text=text, binds=True, where=place)
    if opening.cursor is None:
        return Statement(text=text, binds=False, where=place)
    column, param = identifier(source.incremental.column), source.incremental.param
    return Statement(text=f"SELECT * FROM ({text}\n) AS asked WHERE {column} >= :{param}", binds=True, where=place)


def with_cursor(text: str, param: str, replacement: str) -> str:
    """The query with something else in the place of `:param`."""
    return re.sub(_parameter(param), lambda _: replacement, text)


def _parameter(name: str) -> str:
    # Not `::name`, which is a cast.
    return rf"(?<![:\w]):{re.escape(name)}\b"


class SqliteReader(StartsAgain):
    """Reads a SQLite file, read-only; after an interruption it starts again."""

    def __init__(self, source: SqlSource, opening: Opening, path: str) -> None:
        self._source = source
        self._opening = opening
        self._file = (opening.root / Path(path).expanduser()).resolve()
        self._times = Times(where=opening.where, zone=source.timezone, types=opening.types)
        self._allowance = Allowance(limit=source.max_bytes, where=opening.where)

    def pieces(self, resume: Resume | None) -> Iterator[Piece]:
        if not self._file.is_file():
            raise SourceError("there is no such database", where=str(self._file), remedy="correct the path in `uri`")
        asked = statement(self._source, self._opening)
        try:
            with closing(sqlite3.connect(f"{self._file.as_uri()}?mode=ro", uri=True, timeout=_LOCK_S)) as connection:
                # No second file: read-only is the opened one alone, and `VACUUM INTO` would write another.
                connection.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
                yield from self._rows(connection, asked)
        except sqlite3.Error as error:
            raise self._fault(error, asked) from None

    def _rows(self, connection: sqlite3.Connection, asked: Statement) -> Iterator[Piece]:
        cursor = connection.execute(asked.text, self._bound(asked))
        if cursor.description is None:
            raise ProjectError("the query has no result", where=asked.where, remedy="make it a SELECT")
        names = [column[0] for column in cursor.description]
        while rows := cursor.fetchmany(self._source.batch_rows):
            batch = self._batch(names, rows)
            self._allowance.take(batch.nbytes)
            yield piece_of(batch, self._times, self._source.incremental, text=True)

    def _bound(self, asked: Statement) -> dict[str, Any]:
        cursor: Cursor | None = self._opening.cursor
        if not asked.binds or cursor is None or self._source.incremental is None:
            return {}
        return {self._source.incremental.param: cursor.value}

    def _batch(self, names: list[str], rows: list[tuple[Any, ...]]) -> pa.RecordBatch:
        columns = []
        for name, values in zip(names, zip(*rows, strict=True), strict=True):
            try:
                columns.append(pa.array(values))
            except (pa.ArrowInvalid, pa.ArrowTypeError) as error:
                raise SourceMalformed(
                    f"its values are of several types: {error}",
                    where=f"{self._opening.where}, column {name!r}",
                    remedy=f"give it one type in the query: CAST({name} AS TEXT)",
                ) from None
        return pa.RecordBatch.from_arrays(columns, names)

    def _fault(self, error: sqlite3.Error, asked: Statement) -> Exception:
        code = getattr(error, "sqlite_errorname", "") or ""
        file = str(self._file)
        if code.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
            return SourceUnreachable(f"the database is locked: {error}", where=file, remedy="run the job again later")
        if code.startswith(("SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")):
            return SourceDenied(str(error), where=file, remedy="give the daemon's user the right to read it")
        if code.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")):
            return SourceMalformed(str(error), where=file, remedy="name a SQLite file that is whole")
        return ProjectError(str(error), where=asked.where, remedy="mend the query")
