"""SQLite as we use it: one writing connection in WAL with full sync, reading connections that cannot write.

The driver is left in autocommit, and SQLAlchemy's `begin` issues the BEGIN itself. With the driver's own deferred
BEGIN, a transaction that reads before it writes can fail at once with "database is locked", whatever the busy time-out.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.sqlite.pysqlite import SQLiteDialect_pysqlite
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnection
from sqlalchemy.pool import QueuePool, StaticPool
from sqlalchemy.util import LRUCache

from store.errors import DiskFull, RecordBusy, RecordDamaged, StorageError, TrainshedError

BUSY_SECONDS: Final = 5.0
"""How long a statement waits for another process's lock."""
READERS: Final = 8
"""Reading connections open at once; one more waits for the first to be free."""
PATIENCE_SECONDS: Final = 30.0
"""How long it waits."""

_STATEMENTS: Final = 1_000
"""Compiled ones that a process keeps."""

_PRIMARY: Final = 0xFF  # the low byte of an extended result code is the primary one
_FULL, _READONLY, _IOERR, _CORRUPT, _CANTOPEN, _NOTADB = 13, 8, 10, 11, 14, 26
_BUSY, _LOCKED = 5, 6


class Dialect(SQLiteDialect_pysqlite):
    """What SQLAlchemy knows of SQLite; equal to any other, so that what was compiled for one engine serves them all.

    To compile a statement takes longer than to run it: a reader need not do again what the writer did.
    """

    supports_statement_cache = True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Dialect)

    def __hash__(self) -> int:
        return hash(Dialect)


registry.register("sqlite.shared", __name__, Dialect.__name__)
_compiled: Final = LRUCache[Any, Any](_STATEMENTS)


def writer_engine(database: Path) -> Engine:
    """One connection, whose every transaction takes the write lock when it begins."""

    def connect() -> sqlite3.Connection:
        connection = _connect(f"{database.resolve().as_uri()}?mode=rwc")
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")  # NORMAL may lose acknowledged commits in a power cut
            connection.execute("PRAGMA foreign_keys = ON")
        except sqlite3.Error:
            connection.close()  # nobody else knows of it: what is no database is found out by the first statement
            raise
        return connection

    return _engine(connect, "BEGIN IMMEDIATE", poolclass=StaticPool)


def reader_engine(database: Path, patience: float = PATIENCE_SECONDS) -> Engine:
    """Connections that cannot write; each transaction sees one state of the record.

    `patience`: seconds that who comes waits for one to be free.
    """

    def connect() -> sqlite3.Connection:
        return _connect(f"{database.resolve().as_uri()}?mode=ro")

    return _engine(connect, "BEGIN", poolclass=QueuePool, pool_size=READERS, max_overflow=0, pool_timeout=patience)


def _connect(uri: str) -> sqlite3.Connection:
    # check_same_thread: the lock of the record, or the pool, sees to it that a connection has one user at a time.
    return sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)


def _engine(connect: Any, begin: str, **options: Any) -> Engine:
    engine = create_engine(
        "sqlite+shared://", creator=connect, execution_options={"compiled_cache": _compiled}, **options
    )

    @event.listens_for(engine, "begin")
    def start(connection: Connection) -> None:
        connection.exec_driver_sql(begin)

    return engine


@contextmanager
def understood(database: Path) -> Iterator[None]:
    """Turns SQLite's own words for a disk, lock or file fault into errors with a remedy."""
    try:
        yield
    except DBAPIError as error:
        raise (_translate(error.orig, database) or error) from error
    except sqlite3.Error as error:
        raise (_translate(error, database) or error) from error
    except NoConnection as error:
        raise RecordBusy(
            f"{READERS} questions that take long are being answered, and none of them came to its end in time",
            where=str(database),
            remedy="ask again in a moment; nothing is lost",
        ) from error


def _translate(error: BaseException | None, database: Path) -> TrainshedError | None:
    """None for errors that are not about the file, such as a broken constraint."""
    code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
    where = str(database)
    if code == _FULL:
        return DiskFull(
            "the disk is full, so the record cannot be written",
            where=where,
            remedy="free space on it: what runs goes on by itself then; what was asked for was not taken, ask again",
        )
    if code in (_READONLY, _CANTOPEN):
        return StorageError(
            f"the record cannot be written ({error})",
            where=where,
            remedy="give this user write access to the folder, or name another home with TRAINSHED_HOME",
        )
    if code == _IOERR:
        return StorageError(
            f"the disk does not read or write ({error})",
            where=where,
            remedy="look at the disk's health (`dmesg`), then `trainshed doctor`",
        )
    if code in (_CORRUPT, _NOTADB):
        return RecordDamaged(
            f"this is not a sound SQLite database ({error})",
            where=where,
            remedy=f"stop the daemon and `trainshed restore` the newest folder of {database.parent / 'backups'}",
        )
    if code in (_BUSY, _LOCKED):
        return RecordBusy(
            "another process holds the record's write lock",
            where=where,
            remedy="find it with `trainshed doctor`; nothing is lost, the work is tried again",
        )
    return None


def is_disk_full(error: TrainshedError) -> bool:
    """Whether `understood` found that there was no space."""
    cause = error.__cause__
    original = cause.orig if isinstance(cause, DBAPIError) else cause
    return getattr(original, "sqlite_errorcode", 0) & _PRIMARY == _FULL
