"""One writer, many readers, revisions, and what happens when the disk has no room or no permission."""

from __future__ import annotations

import os
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.engine.interfaces import CacheStats
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlmodel import Session, select

from store import events
from store.ballast import BALLAST_BYTES
from store.engine import Record, Transaction
from store.errors import RecordBusy, RecordDamaged, StorageError
from store.home import Home
from store.sqlite import READERS, reader_engine, understood
from store.tables import Event, RunDependency
from store.times import system_clock


def _say(tx: Transaction, message: str) -> int:
    return events.append(tx, actor="ann", kind="test.said", subject="test", message=message)


def _said(session: Session) -> list[str]:
    return [event.message for event in session.exec(select(Event).order_by(Event.id))]  # type: ignore[arg-type]


def test_a_transaction_is_kept_whole(record: Record) -> None:
    with record.transaction() as tx:
        _say(tx, "one")
        _say(tx, "two")
    with record.read() as session:
        assert _said(session) == ["one", "two"]


def test_a_statement_is_compiled_once_in_a_process_for_writer_readers_and_other_records(
    record: Record, tmp_path: Path
) -> None:
    query = select(Event.message).where(Event.subject == Event.actor)  # nobody else asks that
    found = []

    def note(_connection: Any, _cursor: Any, statement: str, _parameters: Any, context: Any, _many: bool) -> None:
        if statement == str(query):
            found.append(context.cache_hit)

    other = Record.open(Home(tmp_path / "other"), system_clock)
    event.listen(Engine, "after_cursor_execute", note)
    try:
        for each in (record, other):
            with each.transaction() as tx:
                tx.session.exec(query).all()
            with each.read() as session:
                session.exec(query).all()
    finally:
        event.remove(Engine, "after_cursor_execute", note)
        other.close()
    assert found == [CacheStats.CACHE_MISS, *[CacheStats.CACHE_HIT] * 3]


def test_a_transaction_that_fails_leaves_nothing_and_no_revision(record: Record) -> None:
    before = record.revision

    def fail() -> None:
        with record.transaction() as tx:
            _say(tx, "never")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert record.revision == before
    with record.read() as session:
        assert _said(session) == []
    with record.transaction() as tx:
        _say(tx, "after")
    assert record.revision == before + 1


def test_each_transaction_that_changes_something_has_the_next_revision(record: Record) -> None:
    with record.transaction() as tx:
        first = tx.rev
        assert tx.rev == first
    with record.transaction() as tx:
        pass
    with record.transaction() as tx:
        assert tx.rev == first + 1
    assert record.revision == first + 1


def test_the_revision_goes_on_after_the_record_was_closed(tmp_path: Path) -> None:
    record = Record.open(Home(tmp_path), system_clock)
    with record.transaction() as tx:
        last = tx.rev
    record.close()
    record = Record.open(Home(tmp_path), system_clock)
    assert record.revision == last
    record.close()


def test_a_reader_sees_one_state_while_somebody_writes(record: Record) -> None:
    with record.read() as session:
        assert _said(session) == []
        with record.transaction() as tx:
            _say(tx, "meanwhile")
        assert _said(session) == []
    with record.read() as session:
        assert _said(session) == ["meanwhile"]


def test_a_reader_cannot_write(record: Record) -> None:
    with pytest.raises(StorageError, match="cannot be written"), record.read() as session:
        session.connection().execute(text("DELETE FROM event"))


def test_references_to_what_is_not_there_are_refused(record: Record) -> None:
    with pytest.raises(IntegrityError), record.transaction() as tx:
        tx.session.add(RunDependency(run=7, on_run=8))


def test_a_transaction_inside_another_is_a_mistake_and_not_a_deadlock(record: Record) -> None:
    with record.transaction(), pytest.raises(RuntimeError, match="open in this thread already"):  # noqa: SIM117
        with record.transaction():
            pass


