"""Jobs with their last runs, the queue with its reasons, timetables and backfills over the API."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import select

from daemon.core import Daemon
from daemon.recordfacts import record_facts
from store import lifecycle, schedules
from store.schedules import Definition
from store.tables import Run
from store.times import from_us, to_us
from store.wire import BackfillRequest, RunRequest
from store.words import RunState
from tui.client import Client
from tui.failure import ClientError

HOUR = timedelta(hours=1)


def end(daemon: Daemon, run: int, state: RunState = "succeeded") -> None:
    with daemon.record.transaction() as tx:
        lifecycle.start_attempt(tx, run, "nonce")
    with daemon.record.transaction() as tx:
        lifecycle.settle(tx, run, state, reason="")


def hourly(daemon: Daemon, **fields: object) -> None:
    """A schedule whose times have all passed without a run."""
    usual: dict[str, Any] = {"name": "hourly", "job": "etl:orders", "spec": {"every_s": 3600}, "upstream": False}
    wanted = Definition(**{**usual, **fields})
    with daemon.record.transaction() as tx:
        schedules.sync_schedules(tx, [wanted], lambda _: to_us(from_us(tx.now) + HOUR))


def last_hours(daemon: Daemon, hours: int, limit: int = 100) -> BackfillRequest:
    now = daemon.clock().replace(minute=0, second=0, microsecond=0)
    return BackfillRequest(start=now - hours * HOUR, end=now, limit=limit)


# ------------------------------------------------------------------------------------------------------------ jobs


def test_a_job_shows_its_last_runs_newest_first_and_how_long_it_takes(client: Client, daemon: Daemon) -> None:
    for state in ("succeeded", "failed", "succeeded"):
        end(daemon, client.submit(RunRequest(job="etl:orders")).id, state)
    waiting = client.submit(RunRequest(job="etl:orders")).id
    job = next(job for job in client.jobs() if job.name == "etl:orders")
    assert [run.state for run in job.history] == ["queued", "succeeded", "failed", "succeeded"]
    assert job.last is not None
    assert job.last.id == job.history[0].id == waiting
    assert (job.history[0].took_seconds, job.history[1].took_seconds is not None) == (None, True)
    assert job.expected_seconds == pytest.approx(job.history[1].took_seconds, abs=1.0)
    assert client.jobs()[1].expected_seconds is None


def test_a_strip_has_thirty_runs_however_many_there_were(client: Client) -> None:
    for _ in range(35):
        client.submit(RunRequest(job="backup"))
    history = client.jobs()[-1].history
    assert [run.id for run in history] == list(range(35, 5, -1))


def test_a_job_names_the_schedules_that_ask_for_it(client: Client, daemon: Daemon) -> None:
    hourly(daemon)
    assert client.jobs()[0].schedules == ["hourly"]


# ----------------------------------------------------------------------------------------------------------- queue


def test_the_queue_is_in_the_order_of_service_and_says_why_each_waits(client: Client, daemon: Daemon) -> None:
    client.submit(RunRequest(job="train:late", upstream=True))
    urgent = client.submit(RunRequest(job="backup", priority=5)).id
    view = client.queue()
    assert [(q.place, q.run.id) for q in view.waiting] == [(1, urgent), (2, 1), (3, 2)]
    assert view.waiting[2].why == "waits for run 1"
    assert view.total == 3
    assert client.queue(limit=1).total == 3


def test_a_full_disk_is_told_as_the_reason_of_all_who_wait(client: Client, daemon: Daemon) -> None:
    client.submit(RunRequest(job="backup"))
    assert client.queue().waiting[0].why == "starts next"
    daemon._draining = True
    assert client.queue().waiting[0].why.startswith("no run is started: the daemon is draining")


# -------------------------------------------------------------------------------------------------------- schedules


def test_a_timetable_has_the_times_to_come_and_the_runs_of_the_last_ones(client: Client, daemon: Daemon) -> None:
    hourly(daemon)
    client.backfill("hourly", last_hours(daemon, 3))
    (view,) = client.timetable(count=2, past=2).items
    assert [at.minute for at in view.coming] == [0, 0]
    assert view.coming[0] > daemon.clock()
    assert [run.id for run in view.runs] == [3, 2], "by their times, the newest first"


def test_timetables_are_paged_by_name(client: Client, http: object, daemon: Daemon) -> None:
    definitions = [Definition(name=name, job="backup", spec={"every_s": 60}) for name in ("a", "b", "c")]
    with daemon.record.transaction() as tx:
        schedules.sync_schedules(tx, definitions, lambda _: None)
    first = client._get(type(client.timetable()), "/timetable", limit=2)
    second = client.timetable(after=first.next)
    assert [view.schedule.name for view in [*first.items, *second.items]] == ["a", "b", "c"]
    assert second.next is None


# --------------------------------------------------------------------------------------------------------- backfill


@pytest.mark.slow
def test_a_backfill_is_planned_then_carried_out_once(client: Client, daemon: Daemon) -> None:
    hourly(daemon)
    request = last_hours(daemon, 4)
    plan = client.backfill_plan("hourly", request)
    assert (plan.new, plan.left, [time.run for time in plan.times]) == (4, 0, [None] * 4)
    assert plan.times[0].at == request.start
    done = client.backfill("hourly", request)
    assert done.runs == [1, 2, 3, 4]
    again = client.backfill("hourly", request)
    assert (again.runs, [time.run for time in again.plan.times]) == ([], [1, 2, 3, 4])
    run = client.run(1).run
    assert (run.trigger, run.schedule, run.scheduled_for, run.priority) == ("backfill", "hourly", request.start, -1)
    assert run.actor != "daemon"
    (event,) = [e for e in client.events(subject="schedule hourly").items if e.kind == "schedule.backfilled"]
    assert (event.actor, event.data["runs"]) == (run.actor, [1, 2, 3, 4])


def test_a_backfill_of_a_plan_that_no_longer_holds_is_refused(client: Client, daemon: Daemon) -> None:
    hourly(daemon)
    request = last_hours(daemon, 4)
    shown = client.backfill_plan("hourly", request)
    one = request.model_copy(update={"limit": 1})
    client.backfill("hourly", one)
    stale = request.model_copy(update={"token": shown.token})
    with pytest.raises(ClientError, match="does not hold any more: 3 times of hourly would get a run") as error:
        client.backfill("hourly", stale)
    assert error.value.problem().status == 409
    assert client.queue().total == 1
    fresh = client.backfill_plan("hourly", request)
    assert client.backfill("hourly", request.model_copy(update={"token": fresh.token})).runs == [2, 3, 4]


def test_another_schedule_makes_another_plan(client: Client, daemon: Daemon) -> None:
    hourly(daemon)
    request = last_hours(daemon, 4)
    shown = client.backfill_plan("hourly", request)
    with daemon.record.transaction() as tx:
        schedules.get_schedule(tx.session, "hourly").params = {"seed": 7}
    with pytest.raises(ClientError, match="does not hold any more"):
        client.backfill("hourly", request.model_copy(update={"token": shown.token}))


def test_what_runs_for_a_time_of_a_schedule_knows_it_also_upstream_of_it(client: Client, daemon: Daemon) -> None:
    hourly(daemon, job="train:late", upstream=True)
    client.backfill("hourly", last_hours(daemon, 1))
    asked = client.submit(RunRequest(job="etl:orders"))
    with daemon.record.read() as session:
        slots = {row.id: record_facts(session, row, daemon.project).scheduled_for for row in session.exec(select(Run))}
    (last,) = [run for run in client.queue().waiting if run.run.schedule == "hourly"]
    assert last.run.scheduled_for is not None
    assert slots.pop(asked.id) is None
    assert set(slots.values()) == {last.run.scheduled_for}
    assert len(slots) > 1


def test_a_backfill_goes_on_where_its_limit_stopped_it(client: Client, daemon: Daemon) -> None:
    hourly(daemon)
    request = last_hours(daemon, 5, limit=2)
    assert client.backfill_plan("hourly", request).left == 3
    assert [client.backfill("hourly", request).runs for _ in range(4)] == [[1, 2], [3, 4], [5], []]


def test_a_backfill_leaves_the_future_to_the_schedule(client: Client, daemon: Daemon) -> None:
    hourly(daemon)
    now = daemon.clock()
    plan = client.backfill_plan("hourly", BackfillRequest(start=now - 2 * HOUR, end=now + 9 * HOUR))
    assert plan.new == 2
    assert plan.end <= daemon.clock()
    with pytest.raises(ClientError, match="there is nothing between"):
        client.backfill("hourly", BackfillRequest(start=now + HOUR, end=now + 2 * HOUR))


def test_a_backfill_without_an_end_is_refused_with_a_shorter_span(client: Client, daemon: Daemon) -> None:
    hourly(daemon)
    long = BackfillRequest(start=datetime(2000, 1, 1, tzinfo=UTC), end=daemon.clock())
    with pytest.raises(ClientError, match="more than 5,000 times") as refused:
        client.backfill_plan("hourly", long)
    assert "shorter span" in refused.value.remedy


def test_a_schedule_that_rests_is_not_made_up_for(client: Client, daemon: Daemon) -> None:
    hourly(daemon, broken="the project has no job etl:orders")
    with pytest.raises(ClientError, match="cannot run"):
        client.backfill("hourly", last_hours(daemon, 2))


def test_failures_of_a_backfill_do_not_pause_its_schedule(client: Client, daemon: Daemon) -> None:
    hourly(daemon, pause_after_failures=1)
    (run,) = client.backfill("hourly", last_hours(daemon, 1)).runs
    end(daemon, run, "failed")
    (schedule,) = [view for view in client.schedules() if view.name == "hourly"]
    assert (schedule.enabled, schedule.failures) == (True, 0)


def test_what_is_due_does_not_wait_behind_a_backfill(client: Client, daemon: Daemon) -> None:
    from store import queue

    hourly(daemon)
    client.backfill("hourly", last_hours(daemon, 3))
    with daemon.record.transaction() as tx:
        schedules.get_schedule(tx.session, "hourly").next_at = tx.now - 1_000_000
    with daemon.record.transaction() as tx:
        from daemon.claim import claim_due

        (due,) = claim_due(tx, daemon.jobs)
    with daemon.record.read() as session:
        assert [run.id for run in queue.ready_runs(session, to_us(daemon.clock()))] == [due]
    assert [q.run.id for q in client.queue().waiting] == [due, 1, 2, 3]
