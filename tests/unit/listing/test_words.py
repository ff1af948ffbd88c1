"""Words in what runs and events say: an index of three letters leads to them, and finds what looking at rows finds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, insert, text, update
from sqlmodel import col

from store.engine import Record
from store.home import Home
from store.listing import events, pick, runs
from store.migrations import OURS
from store.migrations.upgrade import configuration
from store.patience import driver_of
from store.runs import count_by_state
from store.sqlite import writer_engine
from store.tables import Event, Run
from store.times import from_us, to_us
from store.wire.filter import Filter, Term, fold

NOW = to_us(datetime(2026, 3, 1, 12, tzinfo=UTC))
COUNT = 12
_SAID = st.text(alphabet="abABéÉſ%_\"'\\* 1", max_size=9)
_WRITTEN = st.lists(st.tuples(st.integers(1, COUNT), _SAID, _SAID), max_size=6)


def _run(number: int) -> dict[str, Any]:
    kind = {"job": "j", "kind": "train", "target": "t", "trigger": "manual", "actor": "z", "params": {}}
    return {"id": number, "created_at": NOW, "state": "queued", "reason": "", "message": "", **kind}


def _put_runs(connection: Connection) -> None:
    connection.execute(insert(Run), [_run(number) for number in range(1, COUNT + 1)])


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Record]:
    record = Record.open(Home(tmp_path_factory.mktemp("said")), lambda: from_us(NOW))
    with record.transaction() as tx:
        _put_runs(tx.connection)
    yield record
    record.close()


@pytest.mark.slow
@given(st.lists(_WRITTEN, max_size=3), st.text(alphabet="abABéÉſ%_\"'\\* 1", min_size=1, max_size=6), st.booleans())
def test_a_word_finds_the_runs_whose_newest_words_hold_it(
    record: Record, transactions: list[list[tuple[int, str, str]]], word: str, negated: bool
) -> None:
    for written in transactions:
        with record.transaction() as tx:
            for run, reason, message in written:
                tx.connection.execute(update(Run).where(col(Run.id) == run).values(reason=reason, message=message))
    with record.read() as session:
        said = {run: (reason, message) for run, reason, message in session.connection().execute(_RUNS)}
        found = runs.window(session, str(_asked("", word, negated)), "id", 0, COUNT, NOW).items
        in_reason = runs.window(session, str(_asked("reason", word, negated)), "id", 0, COUNT, NOW).items
    # Every run is train:t of z, queued: words that are in none of these are those of reason and message.
    others = ("j", "z", "queued")
    holds = {run: any(fold(word) in fold(value) for value in (*texts, *others)) for run, texts in said.items()}
    assert [run.id for run in found] == [run for run, held in holds.items() if held != negated]
    assert [run.id for run in in_reason] == [
        run for run, (reason, _) in said.items() if (fold(word) in fold(reason)) != negated
    ]


@pytest.mark.slow
@given(st.lists(st.tuples(_SAID, _SAID), min_size=1, max_size=4), st.text(alphabet="abABé%_\"'\\ 1", min_size=1))
def test_a_word_finds_the_events_that_hold_it(record: Record, lines: list[tuple[str, str]], word: str) -> None:
    with record.transaction() as tx:
        line = {"created_at": NOW, "actor": "z", "kind": "q", "data": {}}
        tx.connection.execute(insert(Event), [{**line, "subject": s, "message": m} for s, m in lines])
    with record.read() as session:
        said = session.connection().execute(text("SELECT id, subject, message FROM event ORDER BY id DESC")).all()
        found = events.window(session, str(_asked("", word, False)), 0, 10_000, NOW).items
        counted = events.count_events(session, str(_asked("", word, False)), NOW)
    holding = [event for event, *texts in said if any(fold(word) in fold(value) for value in texts)]
    assert [event.id for event in found] == holding
    assert counted == len(holding)


def test_of_a_word_that_is_nowhere_no_row_is_looked_at(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    with record.read() as session:
        driver = driver_of(session)
        driver.set_trace_callback(asked.append)
        try:
            assert runs.window(session, "nowhere", "-id", 0, 10, NOW).total == 0
            (walked,) = [statement for statement in asked if statement.startswith("SELECT run.id FROM run ")]
            plan = " ".join(row[3] for row in driver.execute(f"EXPLAIN QUERY PLAN {walked}"))
        finally:
            driver.set_trace_callback(None)
    assert "SEARCH run USING INTEGER PRIMARY KEY" in plan
    assert pick.FEW > COUNT


def test_a_record_from_before_is_found_by_its_words_and_counted(tmp_path: Path) -> None:
    home = Home(tmp_path)
    engine = writer_engine(home.database)
    with engine.begin() as connection:
        command.upgrade(configuration(connection, OURS), "span")
        connection.execute(text("INSERT INTO meta VALUES ('revision', '7')"))
        _put_runs(connection)
        connection.execute(update(Run).where(col(Run.id) == 3).values(reason="the disk is full"))
        line = {"created_at": NOW, "actor": "z", "kind": "q", "subject": "run 3", "message": "it failed", "data": {}}
        connection.execute(insert(Event), [line])
    engine.dispose()
    record = Record.open(home, lambda: from_us(NOW))
    with record.read() as session:
        assert [run.id for run in runs.window(session, "DISK full", "-id", 0, 10, NOW).items] == [3]
        assert [event.id for event in events.window(session, "failed", 0, 10, NOW).items] == [1]
        assert count_by_state(session) == {"queued": COUNT}
    record.close()


_RUNS = text("SELECT id, reason, message FROM run ORDER BY id")


def _asked(key: str, word: str, negated: bool) -> Filter:
    return Filter((Term(key, "~", (word,), negated),))
