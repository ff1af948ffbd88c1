"""Jobs and schedules as rows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from store.wire import JobView, PastRun, RunView, ScheduleView, TimetableView
from tui.rows import jobs as rows
from tui.table.column import Cell, Frame
from tui.text import plain

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
BERLIN = Frame(NOW, ZoneInfo("Europe/Berlin"))


def _schedule(name: str, job: str, **more: object) -> TimetableView:
    view = ScheduleView.model_validate(
        {
            "name": name,
            "job": job,
            "spec": "30 2 * * *",
            "timezone": "Europe/Berlin",
            "overlap": "skip",
            "catch_up": "last",
            "enabled": True,
            "paused_reason": "",
            "broken": "",
            "next_at": NOW + timedelta(hours=12, minutes=30),
            "last_at": None,
            "failures": 0,
            "rev": 1,
            **more,
        }
    )
    return TimetableView(schedule=view, coming=[view.next_at] if view.next_at else [], expected_seconds=None, runs=[])


def _job(name: str, *upstream: str, **more: object) -> JobView:
    kind, _, target = name.partition(":")
    return JobView.model_validate(
        {"name": name, "kind": kind, "target": target, "upstream": list(upstream), "pool": "default", **more}
    )


def _past(id: int, state: str) -> PastRun:
    return PastRun.model_validate({"id": id, "state": state, "took_seconds": 1.0, "at": NOW, "reason": "because"})


def test_a_job_has_a_row_for_each_of_its_schedules_and_one_alone_without() -> None:
    times = [_schedule("nightly", "train:late"), _schedule("weekly", "train:late")]
    found = rows.entries([_job("etl:orders"), _job("train:late")], times)
    assert [entry.key for entry in found] == [("etl:orders", ""), ("train:late", "nightly"), ("train:late", "weekly")]


def test_a_schedule_of_a_job_that_is_gone_is_still_there() -> None:
    found = rows.entries([], [_schedule("old", "etl:gone", broken="the job is gone")])
    assert [entry.key for entry in found] == [("etl:gone", "old")]
    assert rows.standing(found[0].schedule) == Cell("✘ broken", "bad")
    assert rows.why(found[0]) == "the job is gone"


def test_the_next_time_stands_in_both_clocks() -> None:
    schedule = _schedule("nightly", "train:late").schedule
    assert rows.next_here(schedule, BERLIN) == "Jun 16 02:30"
    assert rows.next_utc(schedule, BERLIN) == "00:30Z"
    assert "2026-06-16 02:30:00 CEST   2026-06-16 00:30:00Z" in plain(rows.both_clocks([schedule.next_at], BERLIN))  # type: ignore[list-item]


def test_a_paused_schedule_has_no_next_time_and_says_why() -> None:
    entry = rows.Entry(_job("train:late"), _schedule("nightly", "train:late", enabled=False, paused_reason="holidays"))
    assert rows.next_here(entry.schedule, BERLIN) == "-"
    assert rows.standing(entry.schedule) == Cell("■ paused", "warn")
    assert "holidays" in plain(rows.facts(entry, BERLIN))


def test_a_strip_has_the_newest_run_at_its_right_end_and_that_ones_tone() -> None:
    assert rows.strip([_past(3, "failed"), _past(2, "succeeded"), _past(1, "skipped")]) == Cell("○✔✘", "bad")
    assert rows.strip([]) == Cell("never run", "dim")


def test_the_tree_of_what_a_job_builds_upon_unfolds_each_job_once() -> None:
    last = RunView.model_validate(
        {
            **{"id": 1, "job": "etl:a", "kind": "etl", "target": "a", "state": "failed", "trigger": "manual"},
            **{"actor": "ann", "priority": 0, "pool": "", "attempt": 1, "max_attempts": 1, "created_at": NOW, "rev": 1},
        }
    )
    jobs = [
        _job("etl:a", last=last),
        _job("etl:b", "etl:a"),
        _job("features:c", "etl:b"),
        _job("train:d", "etl:b", "features:c"),
    ]
    assert plain(rows.tree("train:d", {job.name: job for job in jobs})).split("\n") == [
        "train:d  never run",
        "├─ etl:b  never run",
        "│  └─ etl:a  ✘ failed",
        "└─ features:c  never run",
        "   └─ etl:b  never run …",
    ]
