"""The record: one SQLite file, one writer, many readers.

    record = Record.open(home, clock)
    with record.transaction() as tx:      # BEGIN IMMEDIATE … COMMIT, one at a time
        events.append(tx, …)
    with record.read() as session:        # a consistent state, beside the writer
        session.get(Run, 12)
    record.wait_for(revision, timeout=30) # until something was committed after `revision`

Only the process that holds the home's lock opens a record for writing.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import cast

from sqlalchemy import Connection, Engine, text
from sqlmodel import Session

from store.ballast import Ballast
from store.errors import StorageError, TrainshedError
from store.home import Home
from store.patience import stoppable
from store.schema import prepare
from store.sqlite import is_disk_full, reader_engine, understood, writer_engine
from store.times import Clock, to_us

_NEXT_REVISION = text(
    "UPDATE meta SET value = CAST(value AS INTEGER) + 1 WHERE key = 'revision' RETURNING CAST(value AS INTEGER)"
)
_REVISION = text("SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'revision'")


class Transaction:
    """One all-or-nothing change of the record. Objects read in it are not for use after it."""

    def __init__(self, connection: Connection, now: int) -> None:
        self.connection = connection
        """SQLAlchemy core, for many rows."""
        self.now = now
        """Microseconds since 1970 UTC; one moment for the whole transaction."""
        self._revision: int | None = None

    @cached_property
    def session(self) -> Session:
        """SQLModel, for few rows. Flushed before the commit."""
        return Session(bind=self.connection, expire_on_commit=False)

    @property
    def driver(self) -> sqlite3.Connection:
        """The bare connection, for rows by the ten thousand."""
        return cast(sqlite3.Connection, self.connection.connection.driver_connection)

    @property
    def rev(self) -> int:
        """The revision this transaction makes, given out on first use; changed rows are stamped with it."""
        if self._revision is None:
            self._revision = int(self.connection.execute(_NEXT_REVISION).scalar_one())
        return self._revision

    @property
    def made(self) -> int | None:
        """The revision if one was given out."""
        return self._revision

    def finish(self) -> None:
        """Sends pending objects of the session to the database."""
        if "session" in self.__dict__:
            self.session.flush()
            self.session.expunge_all()


class Record:
    """The open record. Threads share it; transactions wait for each other."""

    def __init__(self, home: Home, clock: Clock, writer: Engine, readers: Engine) -> None:
        """Use `Record.open`."""
        self.home = home
        self._clock = clock
        self._writer = writer
        self._readers = readers
        self._turn = threading.RLock()
        self._writing = False
        self._changed = threading.Condition()
        self._released = False
        self._ballast = Ballast(home.ballast)
        self._connection = writer.connect()
        self._revision = int(self._connection.execute(_REVISION).scalar_one())
        self._connection.rollback()

    @classmethod
    def open(cls, home: Home, clock: Clock) -> Record:
        """Makes the record if there is none, migrates an old one after a verified backup.

        Raises StorageError (read-only, full), RecordTooNew, RecordDamaged, RecordBusy.
        """
        try:
            home.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise StorageError(
                f"the home cannot be made: {error.strerror}",
                where=str(home.root),
                remedy="give this user write access there, or name another home with TRAINSHED_HOME",
            ) from error
        if home.restoring.exists():
            raise StorageError(
                "a restore has not come to its end",
                where=str(home.restoring),
                remedy="run the same `trainshed restore` again: it finishes what was begun",
            )
        writer = writer_engine(home.database)
        try:
            with understood(home.database):
                prepare(writer, home, clock)
                record = cls(home, clock, writer, reader_engine(home.database))
        except BaseException:
            writer.dispose()
            raise
        record.restore_ballast()
        return record

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        """Everything in the block is committed, durably, or nothing is.

        Raises StorageError (the ballast is given up, so that the next transaction can say so), RecordBusy.
        """
        with self._turn:
            if self._writing:
                raise RuntimeError("a transaction of this record is open in this thread already")
            self._writing = True
            try:
                with understood(self.home.database), self._connection.begin():
                    tx = Transaction(self._connection, to_us(self._clock()))
                    yield tx
                    tx.finish()
            except TrainshedError as error:
                if is_disk_full(error):
                    self._ballast.drop()
                raise
            finally:
                self._writing = False
            if tx.made is not None:
                self._announce(tx.made)

    @contextmanager
    def read(self, stop: Callable[[], bool] | None = None) -> Iterator[Session]:
        """A session that sees one state of the record and cannot change it.

        `stop` is asked every millisecond or so of a statement whether nobody waits for the answer any more; the
        statement is ended then, and Stopped raised.
        """
        with understood(self.home.database), Session(self._readers, expire_on_commit=False) as session:
            if stop is None:
                yield session
            else:
                with stoppable(session, stop):
                    yield session

    @property
    def revision(self) -> int:
        """The newest committed revision."""
        return self._revision

    def wait_for(self, rev: int, timeout: float) -> int:
        """Waits until the record is newer than `rev`, at most `timeout` seconds; the revision then."""
        with self._changed:
            self._changed.wait_for(lambda: self._revision > rev or self._released, timeout)
            return self._revision

    def release_waiters(self) -> None:
        """Ends every `wait_for`, now and from now on: the daemon is about to stop."""
        with self._changed:
            self._released = True
            self._changed.notify_all()

    @property
    def has_ballast(self) -> bool:
        """False from the moment the disk was found full until `restore_ballast` succeeds."""
        return self._ballast.present

    def restore_ballast(self) -> bool:
        """Keeps 64 MB back again if the disk has plenty; True when they are there."""
        return self._ballast.restore()

    def close(self) -> None:
        """Moves everything into the database file and lets it go."""
        with self._turn:
            self._readers.dispose()
            driver = cast(sqlite3.Connection, self._connection.connection.driver_connection)
            with understood(self.home.database):
                driver.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            self._connection.close()
            self._writer.dispose()

    def _announce(self, revision: int) -> None:
        with self._changed:
            self._revision = revision
            self._changed.notify_all()
