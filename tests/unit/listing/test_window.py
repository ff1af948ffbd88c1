"""Lists by position: every window is a slice of the whole list, whichever index it was picked from, and SQL and
`matches` agree on what a filter leaves over."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert, text

from store.engine import Record
from store.errors import Refused
from store.home import Home
from store.listing import events, pick, runs
from store.metrics import Chunk, add_points
from store.patience import Stopped, driver_of, within
from store.tables import Event, Run
from store.times import SECOND, from_us, to_us
from store.wire.filter import Filter, Term, Value, matches, parse
from tests.unit.listing.memory import event_fields, run_fields

NOW = to_us(datetime(2026, 3, 1, 12, tzinfo=UTC))
COUNT = 240
STATES = ("succeeded", "failed", "queued", "running", "skipped")
SORTS = ["id", "job", "state", "actor", "priority", "created", "ended", "took"]


def _run(number: int) -> dict[str, Any]:
    state = STATES[number * 7 % 5]
    target = ("late", "Flights", "50%_off")[number % 3]
    created = NOW - (COUNT - number) * 60 * SECOND + (number % 4) * 90 * SECOND
    started = None if state == "queued" else created + number % 5 * SECOND
    ended = None if state in ("queued", "running") else (started or 0) + number * 37 % 900 * SECOND
    return {
        "id": number,
        "job": f"train:{target}",
        "kind": "train",
        "target": target,
        "state": state,
        "reason": "disk FULL: 3 MB" if state == "failed" else "",
        "trigger": "schedule" if number % 2 else "manual",
        "actor": ("ann", "Bob", "daemon")[number % 11 % 3],
        "schedule": "nightly" if number % 2 else None,
        "scheduled_for": number if number % 2 else None,
        "group": number // 10 if number % 5 == 0 else None,
        "params": {},
        "force": False,
        "priority": number % 3 - 1,
        "created_at": created,
        "started_at": started,
        "ended_at": ended,
        "message": f"late {number}" if state == "succeeded" else "",
        "attempt": 1,
    }


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Record]:
    record = Record.open(Home(tmp_path_factory.mktemp("filled")), lambda: from_us(NOW))
    with record.transaction() as tx:
        tx.connection.execute(insert(Run), [_run(number) for number in range(1, COUNT + 1)])
        for number in range(2, COUNT, 3):
            values: dict[str, list[float | None]] = {
                "validation/auc": [number * 13 % 50 / 50 if number % 4 else None],
                "train/loss": [float(number)],
            }
            add_points(tx, [Chunk(number, NOW, [1], {"train/loss": [0.0], "goodput": [0.5]})])
            add_points(tx, [Chunk(number, NOW, [2], values)])
        tx.connection.execute(insert(Event), [_event(number) for number in range(1, COUNT + 1)])
    yield record
    record.close()


def _event(number: int) -> dict[str, Any]:
    return {
        "id": number,
        "created_at": NOW - (COUNT - number) * 60 * SECOND,
        "actor": ("ann", "daemon")[number % 2],
        "kind": ("run.failed", "run.queued", "alias.promote")[number % 3],
        "subject": f"run {number % 20}",
        "message": "No space_left 100%" if number % 7 else "promoted",
        "data": {},
    }


@pytest.fixture(params=[0, 50, pick.FEW], ids=["walk", "mixed", "sort"])
def ways(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    """Small tables would take one way through the indexes only."""
    monkeypatch.setattr(pick, "FEW", request.param)
    monkeypatch.setattr(pick, "_NEAR", request.param)
    return int(request.param)


def _ids(record: Record, q: str = "", sort: str = "-id", offset: int = 0, limit: int = 500) -> list[int]:
    with record.read() as session:
        return [run.id for run in runs.window(session, q, sort, offset, limit, NOW).items]


@pytest.fixture(scope="module")
def rows(filled: Record) -> dict[int, dict[str, Value]]:
    """Every run as a filter sees it, with its metrics."""
    with filled.read() as session:
        views = runs.views(session, list(range(1, COUNT + 1)), NOW)
        latest = "SELECT l.run, k.name, l.value FROM metric_latest l JOIN metric_key k ON k.id = l.key"
        found = session.connection().execute(text(latest)).all()
    seen = {view.id: run_fields(view, from_us(NOW)) for view in views}
    for run, name, value in found:
        seen[run][name] = value
    return seen


def _terms(keys: Sequence[str], op: str | None, values: Sequence[str], *, most: int = 1) -> st.SearchStrategy[Term]:
    """Terms with one of the keys, the sign (None: one that orders) and up to `most` of the values."""
    signs = st.just(op) if op else st.sampled_from(["<", "<=", ">", ">="])
    given = st.lists(st.sampled_from(values), min_size=1, max_size=most).map(tuple)
    return st.builds(Term, st.sampled_from(keys), signs, given, st.booleans())


_TEXTS = ["late", "LATE", "flights", "50%_", "%", "_", "ann", "b", "disk full", "nightly", "manual", "9"]
_TEXT_KEYS = ["job", "state", "reason", "message", "trigger", "actor", "schedule", "kind", "target", "pool"]
_EXACT = ["train:late", "failed", "running", "daemon", "nightly", "", "Bob", "late 7"]
_NUMBERS = ["0", "1", "-1", "7", "100", "0.5"]
_NUMBER_KEYS = ["id", "group", "priority", "attempt", "validation/auc", "train/loss"]
_TIMES = ["2h", "90m", "61m", "0s", "2026-03-01T10:00", "2026-02"]
_TERMS = st.one_of(
    _terms([""], "~", _TEXTS),
    _terms(_TEXT_KEYS, "~", [*_TEXTS, ""]),
    _terms(_TEXT_KEYS, "=", _EXACT, most=3),
    _terms(_NUMBER_KEYS, "=", [*_NUMBERS, ""], most=2),
    _terms(_NUMBER_KEYS, None, _NUMBERS),
    _terms(["created", "started", "ended"], None, _TIMES),
    _terms(["took"], None, ["5m", "100", "0", "2h"]),
    _terms(["took", "ended", "started"], "=", [""]),
)


@pytest.mark.slow
@given(st.lists(_TERMS, max_size=3), st.sampled_from([0, 50, pick.FEW]))
def test_the_record_and_memory_agree_on_what_a_filter_leaves_over(
    filled: Record, rows: dict[int, dict[str, Value]], terms: list[Term], few: int
) -> None:
    found, now = Filter(tuple(terms)), from_us(NOW)
    expected = [run for run, row in rows.items() if matches(found, row, now, runs.RUNS.words)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pick, "FEW", few)
        assert _ids(filled, str(found), "id") == expected
        with filled.read() as session:
            assert runs.count_runs(session, str(found), "id", NOW) == len(expected)


@pytest.mark.parametrize("sort", [sign + name for name in SORTS for sign in ("", "-")])
@pytest.mark.parametrize("q", ["", "state=failed", "state=failed,succeeded late", "auc>0.3", "zzz", 'ended=""'])
def test_every_window_is_a_slice_of_the_whole_list(
    filled: Record, rows: dict[int, dict[str, Value]], ways: int, q: str, sort: str
) -> None:
    rows = _left(rows, q)
    name, down = sort.removeprefix("-"), sort.startswith("-")
    known = [run for run in rows if rows[run][name] is not None]
    if name == "took":  # of a run that has not ended it is shown and filtered, not sorted by
        known = [run for run in known if rows[run]["ended"] is not None]
    whole = sorted(known, key=lambda run: (rows[run][name], run), reverse=down)
    whole += sorted(rows.keys() - set(known), reverse=down)
    for offset in (0, 1, len(whole) // 2, len(whole) - 3, len(whole), len(whole) + 10):
        with filled.read() as session:
            window = runs.window(session, q, sort, max(offset, 0), 7, NOW)
        assert [run.id for run in window.items] == whole[max(offset, 0) :][:7]
        assert window.total in (len(whole), None)
    with filled.read() as session:
        assert runs.window(session, q, sort, 0, 500, NOW).total == len(whole)


def _left(rows: dict[int, dict[str, Value]], q: str) -> dict[int, dict[str, Value]]:
    found = parse(q.replace("auc", "validation/auc"))
    return {run: row for run, row in rows.items() if matches(found, row, from_us(NOW), runs.RUNS.words)}


@pytest.mark.parametrize("q", ["", "state=failed", "late", "priority>0 actor!=ann"])
@pytest.mark.parametrize("sort", ["metric:validation/auc", "-metric:auc"])
def test_sorted_by_a_metric_the_list_holds_the_runs_that_have_it(
    filled: Record, rows: dict[int, dict[str, Value]], ways: int, q: str, sort: str
) -> None:
    rows = _left(rows, q)
    having = [run for run in rows if rows[run].get("validation/auc") is not None]
    whole = sorted(having, key=lambda run: (rows[run]["validation/auc"], run), reverse=sort.startswith("-"))
    for offset in (0, len(whole) // 2, max(0, len(whole) - 2)):
        assert _ids(filled, q, sort, offset, 5) == whole[offset:][:5]
    with filled.read() as session:
        assert runs.count_runs(session, q, sort, NOW) == len(whole)


def test_a_hole_in_the_ids_shifts_nothing(filled: Record, tmp_path: Path) -> None:
    record = Record.open(Home(tmp_path), lambda: from_us(NOW))
    with record.transaction() as tx:
        tx.connection.execute(insert(Run), [_run(number) for number in range(1, 11) if number not in (4, 9)])
    assert _ids(record, "", "-id", 1, 4) == [8, 7, 6, 5]
    assert _ids(record, "", "id", 6, 4) == [8, 10]
    record.close()


def test_an_empty_record_has_an_empty_list(tmp_path: Path) -> None:
    record = Record.open(Home(tmp_path), lambda: from_us(NOW))
    with record.read() as session:
        for sort in ("-id", "took", "-job"):
            window = runs.window(session, "", sort, 0, 10, NOW)
            assert (window.items, window.total) == ([], 0)
        assert runs.count_runs(session, "state=failed", "id", NOW) == 0
        assert events.window(session, "", 0, 10, NOW).total == 0
    record.close()


_EVENT_TERMS = st.one_of(
    _terms([""], "~", ["ANN", "run", "100%", "space_", "promot"]),
    _terms(["actor", "kind", "subject", "message"], "~", _TEXTS),
    _terms(["actor", "kind", "subject"], "=", ["ann", "run.failed", "run 7", ""], most=3),
    _terms(["time"], None, _TIMES),
)


@pytest.mark.slow
@given(st.lists(_EVENT_TERMS, max_size=3))
def test_events_are_filtered_alike(filled: Record, terms: list[Term]) -> None:
    found = Filter(tuple(terms))
    with filled.read() as session:
        every = events.window(session, "", 0, 500, NOW)
        left = events.window(session, str(found), 0, 500, NOW)
        assert events.count_events(session, str(found), NOW) == len(left.items)
    fitting = [
        event.id for event in every.items if matches(found, event_fields(event), from_us(NOW), events.EVENTS.words)
    ]
    assert [event.id for event in left.items] == fitting
    assert every.total == COUNT


@pytest.mark.parametrize(
    ("q", "sort", "what"),
    [
        ("stat=failed", "-id", "stat is no field of runs and no metric"),
        ("job<5", "-id", "job is text"),
        ("priority~5", "-id", "priority is a number"),
        ("priority=high", "-id", "priority is a number"),
        ("created>5", "-id", "created is a time"),
        ("created=2026-03-01", "-id", "created is a time"),
        ("took>2026-03-01", "-id", "took is a duration"),
        ("auc~7", "-id", "validation/auc is a metric"),
        ("loss<abc", "-id", "'abc' is no number"),
        ("", "size", "runs cannot be sorted by 'size'"),
        ("", "metric:recall", "no run has a metric recall"),
    ],
)
def test_what_means_nothing_for_the_list_is_refused_with_a_remedy(filled: Record, q: str, sort: str, what: str) -> None:
    with pytest.raises(Refused, match=what) as refused, filled.read() as session:
        runs.window(session, q, sort, 0, 10, NOW)
    assert refused.value.remedy


# ------------------------------------------------------------------------------------------------------- giving up

_ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"


def _after(seconds: float) -> Callable[[], bool]:
    gone = threading.Event()
    threading.Timer(seconds, gone.set).start()
    return gone.is_set


@pytest.mark.parametrize("q", ["a " * 1000, "!a " * 600, "state=failed " * 150 + "id>1 " * 60])
def test_more_terms_than_sqlite_takes_are_refused(filled: Record, q: str) -> None:
    with pytest.raises(Refused, match="terms, and 200 are the most"), filled.read() as session:
        runs.window(session, q, "-id", 0, 10, 0)


def test_a_statement_nobody_waits_for_ends_and_its_connection_goes_on(filled: Record) -> None:
    for _ in range(20):  # more often than there are connections
        began = time.monotonic()
        with pytest.raises(Stopped), filled.read(_after(0.01)) as session:
            driver_of(session).execute(_ENDLESS).fetchall()
        assert time.monotonic() - began < 5
    with filled.read() as session:
        assert driver_of(session).execute("SELECT count(*) FROM run").fetchone() == (COUNT,)


def test_what_takes_too_long_is_left_out_and_what_follows_is_not(filled: Record) -> None:
    with filled.read(lambda: False) as session:
        driver = driver_of(session)
        assert within(session, 0.01, lambda: driver.execute(_ENDLESS).fetchall()) is None
        assert within(session, 5, lambda: driver.execute("SELECT 7").fetchone()) == (7,)
    with pytest.raises(Stopped), filled.read(_after(0.01)) as session:
        within(session, 60, lambda: driver_of(session).execute(_ENDLESS).fetchall())