@pytest.mark.slow
def test_threads_take_turns_and_lose_nothing(record: Record) -> None:
    def work(name: int) -> None:
        for number in range(25):
            with record.transaction() as tx:
                _say(tx, f"{name} {number}")

    threads = [threading.Thread(target=work, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with record.read() as session:
        said = _said(session)
    assert len(said) == len(set(said)) == 100
    assert record.revision == 100


@pytest.mark.slow
def test_more_readers_than_connections_wait_for_each_other(record: Record) -> None:
    found: list[int] = []

    def look() -> None:
        for _ in range(20):
            with record.read() as session:
                found.append(len(_said(session)))

    threads = [threading.Thread(target=look) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [0] * 400


# ------------------------------------------------------------------------------------------------------ long polls


def test_waiting_ends_with_the_commit_that_makes_a_newer_revision(record: Record) -> None:
    found: list[int] = []
    waiter = threading.Thread(target=lambda: found.append(record.wait_for(record.revision, timeout=30)))
    waiter.start()
    with record.transaction() as tx:
        _say(tx, "news")
    waiter.join(timeout=5)
    assert found == [1]


def test_waiting_ends_after_its_time_without_news(record: Record) -> None:
    assert record.wait_for(record.revision, timeout=0.01) == record.revision


def test_waiting_does_not_begin_when_there_is_news_already(record: Record) -> None:
    with record.transaction() as tx:
        _say(tx, "news")
    began = time.monotonic()
    assert record.wait_for(0, timeout=30) == 1
    assert time.monotonic() - began < 5


def test_a_daemon_that_stops_lets_all_waiters_go(record: Record) -> None:
    waiter = threading.Thread(target=lambda: record.wait_for(record.revision, timeout=60))
    waiter.start()
    record.release_waiters()
    waiter.join(timeout=5)
    assert not waiter.is_alive()


# ---------------------------------------------------------------------------------------- locks, full and bad disks


@contextmanager
def _held_by_another_process(home: Home) -> Iterator[None]:
    with closing(sqlite3.connect(home.database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


def test_a_lock_of_another_process_is_an_error_worth_a_retry_and_nothing_breaks(record: Record) -> None:
    record_driver = record.home.database
    with record.transaction() as tx:
        tx.driver.execute("PRAGMA busy_timeout = 50")
    with _held_by_another_process(record.home), pytest.raises(RecordBusy) as busy, record.transaction() as tx:
        _say(tx, "never")
    assert busy.value.retryable
    assert busy.value.where == str(record_driver)
    with record.transaction() as tx:
        _say(tx, "afterwards")
    with record.read() as session:
        assert _said(session) == ["afterwards"]


def test_who_waits_in_vain_for_a_reading_connection_is_told_to_come_again(record: Record) -> None:
    readers = reader_engine(record.home.database, patience=0.05)
    with ExitStack() as busy:
        for _ in range(READERS):
            busy.enter_context(readers.connect())
        said = "none of them came to its end in time"
        with pytest.raises(RecordBusy, match=said) as told, understood(record.home.database):
            readers.connect()
    assert told.value.http_status == 503
    assert "ask again" in told.value.remedy
    readers.dispose()


def _fill(record: Record) -> None:
    """No page more than there are: what SQLite answers is what it answers on a full disk."""
    with record.transaction() as tx:
        pages = tx.driver.execute("PRAGMA page_count").fetchone()[0]
        tx.driver.execute(f"PRAGMA max_page_count = {pages + 2}")


def test_a_full_disk_is_told_the_transaction_undone_and_the_ballast_given_up(record: Record) -> None:
    assert os.stat(record.home.ballast).st_blocks * 512 >= BALLAST_BYTES
    with record.transaction() as tx:
        _say(tx, "before")
    _fill(record)
    with pytest.raises(StorageError, match="the disk is full") as full, record.transaction() as tx:
        _say(tx, "x" * 1_000_000)
    assert "free space" in full.value.remedy
    assert not record.home.ballast.exists()
    with record.read() as session:
        assert _said(session) == ["before"]
    with record.transaction() as tx:
        tx.driver.execute("PRAGMA max_page_count = 1000000")
        _say(tx, "there is room again")
    assert record.restore_ballast()
    assert record.home.ballast.exists()
    with record.read() as session:
        assert _said(session) == ["before", "there is room again"]


def test_a_wrong_statement_stays_the_programmers_error(record: Record) -> None:
    with pytest.raises(OperationalError, match="no such table"), record.transaction() as tx:
        tx.connection.execute(text("SELECT * FROM nowhere"))


def test_a_home_that_cannot_be_made_is_named_with_the_way_out(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError, match="the home cannot be made") as error:
        Record.open(Home(tmp_path / "file" / "home"), system_clock)
    assert "TRAINSHED_HOME" in error.value.remedy


@contextmanager
def _without_permission() -> Iterator[None]:
    """Root may write everywhere; so it becomes nobody for a moment."""
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield
    finally:
        if root:
            os.seteuid(0)


@pytest.fixture
def readable_folder() -> Iterator[Path]:
    """A folder that everybody may enter, which pytest's are not."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o755)
        yield Path(name)


def test_a_read_only_home_is_told_with_the_way_out_and_left_as_it_was(readable_folder: Path) -> None:
    home = Home(readable_folder / "home")
    Record.open(home, system_clock).close()
    before = home.database.read_bytes()
    home.root.chmod(0o555)
    home.database.chmod(0o444)
    with _without_permission(), pytest.raises(StorageError, match="cannot be written") as error:
        Record.open(home, system_clock)
    assert "TRAINSHED_HOME" in error.value.remedy
    with _without_permission(), pytest.raises(StorageError, match="the home cannot be made"):
        Record.open(Home(readable_folder / "home" / "deeper"), system_clock)
    home.root.chmod(0o755)
    assert home.database.read_bytes() == before


@pytest.mark.slow
def test_damage_found_while_working_is_told_with_the_way_back(tmp_path: Path) -> None:
    home = Home(tmp_path)
    record = Record.open(home, system_clock)
    with record.transaction() as tx:
        for number in range(6000):  # more pages than the tables themselves take
            _say(tx, f"event {number} " + "x" * 50)
    record.close()
    with open(home.database, "r+b") as file:
        size = file.seek(0, os.SEEK_END)
        for page in range(size // 4096 // 2, size // 4096 - 1):
            file.seek(page * 4096)
            file.write(b"\xff" * 64)
    record = Record.open(home, system_clock)
    with pytest.raises(RecordDamaged, match="not a sound SQLite database") as damaged, record.read() as session:
        _said(session)
    assert str(home.backups) in damaged.value.remedy
    record.close()


def test_no_record_is_opened_while_a_restore_is_half_done(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.restoring.write_text("{}")
    with pytest.raises(StorageError, match="a restore has not come to its end"):
        Record.open(home, system_clock)
    assert not home.database.exists()
