"""What is due is queued once, whatever happened before; overlap, catch-up, jitter and pauses do as they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlmodel import col, select

from daemon.claim import Unended, claim_due, decide, jitter, rewind
from daemon.definitions import first_time
from pipeline.config.jobs import Job
from pipeline.config.schedules import JobSection
from store import lifecycle, queue, schedules
from store.engine import Record
from store.errors import Conflict, NotFound
from store.schedules import GONE, Definition
from store.tables import Event, Run, Schedule
from store.times import SECOND, from_us, to_us
from store.words import Overlap, RunState

JOBS = {
    "etl:flights": Job(name="etl:flights", kind="etl", target="flights", upstream=(), settings=JobSection()),
    "train:late": Job(
        name="train:late", kind="train", target="late", upstream=("etl:flights",), settings=JobSection(priority=3)
    ),
}
HOURLY = Definition(name="hourly", job="train:late", spec={"cron": "0 * * * *"}, upstream=False)


def _sync(record: Record, *definitions: Definition) -> None:
    with record.transaction() as tx:
        now = from_us(tx.now)
        schedules.sync_schedules(tx, definitions, lambda wanted: first_time(wanted.spec, wanted.timezone, now))


def _claim(record: Record) -> list[int]:
    with record.transaction() as tx:
        return claim_due(tx, JOBS)


def _at(record: Record, clock: Any, hour: int, minute: int = 0, day: int = 1) -> list[int]:
    clock.now = datetime(2026, 3, day, hour, minute, tzinfo=UTC)
    return _claim(record)


def _runs(record: Record) -> list[Run]:
    with record.read() as session:
        return list(session.exec(select(Run).order_by(col(Run.id))))


def _row(record: Record, name: str = "hourly") -> Schedule:
    with record.read() as session:
        return schedules.get_schedule(session, name)


def _told(record: Record, kind: str) -> list[str]:
    with record.read() as session:
        return [event.message for event in session.exec(select(Event).where(Event.kind == kind))]


def _end(record: Record, run: int, state: RunState) -> None:
    with record.transaction() as tx:
        lifecycle.start_attempt(tx, run, "nonce")
        lifecycle.settle(tx, run, state, reason="")


# ------------------------------------------------------------------------------------------------------- claiming


def test_what_is_due_becomes_a_run_for_its_nominal_time(record: Record, clock: Any) -> None:
    _sync(record, HOURLY)
    assert _at(record, clock, 12, 59) == []
    (run,) = _at(record, clock, 13, 0)
    (row,) = _runs(record)
    assert (row.id, row.job, row.trigger, row.actor, row.schedule) == (
        run,
        "train:late",
        "schedule",
        "schedule hourly",
        "hourly",
    )
    assert row.scheduled_for == to_us(datetime(2026, 3, 1, 13, tzinfo=UTC))
    assert row.priority == 3
    assert _row(record).next_at == to_us(datetime(2026, 3, 1, 14, tzinfo=UTC))
    assert _claim(record) == []


def test_with_upstream_everything_the_job_builds_upon_is_queued_before_it(record: Record, clock: Any) -> None:
    _sync(record, replace(HOURLY, upstream=True, params={"seed": 7}))
    (run,) = _at(record, clock, 13)
    etl, train = _runs(record)
    assert (etl.job, etl.group, etl.trigger, etl.schedule, etl.params) == ("etl:flights", run, "upstream", None, {})
    assert (train.id, train.group, train.params) == (run, None, {"seed": 7})
    with record.read() as session:
        assert [ready.job for ready in queue.ready_runs(session, to_us(clock()))] == ["etl:flights"]


def test_a_nominal_time_never_gets_a_second_run(record: Record, clock: Any) -> None:
    _sync(record, replace(HOURLY, overlap="allow"))
    _at(record, clock, 13)
    with record.transaction() as tx:
        schedules.get_schedule(tx.session, "hourly").next_at = to_us(datetime(2026, 3, 1, 13, tzinfo=UTC))
    assert _claim(record) == []
    assert len(_runs(record)) == 1


def test_jitter_moves_the_start_and_not_the_nominal_time(record: Record, clock: Any) -> None:
    _sync(record, replace(HOURLY, jitter_s=600))
    _at(record, clock, 13)
    (run,) = _runs(record)
    assert run.scheduled_for == to_us(datetime(2026, 3, 1, 13, tzinfo=UTC))
    assert run.not_before == run.scheduled_for + jitter("hourly", 600)


@given(st.text(min_size=1), st.floats(0.001, 1e5))
def test_jitter_is_the_same_for_a_name_and_within_its_bound(name: str, seconds: float) -> None:
    assert 0 <= jitter(name, seconds) == jitter(name, seconds) < seconds * SECOND


def test_a_schedule_whose_job_is_gone_is_broken_and_stays(record: Record, clock: Any) -> None:
    _sync(record, HOURLY)
    clock.forward(3600)
    with record.transaction() as tx:
        assert claim_due(tx, {}) == []
    row = _row(record)
    assert (row.broken, row.next_at) == ("the project has no job train:late", None)
    assert len(_told(record, "schedule.broken")) == 1


# ------------------------------------------------------------------------------------------------- overlap, decided

TIMES = [datetime(2026, 3, 1, hour, tzinfo=UTC) for hour in (10, 11, 12)]


@pytest.mark.parametrize(
    ("overlap", "unended", "kept", "cancelled"),
    [
        ("skip", Unended([], []), 3, []),
        ("skip", Unended([], [4]), 0, []),
        ("skip", Unended([5], []), 0, []),
        ("queue_one", Unended([], []), 1, []),
        ("queue_one", Unended([], [4]), 1, []),
        ("queue_one", Unended([5], [4]), 0, []),
        ("queue_all", Unended([5], [4]), 3, []),
        ("cancel_running", Unended([], []), 3, []),
        ("cancel_running", Unended([5], [4]), 1, [4, 5]),
        ("allow", Unended([5], [4]), 3, []),
    ],
)
def test_overlap_policies_decide_what_is_queued_and_what_is_ended(
    overlap: Overlap, unended: Unended, kept: int, cancelled: list[int]
) -> None:
    decision = decide(overlap, TIMES, unended)
    assert decision.times == TIMES[3 - kept :]
    assert decision.cancel == cancelled
    assert bool(decision.reason) == (kept < 3)


@given(
    overlap=st.sampled_from(["skip", "queue_one", "queue_all", "cancel_running", "allow"]),
    count=st.integers(0, 4),
    waiting=st.lists(st.integers(1, 9), max_size=2),
    active=st.lists(st.integers(10, 19), max_size=2),
)
def test_no_overlap_policy_invents_a_time_or_ends_a_run_for_nothing(
    overlap: Overlap, count: int, waiting: Sequence[int], active: Sequence[int]
) -> None:
    times = [TIMES[0] + timedelta(hours=n) for n in range(count)]
    decision = decide(overlap, times, Unended(list(waiting), list(active)))
    assert decision.times == times[len(times) - len(decision.times) :]
    assert not decision.cancel or (overlap == "cancel_running" and decision.times)


# -------------------------------------------------------------------------------------------------- overlap, claimed


def test_skip_leaves_out_a_time_while_the_run_before_has_not_ended_and_says_so(record: Record, clock: Any) -> None:
    _sync(record, HOURLY)
    (first,) = _at(record, clock, 13)
    assert _at(record, clock, 14) == []
    assert _told(record, "schedule.skipped") == [
        f"schedule hourly: 1 due run(s) left out: run {first} has not ended (overlap = skip)"
    ]
    _end(record, first, "succeeded")
    assert len(_at(record, clock, 15)) == 1


def test_queued_runs_of_one_schedule_start_one_after_another(record: Record, clock: Any) -> None:
    _sync(record, replace(HOURLY, overlap="queue_all"))
    (first,), (second,), (third,) = (_at(record, clock, hour) for hour in (13, 14, 15))
    for run in (first, second, third):
        with record.read() as session:
            assert [row.id for row in queue.ready_runs(session, to_us(clock()))] == [run]
        _end(record, run, "succeeded")


def test_allow_lets_them_run_at_once(record: Record, clock: Any) -> None:
    _sync(record, replace(HOURLY, overlap="allow"))
    runs = [*_at(record, clock, 13), *_at(record, clock, 14)]
    with record.read() as session:
        assert [row.id for row in queue.ready_runs(session, to_us(clock()))] == runs


def test_cancel_running_ends_what_goes_on_and_queues_the_new_run(record: Record, clock: Any) -> None:
    _sync(record, replace(HOURLY, overlap="cancel_running"))
    (first,) = _at(record, clock, 13)
    with record.transaction() as tx:
        lifecycle.start_attempt(tx, first, "nonce")
    (second,) = _at(record, clock, 14)
    (third,) = _at(record, clock, 15)
    states = {run.id: (run.state, run.cancel_requested) for run in _runs(record)}
    assert states == {
        first: ("starting", "schedule hourly"),
        second: ("cancelled", None),
        third: ("queued", None),
    }


# ---------------------------------------------------------------------------------------------------- after downtime


def test_after_eight_days_down_there_is_one_run_and_a_word_about_the_others(record: Record, clock: Any) -> None:
    _sync(record, replace(HOURLY, spec={"every_s": 1.0}))
    clock.forward(8 * 86_400 + 1)
    assert len(_claim(record)) == 1
    assert _told(record, "schedule.missed") == [
        "schedule hourly: what was missed, 2026-03-01 12:00:01 to 2026-03-09 12:00:00 UTC, is not run (catch_up = last)"
    ]


ONCE = Definition(
    name="hourly", job="train:late", spec={"at_us": to_us(datetime(2026, 3, 1, 9, tzinfo=UTC))}, upstream=False
)
"""Three hours before the clock of these tests begins."""


def test_a_single_time_that_passed_before_the_daemon_knew_of_it_is_caught_up_once(record: Record, clock: Any) -> None:
    _sync(record, ONCE)
    (run,) = _claim(record)
    (row,) = _runs(record)
    assert (row.id, row.scheduled_for) == (run, ONCE.spec["at_us"])
    assert _row(record).next_at is None
    _sync(record, ONCE)  # as at each start
    assert _claim(record) == []
    assert _told(record, "schedule.missed") == []


@pytest.mark.parametrize(("policy", "window"), [("none", 86_400.0), ("last", 3600.0), ("all", 3600.0)])
def test_a_single_time_that_passed_too_long_ago_is_told_as_missed(
    record: Record, clock: Any, policy: Any, window: float
) -> None:
    _sync(record, replace(ONCE, catch_up=policy, catch_up_window_s=window))
    assert _claim(record) == []
    assert _row(record).next_at is None
    assert _told(record, "schedule.missed") == [
        f"schedule hourly: what was missed, 2026-03-01 09:00:00 UTC, is not run (catch_up = {policy})"
    ]
    assert _claim(record) == []


def test_a_single_time_that_had_its_run_is_not_missed_when_its_schedule_comes_back(record: Record, clock: Any) -> None:
    _sync(record, ONCE)
    _claim(record)
    _sync(record)
    clock.forward(7 * 86_400)
    _sync(record, ONCE)
    assert _claim(record) == []
    assert len(_runs(record)) == 1
    assert _told(record, "schedule.missed") == []


def test_a_single_time_that_fell_into_a_pause_is_told_when_the_schedule_is_resumed(record: Record, clock: Any) -> None:
    soon = replace(ONCE, spec={"at_us": to_us(clock() + timedelta(hours=1))})
    _sync(record, soon)
    with record.transaction() as tx:
        schedules.pause(tx, "hourly", "ann")
    clock.forward(7200)
    assert _claim(record) == []
    with record.transaction() as tx:
        schedules.resume(tx, "hourly", "ann", None)
    assert _claim(record) == []
    assert _told(record, "schedule.missed") == [
        "schedule hourly: its time, 2026-03-01 13:00:00 UTC, fell into the pause and is not made up"
    ]


@pytest.mark.slow
def test_catching_up_all_queues_each_missed_time_oldest_first(record: Record, clock: Any) -> None:
    _sync(record, replace(HOURLY, catch_up="all", catch_up_window_s=4 * 3600.0))
    _at(record, clock, 18, 30)
    hours = [from_us(run.scheduled_for).hour for run in _runs(record) if run.scheduled_for is not None]
    assert hours == [15, 16, 17, 18]


def test_catching_up_all_goes_on_where_one_claim_ends_and_takes_its_own_runs_for_no_overlap(
    record: Record, clock: Any
) -> None:
    _sync(record, replace(HOURLY, catch_up="all", catch_up_window_s=30 * 86_400.0))
    claimed = [len(_at(record, clock, 0, 30, day=11)), *(len(_claim(record)) for _ in range(2))]
    assert (claimed, _told(record, "schedule.skipped")) == ([100, 100, 28], [])
    assert _at(record, clock, 1, 0, day=11) == []
    assert _told(record, "schedule.skipped") == [
        "schedule hourly: 1 due run(s) left out: run 1 has not ended (overlap = skip)"
    ]


def test_a_clock_set_back_lets_the_hours_in_between_be_due_but_none_twice(record: Record, clock: Any) -> None:
    _sync(record, replace(HOURLY, overlap="allow"))
    _at(record, clock, 13)
    _at(record, clock, 17)  # the clock was wrong: 14, 15 and 16 never were
    clock.now = datetime(2026, 3, 1, 13, 30, tzinfo=UTC)
    with record.transaction() as tx:
        rewind(tx)
    for hour in (14, 15, 16, 17, 18):
        _at(record, clock, hour)
    hours = [from_us(run.scheduled_for).hour for run in _runs(record) if run.scheduled_for is not None]
    assert hours == [13, 17, 14, 15, 16, 18]


# ------------------------------------------------------------------------------------------------- rows and the file


def test_the_rows_follow_the_project_file_and_each_difference_is_told(record: Record, clock: Any) -> None:
    _sync(record, HOURLY)
    assert _told(record, "schedule.added") == ["schedule hourly runs train:late 0 * * * *"]
    _sync(record, HOURLY)
    changed = replace(HOURLY, spec={"cron": "30 * * * *"}, overlap="allow")
    _sync(record, changed)
    assert _told(record, "schedule.changed") == ["schedule hourly has another overlap, spec"]
    assert _row(record).next_at == to_us(datetime(2026, 3, 1, 12, 30, tzinfo=UTC))
    _sync(record)
    assert (_row(record).broken, _row(record).next_at) == (GONE, None)
    _sync(record)
    assert len(_told(record, "schedule.gone")) == 1
    _sync(record, changed)
    assert _row(record).broken == ""
    assert _row(record).next_at is not None
    assert len(_told(record, "schedule.mended")) == 1


def test_an_unchanged_schedule_keeps_its_time_so_that_it_can_be_caught_up(record: Record, clock: Any) -> None:
    _sync(record, HOURLY)
    clock.forward(5 * 3600)
    _sync(record, HOURLY)
    assert _row(record).next_at == to_us(datetime(2026, 3, 1, 13, tzinfo=UTC))
    assert len(_claim(record)) == 1


def test_what_is_paused_stays_paused_through_a_change_of_the_file(record: Record, clock: Any) -> None:
    _sync(record, HOURLY)
    with record.transaction() as tx:
        assert schedules.pause(tx, "hourly", "ann", "holiday").paused_reason == "holiday"
    _sync(record, replace(HOURLY, spec={"cron": "30 * * * *"}))
    assert not _row(record).enabled
    assert _at(record, clock, 18) == []
    with record.read() as session:
        assert schedules.next_due(session) is None
        assert schedules.list_schedules(session)[0].next_at is None
    with record.transaction() as tx, pytest.raises(Conflict, match="paused already"):
        schedules.pause(tx, "hourly", "ann")


def test_a_resumed_schedule_goes_on_from_now(record: Record, clock: Any) -> None:
    _sync(record, HOURLY)
    with record.transaction() as tx:
        schedules.pause(tx, "hourly", "ann")
    clock.forward(5.5 * 3600)
    with record.transaction() as tx:
        next_at = first_time(HOURLY.spec, "UTC", from_us(tx.now))
        assert schedules.resume(tx, "hourly", "ann", next_at).enabled
    assert _claim(record) == []
    assert len(_at(record, clock, 18)) == 1
    with record.transaction() as tx, pytest.raises(Conflict, match="is not paused"):
        schedules.resume(tx, "hourly", "ann", None)


def test_failures_in_a_row_pause_a_schedule_and_a_success_forgives_them(record: Record, clock: Any) -> None:
    _sync(record, replace(HOURLY, pause_after_failures=2))
    outcomes: list[RunState] = ["failed", "succeeded", "lost", "cancelled", "failed"]
    for hour, outcome in enumerate(outcomes, start=13):
        (run,) = _at(record, clock, hour)
        assert _row(record).enabled
        _end(record, run, outcome)
    row = _row(record)
    assert (row.enabled, row.failures) == (False, 2)
    assert row.paused_reason == f"2 runs in a row did not succeed, the last was run {run}"
    assert _at(record, clock, 20) == []


def test_a_schedule_that_is_not_there_is_named(record: Record) -> None:
    with record.transaction() as tx, pytest.raises(NotFound, match="there is no schedule nightly"):
        schedules.pause(tx, "nightly", "ann")


@pytest.mark.parametrize(
    ("spec", "text"),
    [
        ({"cron": "0 3 * * *"}, "0 3 * * *"),
        ({"every_s": 21_600.0}, "every 6h"),
        ({"every_s": 90.0}, "every 90s"),
        ({"every_s": 0.25}, "every 0.25s"),
        ({"at_us": 1_772_330_400_000_000}, "once at 2026-03-01 02:00:00 UTC"),
    ],
)
def test_times_are_described_for_people(spec: dict[str, Any], text: str) -> None:
    assert schedules.describe(spec) == text
