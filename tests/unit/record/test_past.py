"""The past: what is told of a moment afterwards is what was shown at it, but for what is not kept."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func
from sqlmodel import Session, col, select

from store import curves, datasets, jobruns, lifecycle, metrics, progress, queue, results, runs, samples, schedules
from store.engine import Record, Transaction
from store.errors import Conflict, NotFound
from store.facts import CheckFacts, DatasetFacts
from store.metrics import Chunk
from store.past import last_by, newest_of_jobs, runs_then
from store.pastruns import detail_then
from store.pastschedules import schedules_then
from store.queue import NewRun
from store.samples import Sample
from store.tables import Run
from store.times import SECOND, to_us
from store.wire import Fault, RunDetail, RunView, ScheduleView
from store.words import ENDED, JobKind, RunState
from tests.examples import examples
from tests.unit.record.conftest import HandClock

_JOBS = ("etl:a", "train:late")
_NOT_KEPT = {"done", "total", "eta_seconds", "unit", "message", "fault", "not_before", "max_attempts", "stalled", "rev"}
_STEPS = st.lists(
    st.tuples(
        st.sampled_from(["submit", "start", "run", "measure", "retry later", "end", "cancel", "again"]),
        st.integers(0, 3),
        st.sampled_from(sorted(ENDED)),
    ),
    max_size=12,
)


def _new(job: str, depends_on: tuple[str, ...] = ()) -> NewRun:
    kind, _, target = job.partition(":")
    return NewRun(
        job=job, kind=cast(JobKind, kind), target=target, trigger="manual", actor="ann", depends_on=depends_on
    )


def _step(tx: Transaction, step: str, run: int, end: RunState) -> None:
    """What may become of a run, allowed or not."""
    number = tx.now // SECOND  # what is computed again is not kept
    if step == "submit":
        queue.submit(tx, [_new("etl:a"), _new("train:late", ("etl:a",))])
    elif step == "start":
        lifecycle.start_attempt(tx, run, f"nonce of {run}")
    elif step == "run":
        lifecycle.mark_running(tx, run, queue.get_run(tx.session, run).attempt)
    elif step == "measure":
        if queue.get_run(tx.session, run).state != "running":
            return
        metrics.add_points(tx, [Chunk(run, tx.now, [number], {"loss": [float(number)]})])
        results.put_checkpoint(tx, run, step=number, path="c", digest="d", bytes=1)
        results.put_artifact(tx, run, name=f"a{number}", kind="k", path="p", digest="d", bytes=1)
        samples.add_samples(tx, [Sample(run, cpu_percent=1.0, rss=number)])
    elif step == "retry later":
        lifecycle.settle(tx, run, "failed", reason="no rows", retry_at=tx.now)
    elif step == "end":
        lifecycle.settle(tx, run, end, reason=f"it {end}", fault=Fault(code="X", what="x", remedy="y"))
    elif step == "cancel":
        lifecycle.request_cancel(tx, run, "ann")
    else:
        lifecycle.requeue(tx, run, "ann")


@pytest.mark.slow
@given(_STEPS)
@settings(max_examples=examples(15), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_what_is_told_of_a_moment_is_what_was_shown_at_it(
    record: Record, clock: HandClock, steps: list[tuple[str, int, RunState]]
) -> None:
    seen: list[tuple[int, dict[int, Any], Any]] = []
    for step, which, end in steps:
        with suppress(Conflict, NotFound), record.transaction() as tx:
            newest = tx.session.exec(select(func.max(Run.id))).one() or 0
            _step(tx, step, max(1, newest - which), end)
        with record.read() as session:
            at = to_us(clock.now)
            seen.append((at, _shown(session, at, then=False), jobruns.strips(session, _JOBS)))
        clock.forward(1)
    with record.read() as session:
        for at, shown, strips in seen:
            told = _shown(session, at, then=True)
            for run in shown:
                for one, other in zip(told[run], shown[run], strict=True):
                    assert one == other
            assert _without_waits(jobruns.strips(session, _JOBS, at=at)) == _without_waits(strips)


def _shown(session: Session, at: int, *, then: bool) -> dict[int, Any]:
    """The newest runs that there are at a moment, each with all that is kept of it."""
    ids = session.exec(select(Run.id).where(col(Run.created_at) <= at).order_by(col(Run.id).desc()).limit(4)).all()
    found = {}
    for run in cast(list[int], ids):
        detail = detail_then(session, run, at) if then else runs.detail(session, run, at)
        curve = curves.series(session, run, "loss", until=at if then else None) if detail.metrics else None
        used = samples.samples_of(session, run, until=at if then else None)
        found[run] = (_kept(detail.run), _of_detail(detail), curve, used)
    return found


def _kept(run: RunView) -> dict[str, Any]:
    """Why it waits changes without a word in the history."""
    waits = {"reason"} if run.state == "queued" else set()
    return run.model_dump(exclude=_NOT_KEPT | waits)


def _of_detail(detail: RunDetail) -> dict[str, Any]:
    return detail.model_dump(exclude={"run", "params"})


def _without_waits(strips: dict[str, list[Any]]) -> dict[str, list[Any]]:
    return {
        job: [run.model_copy(update={"reason": ""}) if run.state == "queued" else run for run in past]
        for job, past in strips.items()
    }


def test_before_it_was_asked_for_there_is_no_run(record: Record, clock: HandClock) -> None:
    before = to_us(clock.now) - 1
    with record.transaction() as tx:
        queue.submit(tx, [_new("etl:a")])
    with record.read() as session:
        with pytest.raises(NotFound, match="run 1 had not been asked for by 2026-03-01 11:59:59"):
            detail_then(session, 1, before)
        assert newest_of_jobs(session, _JOBS, before) == []
        (row,) = newest_of_jobs(session, _JOBS, before + 1)
        assert [run.state for run in runs_then(session, [row], before + 1)] == ["queued"]


@given(
    st.lists(st.integers(0, 30), unique=True, min_size=1).map(sorted), st.lists(st.integers(0, 9)), st.integers(0, 9)
)
def test_the_last_number_by_a_time_is_found_by_halving(numbers: list[int], waits: list[int], at: int) -> None:
    times = dict(zip(numbers, sorted(waits), strict=False))

    def look(number: int) -> tuple[int, int] | None:
        below = [(one, time) for one, time in times.items() if one <= number]
        return max(below, default=None)

    expected = max((number for number, time in times.items() if time <= at), default=None)
    assert last_by(at, max(times, default=0), look) == expected


def test_a_schedule_was_on_paused_broken_or_not_there_yet(record: Record, clock: HandClock) -> None:
    seen: list[tuple[int, list[ScheduleView]]] = []

    def look() -> None:
        with record.read() as session:
            seen.append((to_us(clock.now), schedules.list_schedules(session)))
        clock.forward(60)

    look()
    nightly = schedules.Definition(name="nightly", job="etl:a", spec={"cron": "0 3 * * *"})
    _define(record, nightly)
    look()
    with record.transaction() as tx:
        schedules.pause(tx, "nightly", "ann", "the source is being moved: wait")
    look()
    with record.transaction() as tx:
        schedules.resume(tx, "nightly", "ann", None)
    look()
    _define(record, schedules.Definition(name="nightly", job="etl:a", spec={"cron": "0 3 * * *"}, broken="no such job"))
    look()
    _define(record, nightly)
    look()
    _define(record)
    look()
    with record.read() as session:
        for at, views in seen:
            then = schedules_then(session, schedules.all_rows(session), at)
            assert [_standing(view) for view in then] == [_standing(view) for view in views]


def _define(record: Record, *wanted: schedules.Definition) -> None:
    with record.transaction() as tx:
        schedules.sync_schedules(tx, wanted, lambda _: None)


def _standing(view: ScheduleView) -> tuple[str, bool, str, str]:
    return view.name, view.enabled, view.paused_reason, view.broken


def test_a_schedule_that_failures_have_paused_was_paused_by_so_many(record: Record, clock: HandClock) -> None:
    nightly = schedules.Definition(name="nightly", job="etl:a", spec={"cron": "0 3 * * *"}, pause_after_failures=2)
    _define(record, nightly)
    counted: list[tuple[int, int]] = []
    states: tuple[RunState, ...] = ("failed", "succeeded", "failed", "cancelled", "failed")
    for state in states:
        with record.transaction() as tx:
            new = replace(_new("etl:a"), schedule="nightly", scheduled_for=tx.now, trigger="schedule")
            (run,) = queue.submit(tx, [new])
            lifecycle.start_attempt(tx, run, "nonce")
            lifecycle.settle(tx, run, state, reason="")
            counted.append((tx.now, schedules.get_schedule(tx.session, "nightly").failures))
        clock.forward(60)
    with record.read() as session:
        for at, failures in counted:
            (then,) = schedules_then(session, schedules.all_rows(session), at)
            assert (then.failures, then.enabled) == (failures, failures < 2)
            assert then.last_at is not None


def test_a_dataset_had_its_newest_version_of_then_and_the_checks_of_then(record: Record, clock: HandClock) -> None:
    seen = []
    for version in range(5):
        with record.transaction() as tx:
            (run,) = queue.submit(tx, [_new("etl:a")])
            facts = DatasetFacts(
                dataset="a", version=version, kind="dataset", rows=version, added=0, removed=0, quarantined=0, bytes=1,
                columns=[], schema_changes=[], inputs={}, fingerprint="", newest_us=tx.now, note="", sample=[],
            )  # fmt: skip
            datasets.add_version(tx, run, facts)
            outcome = "warn" if version % 2 else "pass"
            check = {"name": "c", "kind": "range", "severity": "warn", "outcome": outcome, "failing": 0, "total": 1}
            datasets.add_checks(tx, run, "a", version, [CheckFacts(**check, allowed=0.0, detail="")])
            progress.heard(tx, run)
        with record.read() as session:
            view = datasets.dataset_view(session, "a", "dataset", [])
            seen.append((to_us(clock.now), view, datasets.last_checks(session, "a")))
        clock.forward(60)
    with record.read() as session:
        for at, view, checks in seen:
            assert datasets.dataset_view(session, "a", "dataset", [], at=at) == view
            assert datasets.last_checks(session, "a", at=at) == checks
        assert datasets.dataset_view(session, "a", "dataset", [], at=seen[0][0] - 1).version is None
