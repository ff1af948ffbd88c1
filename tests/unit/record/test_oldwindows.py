"""Old windows of monitors are forgotten, and none on which something rests."""

from __future__ import annotations

import sqlite3
from datetime import timedelta
from pathlib import Path

import pytest

from daemon.oldwindows import OldWindows
from pipeline.config.monitors import KEEP_WINDOWS
from store import alerts, lifecycle, oldwindows, queue, results, watching
from store.engine import Record
from store.facts import REMEMBERED
from store.findings import Finding, Policy
from store.oldwindows import MOST, REPORT, old_windows
from tests.unit.config.test_monitors import project
from tests.unit.record.conftest import HandClock
from tests.unit.record.test_watching import HOUR, put, report, window

FAR = 10**18


def going(record: Record, before: int = FAR) -> list[int]:
    """Hours at which those begin that would be forgotten."""
    with record.read() as session:
        return [start // HOUR for _, start in old_windows(session, "late", before)]


def told(record: Record, since: int, until: int) -> int:
    """A report over these hours."""
    with record.transaction() as tx:
        (number,) = queue.submit(
            tx, [queue.NewRun(job="monitor:late", kind="monitor", target="late", trigger="manual", actor="ann")]
        )
        row = watching.put_report(tx, number, report(since_us=since * HOUR, until_us=until * HOUR))
        assert row is not None
        return row.id or 0


def look(record: Record, number: int | None, *, finds: bool) -> None:
    finding = Finding(kind="drift", subject="distance", severity="warning", title="it moved", reason="by 0.3")
    with record.transaction() as tx:
        alerts.observe(
            tx,
            "monitor:late",
            [finding] if finds else [],
            tx.now,
            number,
            covered={"drift": ["distance"]},
            policy=Policy(),
        )


def test_the_newest_windows_stay_however_old_they_are(record: Record) -> None:
    put(record, *(window(hour) for hour in range(REMEMBERED + 3)))
    assert going(record) == [0, 1, 2]
    assert going(record, before=3 * HOUR) == [0, 1], "the third ends then, and not before"


def test_a_version_that_is_looked_at_keeps_as_many_and_one_that_is_not_keeps_none(record: Record) -> None:
    put(record, *(window(hour, version=1) for hour in range(20)))
    put(record, *(window(hour, version=2) for hour in range(20, 20 + REMEMBERED)))
    assert going(record) == list(range(20)), "version 1 has no window among the newest"
    told(record, 0, 1)  # a report of version 1: it has come back to production
    assert going(record) == []


def test_what_an_open_alert_rests_on_stays_until_it_is_over(record: Record, clock: HandClock) -> None:
    put(record, *(window(hour) for hour in range(REMEMBERED + 9)))
    look(record, told(record, 5, 8), finds=True)
    assert going(record) == [0, 1, 2, 3]
    clock.forward(3600)
    look(record, told(record, 8, 9), finds=False)
    assert going(record) == list(range(9))


def test_what_a_training_follows_from_stays_until_that_has_ended(record: Record) -> None:
    put(record, *(window(hour) for hour in range(REMEMBERED + 9)))
    number = told(record, 4, 8)
    with record.transaction() as tx:
        new = queue.NewRun(job="train:late", kind="train", target="late", trigger="rule", actor="monitor:late")
        (training,) = queue.submit(tx, [new])
        results.put_params(tx, training, {REPORT: number})
    assert going(record) == [0, 1, 2]
    with record.transaction() as tx:
        lifecycle.request_cancel(tx, training, actor="ann")
    assert going(record) == list(range(9))


def test_a_run_that_calls_a_parameter_of_its_own_report_keeps_nothing(record: Record) -> None:
    """Its value was taken for a number: while such a run went on, no window was forgotten, and the round ended."""
    put(record, *(window(hour) for hour in range(REMEMBERED + 9)))
    with record.transaction() as tx:
        (run,) = queue.submit(tx, [queue.NewRun(job="etl:a", kind="etl", target="a", trigger="manual", actor="ann")])
        results.put_params(tx, run, {REPORT: "weekly.html"})
    assert going(record) == list(range(9))


def keeper(record: Record, clock: HandClock, keep: str | None = None) -> OldWindows:
    """Without `keep` the project has no such monitor."""
    late = {"late": {"model": "late", "keep_windows": keep}} if keep else {}
    return OldWindows(record, lambda: project(monitors=late), clock)


def count(record: Record) -> int:
    with record.read() as session:
        return watching.count_windows(session).get("late", 0)


def test_a_monitor_says_how_long_and_one_that_is_gone_keeps_two_years(record: Record, clock: HandClock) -> None:
    now = int(clock.now.timestamp()) // 3600
    many = [*range(now - 24 * 800, now - 24 * 800 + 5), *range(now - 24 * 100, now - 24 * 100 + 5)]
    put(record, *map(window, many), *(window(now - 1 - hour) for hour in range(REMEMBERED)))
    gone = keeper(record, clock)
    gone.tidy()
    assert count(record) == REMEMBERED + 5
    assert timedelta(days=730) == KEEP_WINDOWS
    keeper(record, clock, "off").tidy()
    assert count(record) == REMEMBERED + 5
    keeper(record, clock, "30d").tidy()
    assert count(record) == REMEMBERED


def test_an_hour_passes_between_two_looks_and_many_go_in_parts(record: Record, clock: HandClock) -> None:
    one = keeper(record, clock)
    one.tidy()
    put(record, *(window(hour) for hour in range(REMEMBERED + 2 * MOST + 1)))
    clock.forward(3599)
    one.tidy()
    assert count(record) == REMEMBERED + 2 * MOST + 1
    clock.forward(1)
    one.tidy()
    assert count(record) == REMEMBERED


def test_who_dies_while_windows_are_forgotten_has_forgotten_none_of_that_part(record: Record, tmp_path: Path) -> None:
    put(record, *(window(hour) for hour in range(REMEMBERED + 7)))

    class Died(BaseException):
        pass

    def half_done() -> None:
        with record.transaction() as tx:
            oldwindows.forget(tx, "late", old_windows(tx.session, "late", FAR))
            raise Died

    with pytest.raises(Died):
        half_done()
    with sqlite3.connect(tmp_path / "home" / "trainshed.db") as other:
        assert other.execute("SELECT count(*) FROM watch_window").fetchone() == (REMEMBERED + 7,)
    other.close()
    assert len(going(record)) == 7


def test_a_window_that_was_forgotten_is_no_part_of_another_monitor(record: Record) -> None:
    put(record, *(window(hour) for hour in range(REMEMBERED + 2)))
    with record.transaction() as tx:
        watching.put_windows(tx, "other", [window(hour) for hour in range(REMEMBERED + 2)])
        oldwindows.forget(tx, "late", old_windows(tx.session, "late", FAR))
    with record.read() as session:
        assert watching.count_windows(session) == {"late": REMEMBERED, "other": REMEMBERED + 2}
