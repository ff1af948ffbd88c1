"""PostgreSQL through ADBC: columns arrive as Arrow, with no Python value in between."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import closing
from types import ModuleType
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlsplit, urlunsplit

import pyarrow as pa

from pipeline import secrets
from pipeline.config.sources import SqlSource
from pipeline.sources.bytestream import Allowance
from pipeline.sources.cursor import Cursor
from pipeline.sources.reader import Opening, Piece, Resume, StartsAgain, piece_of
from pipeline.sources.sql import Statement, statement, with_cursor
from pipeline.sources.times import Times
from store.errors import ProjectError, SourceDenied, SourceError, SourceUnreachable


class PostgresReader(StartsAgain):
    """Reads one query's result in a stream; after an interruption it starts again."""

    def __init__(self, source: SqlSource, opening: Opening, uri: str) -> None:
        self._source = source
        self._opening = opening
        password = secrets.resolve(source.password, opening.root) if source.password else None
        self._uri = _with_password(uri, password)
        self._times = Times(where=opening.where, zone=source.timezone, types=opening.types)
        self._allowance = Allowance(limit=source.max_bytes, where=opening.where)

    def pieces(self, resume: Resume | None) -> Iterator[Piece]:
        driver = _driver()
        asked = statement(self._source, self._opening)
        try:
            with closing(driver.connect(self._uri)) as connection, closing(connection.cursor()) as cursor:
                cursor.execute(self._text(asked), self._bound(asked))
                for batch in cursor.fetch_record_batch():
                    yield from self._pieces(batch)
        except driver.Error as error:
            raise self._fault(error, asked) from None

    def _pieces(self, batch: pa.RecordBatch) -> Iterator[Piece]:
        for start in range(0, batch.num_rows, self._source.batch_rows):
            rows = batch.slice(start, self._source.batch_rows)
            self._allowance.take(rows.nbytes)
            yield piece_of(rows, self._times, self._source.incremental, text=False)

    def _text(self, asked: Statement) -> str:
        cursor = self._opening.cursor
        if not asked.binds or cursor is None or self._source.incremental is None:
            return asked.text
        return with_cursor(asked.text, self._source.incremental.param, _literal(cursor) or "$1")

    def _bound(self, asked: Statement) -> tuple[Any, ...] | None:
        cursor = self._opening.cursor
        if not asked.binds or cursor is None or _literal(cursor) is not None:
            return None
        return (cursor.native,)

    def _fault(self, error: Any, asked: Statement) -> Exception:
        message = without_secrets(str(error), self._uri)
        state = str(getattr(error, "sqlstate", "") or "")
        server = _server(self._uri)
        if re.search(
            "password authentication failed|no password supplied|no pg_hba.conf entry|role .* does not exist", message
        ):
            return SourceDenied(message, where=server, remedy=f"check user and `password` in [{self._opening.where}]")
        if state == "42501":
            return SourceDenied(message, where=asked.where, remedy="grant the user SELECT on what the query reads")
        if state.startswith(("42", "22", "34")):
            return ProjectError(message, where=asked.where, remedy="mend the query")
        if state.startswith(("08", "57", "53", "40")) or "onnect" in message:
            return SourceUnreachable(
                message, where=server, remedy="check that the server is up, then run the job again"
            )
        return SourceError(message, where=server, remedy="run the query with psql to see more")


def without_secrets(message: str, uri: str) -> str:
    """What the server or the driver said, without the address and the passwords in it."""
    parts = urlsplit(uri)
    asked = [value for name, value in parse_qsl(parts.query) if "password" in name]
    known = {uri, parts.password or "", unquote(parts.password or ""), *asked, *(quote(p, safe="") for p in asked)}
    for secret in sorted(known - {""}, key=len, reverse=True):
        message = message.replace(secret, "…")
    return message.strip()


def _driver() -> ModuleType:
    try:
        import adbc_driver_postgresql.dbapi as driver
    except ImportError:
        raise ProjectError(
            "the PostgreSQL driver is not installed",
            where='kind = "sql"',
            remedy="install it: pip install 'trainshed[postgres]'",
        ) from None
    return driver  # type: ignore[no-any-return]


def _with_password(uri: str, password: str | None) -> str:
    if password is None:
        return uri
    parts = urlsplit(uri)
    host = parts.netloc.rpartition("@")[2]
    user = quote(unquote(parts.username or ""), safe="")
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{host}"))


def _server(uri: str) -> str:
    """Host and database, for messages."""
    parts = urlsplit(uri)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"


def _literal(cursor: Cursor) -> str | None:
    """A text cursor as a literal: untyped, so that the server gives it the type of what it is compared with."""
    return "'" + str(cursor.value).replace("'", "''") + "'" if cursor.kind == "text" else None
