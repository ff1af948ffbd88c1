"""The queue and the life of runs: what waits for what, what may follow what, and that each change is told."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import cast, get_args

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func
from sqlmodel import Session, col, select

from daemon.waits import waiting
from store import datasets, lifecycle, progress, queue, runs
from store.engine import Record, Transaction
from store.errors import Conflict, NotFound
from store.facts import DatasetFacts
from store.queue import NewRun
from store.tables import Event, Run, Schedule
from store.times import SECOND, to_us
from store.transitions import MAY_FOLLOW, check_transition
from store.wire import Fault
from store.words import ENDED, GOOD, JobKind, RunState
from tests.examples import examples


def _new(job: str, *, depends_on: tuple[str, ...] = (), priority: int = 0, not_before: int | None = None) -> NewRun:
    kind, _, target = job.partition(":")
    return NewRun(
        job=job,
        kind=cast(JobKind, kind),
        target=target,
        trigger="manual",
        actor="ann",
        priority=priority,
        not_before=not_before,
        depends_on=depends_on,
    )


CHAIN = [
    _new("etl:flights"),
    _new("etl:weather"),
    _new("features:delay", depends_on=("etl:flights", "etl:weather")),
    _new("train:late", depends_on=("features:delay",)),
]


def _submit(record: Record, *jobs: NewRun) -> list[int]:
    with record.transaction() as tx:
        return queue.submit(tx, jobs)


def _settle(record: Record, run: int, state: RunState, reason: str = "", **facts: int | None) -> None:
    """Starts an attempt and ends it."""
    with record.transaction() as tx:
        lifecycle.start_attempt(tx, run, f"nonce of {run}")
        lifecycle.mark_running(tx, run, queue.get_run(tx.session, run).attempt)
        lifecycle.settle(tx, run, state, reason=reason, retry_at=facts.get("retry_at"))


def _states(record: Record) -> dict[str, str]:
    with record.read() as session:
        return {run.job: run.state for run in session.exec(select(Run))}


def _ready(record: Record, now: int | None = None) -> list[str]:
    with record.read() as session:
        return [run.job for run in queue.ready_runs(session, to_us(record._clock()) if now is None else now)]


def _run(session: Session, run: int) -> Run:
    return queue.get_run(session, run)


# ------------------------------------------------------------------------------------------------------ the queue


def test_a_submission_is_one_group_whose_last_run_was_asked_for(record: Record) -> None:
    ids = _submit(record, *CHAIN)
    with record.read() as session:
        groups = [_run(session, run).group for run in ids]
        reasons = [_run(session, run).reason for run in ids]
    assert groups == [ids[-1]] * 3 + [None]
    assert reasons == ["", "", f"waits for run {ids[0]}, {ids[1]}", f"waits for run {ids[2]}"]


def test_what_depends_on_others_is_ready_when_all_of_them_ended_well(record: Record) -> None:
    flights, weather, features, _ = _submit(record, *CHAIN)
    assert _ready(record) == ["etl:flights", "etl:weather"]
    _settle(record, flights, "succeeded")
    assert _ready(record) == ["etl:weather"]
    _settle(record, weather, "skipped")
    assert _ready(record) == ["features:delay"]
    _settle(record, features, "succeeded")
    assert _ready(record) == ["train:late"]


def test_what_a_ready_run_is_there_for_is_known_while_it_is_queued(record: Record) -> None:
    flights, weather, features, train = _submit(record, *CHAIN)

    def towards() -> set[JobKind]:
        with record.read() as session:
            return queue.kinds_towards(session, queue.ready_runs(session, to_us(record._clock())))

    assert towards() == {"etl", "train"}
    for run in (flights, weather, features):
        _settle(record, run, "succeeded")
    assert towards() == {"train"}
    _settle(record, train, "succeeded")
    assert towards() == set()


@pytest.mark.parametrize("kind", ["etl", "train"])
def test_a_long_line_that_moves_one_by_one_holds_up_nobody_behind_it(record: Record, kind: JobKind) -> None:
    """A schedule that was behind, or a backfill, queues thousands: of one line, or of a job that never runs twice."""
    with record.transaction() as tx:
        tx.session.add(
            Schedule(name="often", job=f"{kind}:late", spec={"every_s": 60}, timezone="UTC", overlap="queue_all")
        )
    schedule = "often" if kind == "train" else None
    line = [replace(_new(f"{kind}:late"), kind=kind, schedule=schedule, scheduled_for=at) for at in range(1200)]
    with record.transaction() as tx:
        queue.submit_all(tx, [[one] for one in line])
    _submit(record, _new("train:behind"))
    assert _ready(record) == [f"{kind}:late", "train:behind"]


def test_what_a_time_of_a_schedule_builds_upon_waits_until_the_time_before_has_ended(record: Record) -> None:
    """Or it replaces what that one is about to read: a backfill read data of a later hour, and left that one out."""
    with record.transaction() as tx:
        tx.session.add(Schedule(name="hourly", job="etl:told", spec={"every_s": 3600}, timezone="UTC"))
    hours = replace(_new("etl:hours"), trigger="upstream")
    told = replace(_new("etl:told", depends_on=("etl:hours",)), trigger="backfill", schedule="hourly")
    with record.transaction() as tx:
        one, other = queue.submit_all(tx, [[hours, replace(told, scheduled_for=at)] for at in range(2)])

    def ready() -> list[int | None]:
        with record.read() as session:
            return [run.id for run in queue.ready_runs(session, 0)]

    assert ready() == [one[0]]
    _settle(record, one[0], "succeeded")
    assert ready() == [one[1]]
    with record.read() as session:
        why = {view.run.id: view.why for view in waiting(session, to_us(record._clock()), 9, None)}
    assert why[other[0]] == f"waits for run {one[1]}: the runs of schedule hourly go one after another"
    _settle(record, one[1], "failed", "the source is gone")
    assert ready() == [other[0]]


def test_a_full_pool_holds_up_no_other_pool(record: Record) -> None:
    with record.transaction() as tx:
        queue.submit_all(tx, [[replace(_new("train:big"), pool="gpu")] for _ in range(1200)])
    _submit(record, _new("train:behind"))
    assert _ready(record)[-1] == "train:behind"


def test_what_depends_on_a_failed_run_ends_with_the_reason_to_the_last_link(record: Record) -> None:
    flights, weather, features, train = _submit(record, *CHAIN)
    _settle(record, flights, "failed", "the source is gone")
    assert _states(record) == {
        "etl:flights": "failed",
        "etl:weather": "queued",
        "features:delay": "upstream_failed",
        "train:late": "upstream_failed",
    }
    with record.read() as session:
        assert _run(session, features).reason == f"run {flights} (etl:flights) failed"
        assert _run(session, train).reason == f"run {features} (features:delay) upstream_failed"
    _settle(record, weather, "succeeded")
    assert _states(record)["features:delay"] == "upstream_failed"


def test_the_highest_priority_is_ready_first_and_then_the_oldest(record: Record) -> None:
    _submit(record, _new("train:a"))
    _submit(record, _new("train:b", priority=5))
    _submit(record, _new("train:c"))
    assert _ready(record) == ["train:b", "train:a", "train:c"]


def test_a_run_waits_for_its_time(record: Record) -> None:
    now = to_us(record._clock())
    _submit(record, _new("train:a", not_before=now + 10 * SECOND))
    assert _ready(record) == []
    with record.read() as session:
        assert queue.next_start(session, now) == now + 10 * SECOND
        assert queue.next_start(session, now + 10 * SECOND) is None
    assert _ready(record, now + 10 * SECOND) == ["train:a"]


def test_a_job_that_writes_a_table_never_runs_twice_at_once_and_a_training_may(record: Record) -> None:
    first, _ = _submit(record, _new("etl:flights"))[0], _submit(record, _new("etl:flights"))
    _submit(record, _new("train:late"))
    _submit(record, _new("train:late"))
    assert _ready(record) == ["etl:flights", "train:late", "train:late"]
    with record.transaction() as tx:
        lifecycle.start_attempt(tx, first, "nonce")
    assert _ready(record) == ["train:late", "train:late"]


def test_the_reason_for_waiting_is_told_once(record: Record) -> None:
    (run,) = _submit(record, _new("train:a"))
    with record.transaction() as tx:
        queue.explain_wait(tx, run, "pool default is full")
    before = record.revision
    with record.transaction() as tx:
        queue.explain_wait(tx, run, "pool default is full")
    assert record.revision == before


# ---------------------------------------------------------------------------------------------- attempts and ends


def test_an_attempt_that_will_be_retried_goes_back_to_the_queue_until_its_time(record: Record) -> None:
    (run,) = _submit(record, _new("train:a"))
    now = to_us(record._clock())
    _settle(record, run, "lost", "killed", retry_at=now + 10 * SECOND)
    assert _ready(record) == []
    assert _ready(record, now + 10 * SECOND) == ["train:a"]
    with record.read() as session:
        row = _run(session, run)
        attempt = lifecycle.get_attempt(session, run, 1)
    assert (row.state, row.attempt, attempt.state, attempt.reason) == ("queued", 1, "lost", "killed")
    assert row.reason == "attempt 1 lost: killed; the next one at 12:00:10 UTC"


def test_an_attempt_that_saved_its_work_does_not_count(record: Record) -> None:
    (run,) = _submit(record, _new("train:a"))
    with record.transaction() as tx:
        lifecycle.start_attempt(tx, run, "nonce")
        lifecycle.settle(tx, run, "failed", reason="stopped", retry_at=tx.now, counted=False)
        assert queue.get_run(tx.session, run).max_attempts == 2


def test_the_second_attempt_starts_with_a_clean_slate_and_the_first_start_stays(record: Record) -> None:
    (run,) = _submit(record, _new("train:a"))
    now = to_us(record._clock())
    _settle(record, run, "failed", "boom", retry_at=now)
    with record.transaction() as tx:
        attempt = lifecycle.start_attempt(tx, run, "other", {"device": "gpu:0", "memory": 0.5})
        row = queue.get_run(tx.session, run)
        assert (attempt.number, attempt.nonce, attempt.lease) == (2, "other", {"device": "gpu:0", "memory": 0.5})
        assert (row.state, row.attempt, row.not_before, row.started_at, row.done) == ("starting", 2, None, now, None)


def test_what_an_older_attempt_says_late_changes_nothing(record: Record) -> None:
    (run,) = _submit(record, _new("train:a"))
    _settle(record, run, "failed", "boom", retry_at=to_us(record._clock()))
    with record.transaction() as tx:
        lifecycle.start_attempt(tx, run, "second")
        lifecycle.mark_running(tx, run, 1)
        assert queue.get_run(tx.session, run).state == "starting"


def test_an_end_keeps_its_fault_and_what_the_process_left(record: Record) -> None:
    (run,) = _submit(record, _new("train:a"))
    fault = Fault(code="Diverged", what="the loss is NaN", remedy="a lower learning rate")
    with record.transaction() as tx:
        lifecycle.start_attempt(tx, run, "nonce")
        lifecycle.settle(
            tx, run, "failed", reason="the loss is NaN", fault=fault, exit_code=70, signal=None, peak_rss=5, cpu_s=1.5
        )
    with record.read() as session:
        row, attempt = _run(session, run), lifecycle.get_attempt(session, run, 1)
    assert row.fault == fault.model_dump()
    assert row.ended_at == to_us(record._clock())
    assert (attempt.exit_code, attempt.peak_rss, attempt.cpu_s) == (70, 5, 1.5)


def test_a_run_that_ended_cannot_end_again(record: Record) -> None:
    (run,) = _submit(record, _new("train:a"))
    _settle(record, run, "succeeded")
    with (
        pytest.raises(Conflict, match=f"run {run} is succeeded and cannot become failed"),
        record.transaction() as tx,
    ):
        lifecycle.settle(tx, run, "failed", reason="")


# ------------------------------------------------------------------------------------------------- cancel, requeue


def test_a_queued_run_is_cancelled_at_once_with_what_depends_on_it(record: Record) -> None:
    flights, *_ = _submit(record, *CHAIN)
    with record.transaction() as tx:
        lifecycle.request_cancel(tx, flights, "ann")
    assert _states(record)["etl:flights"] == "cancelled"
    assert _states(record)["train:late"] == "upstream_failed"


def test_of_a_run_with_a_process_the_end_is_asked_for(record: Record) -> None:
    (run,) = _submit(record, _new("train:a"))
    with record.transaction() as tx:
        lifecycle.start_attempt(tx, run, "nonce")
        row = lifecycle.request_cancel(tx, run, "ann")
        assert (row.state, row.cancel_requested) == ("starting", "ann")


def test_what_has_ended_cannot_be_cancelled(record: Record) -> None:
    (run,) = _submit(record, _new("train:a"))
    _settle(record, run, "succeeded")
    with pytest.raises(Conflict, match="has ended already"), record.transaction() as tx:
        lifecycle.request_cancel(tx, run, "ann")


def test_a_failed_run_tried_again_takes_along_what_failed_only_because_of_it(record: Record) -> None:
    flights, weather, *_ = _submit(record, *CHAIN)
    _settle(record, weather, "succeeded")
    _settle(record, flights, "failed", "boom")
    with record.transaction() as tx:
        row = lifecycle.requeue(tx, flights, "ann")
        assert (row.state, row.max_attempts, row.ended_at) == ("queued", 2, None)
    assert set(_states(record).values()) == {"queued", "succeeded"}
    _settle(record, flights, "succeeded")
    assert _ready(record) == ["features:delay"]


def test_however_often_a_run_is_tried_again_it_has_the_attempts_that_its_job_allows(record: Record) -> None:
    """Two each time: the third time it had eight."""
    (run,) = _submit(record, replace(_new("train:a"), max_attempts=2))
    for tried in range(4):
        _settle(record, run, "failed", retry_at=1)
        _settle(record, run, "failed")
        with record.transaction() as tx:
            row = lifecycle.requeue(tx, run, "ann", {"train:a": 2})
            assert (row.attempt, row.max_attempts) == (2 * tried + 2, 2 * tried + 4)


def test_the_ends_of_runs_are_a_number_that_only_grows(record: Record) -> None:
    """To who counts them, a number that goes down has begun anew, and all of it counts once more."""
    first, _ = _submit(record, _new("train:a"), _new("train:b", depends_on=("train:a",)))
    _settle(record, first, "failed")
    with record.read() as session:
        assert runs.ends_by_state(session) == {"failed": 1, "upstream_failed": 1}
    with record.transaction() as tx:
        lifecycle.requeue(tx, first, "ann")
    with record.read() as session:
        assert runs.count_by_state(session) == {"queued": 2}
        assert runs.ends_by_state(session) == {"failed": 1, "upstream_failed": 1}
    _settle(record, first, "failed")
    with record.read() as session:
        assert runs.ends_by_state(session) == {"failed": 2, "upstream_failed": 2}


def test_what_still_has_a_failed_upstream_is_not_tried_again(record: Record) -> None:
    flights, weather, features, _ = _submit(record, *CHAIN)
    _settle(record, flights, "failed")
    _settle(record, weather, "failed")
    with record.transaction() as tx:
        lifecycle.requeue(tx, flights, "ann")
    assert _states(record)["features:delay"] == "upstream_failed"
    with pytest.raises(Conflict, match=f"waits for run {weather}") as refused, record.transaction() as tx:
        lifecycle.requeue(tx, features, "ann")
    assert refused.value.remedy.startswith(f"`trainshed runs retry {weather}`")


def test_an_attempt_that_has_ended_is_not_ended_again_by_a_run_that_waits(record: Record) -> None:
    (run,) = _submit(record, _new("train:late"))
    _settle(record, run, "failed", retry_at=1)
    with pytest.raises(Conflict, match="no attempt is under way"), record.transaction() as tx:
        lifecycle.settle(tx, run, "cancelled", reason="")


def test_a_run_that_has_a_process_is_not_queued_beside_it(record: Record) -> None:
    (run,) = _submit(record, _new("train:late"))
    for begin in (lambda tx: lifecycle.start_attempt(tx, run, "nonce"), lambda tx: lifecycle.mark_running(tx, run, 1)):
        with record.transaction() as tx:
            begin(tx)
        with pytest.raises(Conflict, match="has not ended yet") as refused, record.transaction() as tx:
            lifecycle.requeue(tx, run, "ann")
        assert f"runs cancel {run}" in refused.value.remedy


def test_a_run_that_succeeded_is_not_tried_again(record: Record) -> None:
    (run,) = _submit(record, _new("train:a"))
    _settle(record, run, "succeeded")
    with pytest.raises(Conflict, match="cannot become queued"), record.transaction() as tx:
        lifecycle.requeue(tx, run, "ann")


def test_a_run_that_is_not_there_is_named(record: Record) -> None:
    with pytest.raises(NotFound, match="there is no run 99"), record.read() as session:
        queue.get_run(session, 99)


# -------------------------------------------------------------------------------------------------- all transitions


@given(st.sampled_from(get_args(RunState)), st.sampled_from(get_args(RunState)))
def test_only_transitions_of_the_table_are_allowed(before: RunState, after: RunState) -> None:
    if after in MAY_FOLLOW[before]:
        check_transition(1, before, after)
        return
    with pytest.raises(Conflict, match=f"run 1 is {before} and cannot become {after}"):
        check_transition(1, before, after)


def test_what_ended_well_is_final_and_everything_can_end() -> None:
    assert all(not MAY_FOLLOW[state] for state in GOOD)
    reachable: set[RunState] = {"queued"}
    while True:
        further = {after for before in reachable for after in MAY_FOLLOW[before]} - reachable
        if not further:
            break
        reachable |= further
    assert reachable == set(get_args(RunState))
    assert all(MAY_FOLLOW[state] <= {"queued"} for state in ENDED)


def test_every_change_of_state_is_an_event_with_its_own_revision(record: Record) -> None:
    (run,) = _submit(record, _new("train:a"))

    changes: list[Callable[[Transaction], object]] = [
        lambda tx: lifecycle.start_attempt(tx, run, "nonce"),
        lambda tx: lifecycle.mark_running(tx, run, 1),
        lambda tx: lifecycle.settle(tx, run, "succeeded", reason=""),
    ]
    for change in changes:
        with record.transaction() as tx:
            change(tx)
        with record.read() as session:
            assert _run(session, run).rev == record.revision
    with record.read() as session:
        told = session.exec(select(Event).where(Event.subject == f"run {run}").order_by(col(Event.id))).all()
    assert [event.kind for event in told] == ["run.queued", "run.starting", "run.running", "run.succeeded"]
    assert [event.data["to"] for event in told] == ["queued", "starting", "running", "succeeded"]
    assert len({event.rev for event in told}) == 4


def test_an_ended_run_says_what_it_made_and_no_more_what_it_was_doing(record: Record) -> None:
    made, failed = _submit(record, _new("etl:flights")) + _submit(record, _new("train:late"))
    for run, state in ((made, "succeeded"), (failed, "failed")):
        with record.transaction() as tx:
            lifecycle.start_attempt(tx, run, f"nonce of {run}")
            lifecycle.mark_running(tx, run, 1)
            progress.report_progress(tx, run, done=1, total=2, unit="pages", message="gathering", eta_s=None)
            if run == made:
                facts = {"dataset": "flights", "kind": "dataset", "version": 3, "rows": 1, "added": 1, "bytes": 1}
                datasets.add_version(tx, run, DatasetFacts(**facts, columns=[], fingerprint="f"))
            lifecycle.settle(tx, run, cast(RunState, state), reason="")
    with record.read() as session:
        assert [_run(session, run).message for run in (made, failed)] == ["flights@3", ""]


# ---------------------------------------------------------------------------------------------------------- counts

_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["submit", "start", "run", "retry later", "end", "cancel", "again", "break off"]),
        st.integers(0, 7),
        st.sampled_from(sorted(ENDED)),
    ),
    max_size=25,
)


@pytest.mark.slow
@given(_STEPS)
@settings(max_examples=examples(60), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_the_runs_of_each_state_are_counted_right_whatever_happens_to_them(
    record: Record, steps: list[tuple[str, int, RunState]]
) -> None:
    for step, which, end in steps:
        with suppress(Conflict, NotFound, ZeroDivisionError), record.transaction() as tx:
            newest = tx.session.exec(select(func.max(Run.id))).one() or 0
            _step(tx, step, max(1, newest - which), end)
    with record.read() as session:
        counted = dict(session.exec(select(Run.state, func.count()).group_by(col(Run.state))).all())
        assert runs.count_by_state(session) == counted
        assert queue.count_waiting(session) == counted.get("queued", 0)


def _step(tx: Transaction, step: str, run: int, end: RunState) -> None:
    """What may become of a run, allowed or not; `break off` comes to nothing."""
    if step in ("submit", "break off"):
        queue.submit(tx, CHAIN)
        tx.session.flush()
        if step == "break off":
            raise ZeroDivisionError
    elif step == "start":
        lifecycle.start_attempt(tx, run, f"nonce of {run}")
    elif step == "run":
        lifecycle.mark_running(tx, run, queue.get_run(tx.session, run).attempt)
    elif step == "retry later":
        lifecycle.settle(tx, run, "failed", reason="", retry_at=tx.now)
    elif step == "end":
        lifecycle.settle(tx, run, end, reason="")
    elif step == "cancel":
        lifecycle.request_cancel(tx, run, "ann")
    else:
        lifecycle.requeue(tx, run, "ann")
