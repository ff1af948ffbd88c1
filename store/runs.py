"""Runs as they are shown: one, many, side by side. What changes them is in `store.queue` and `store.lifecycle`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, cast

from sqlalchemy import func
from sqlmodel import Session, col, select

from store import events, metrics, results
from store.each import each
from store.errors import Refused
from store.keyset import decode_token, page
from store.queue import get_run
from store.tables import Attempt, Run, RunCount, RunDependency
from store.times import SECOND, from_us
from store.wire import AttemptView, CompareView, Fault, Page, RunDetail, RunView
from store.words import ACTIVE, ENDED, GOOD, JobKind, RunState, Trigger


def run_view(row: Run, now: int) -> RunView:
    """The row as it goes over the wire; `now` (µs) tells whether it has stalled."""
    assert row.id is not None
    return RunView(
        id=row.id,
        job=row.job,
        kind=cast(JobKind, row.kind),
        target=row.target,
        state=cast(RunState, row.state),
        reason=row.reason,
        fault=Fault(**row.fault) if row.fault else None,
        trigger=cast(Trigger, row.trigger),
        actor=row.actor,
        schedule=row.schedule,
        scheduled_for=from_us(row.scheduled_for),
        group=row.group,
        priority=row.priority,
        pool=row.pool,
        attempt=row.attempt,
        max_attempts=row.max_attempts,
        created_at=from_us(row.created_at),
        not_before=from_us(row.not_before),
        started_at=from_us(row.started_at),
        ended_at=from_us(row.ended_at),
        stalled=is_stalled(row, now),
        done=row.done,
        total=row.total,
        unit=row.unit,
        message=row.message,
        eta_seconds=row.eta_s,
        rev=row.rev,
    )


def is_stalled(row: Run, now: int) -> bool:
    """Alive, and silent for longer than its stall_timeout."""
    if row.state != "running" or row.stall_s is None or row.last_event_at is None:
        return False
    return now - row.last_event_at > row.stall_s * SECOND


def view(session: Session, run: int, now: int) -> RunView:
    """Raises NotFound."""
    return run_view(get_run(session, run), now)


def detail(session: Session, run: int, now: int) -> RunDetail:
    """A run with everything known of it. Raises NotFound."""
    row = get_run(session, run)
    return RunDetail(
        run=run_view(row, now),
        params=params_of(session, row),
        attempts=attempts_of(session, run),
        metrics=metrics.latest(session, run),
        artifacts=results.artifacts_of(session, run),
        checkpoints=results.checkpoints_of(session, run),
        depends_on=sorted(session.exec(select(RunDependency.on_run).where(RunDependency.run == run))),
        produced=results.produced_by(session, run),
        events=events.list_events(session, subject=f"run {run}", limit=200).items,
    )


def params_of(session: Session, row: Run) -> dict[str, Any]:
    """What was asked for, overlaid with what the run resolved it to."""
    assert row.id is not None
    return {**row.params, **results.params_of(session, row.id)}


def attempts_of(session: Session, run: int) -> list[AttemptView]:
    """Oldest first."""
    rows = session.exec(select(Attempt).where(Attempt.run == run).order_by(col(Attempt.number)))
    return [
        AttemptView(
            number=row.number,
            state=cast(RunState, row.state),
            reason=row.reason,
            pid=row.pid,
            exit_code=row.exit_code,
            signal=row.signal,
            started_at=from_us(row.started_at),
            ended_at=from_us(row.ended_at),
            peak_rss=row.peak_rss,
            cpu_seconds=row.cpu_s,
        )
        for row in rows
    ]


def list_runs(
    session: Session,
    now: int,
    *,
    states: Sequence[RunState] = (),
    job: str | None = None,
    kind: JobKind | None = None,
    schedule: str | None = None,
    group: int | None = None,
    limit: int = 50,
    after: str | None = None,
) -> Page[RunView]:
    """Newest first; each filter that is given narrows the list. `after`: the token of the page before."""
    query = select(Run)
    if states:
        query = query.where(col(Run.state).in_(states))
    for column, wanted in ((Run.job, job), (Run.kind, kind), (Run.schedule, schedule), (Run.group, group)):
        if wanted is not None:
            query = query.where(col(column) == wanted)
    if after is not None:
        (run,) = decode_token(after, int)
        query = query.where(col(Run.id) < run)
    rows = session.exec(query.order_by(col(Run.id).desc()).limit(limit + 1)).all()
    return page(rows, limit, lambda row: run_view(row, now), lambda row: (cast(int, row.id),))


def running(session: Session, now: int) -> list[RunView]:
    """What has a process, oldest first."""
    rows = session.exec(select(Run).where(col(Run.state).in_(ACTIVE)).order_by(col(Run.id)))
    return [run_view(row, now) for row in rows]


def waiting(session: Session, now: int, limit: int = 20) -> list[RunView]:
    """The head of the queue, in the order in which it is served."""
    query = select(Run).where(Run.state == "queued").order_by(col(Run.priority).desc(), col(Run.id)).limit(limit)
    return [run_view(row, now) for row in session.exec(query)]


def count_by_state(session: Session) -> dict[RunState, int]:
    """State → runs, of the states that occur."""
    rows = session.exec(select(RunCount).where(RunCount.runs > 0).order_by(RunCount.state))
    return {cast(RunState, row.state): row.runs for row in rows}


def ends_by_state(session: Session) -> dict[RunState, int]:
    """State → how often a run ended so; one that was tried again counts each time."""
    rows = session.exec(select(RunCount).where(col(RunCount.state).in_(ENDED)).order_by(RunCount.state))
    return {cast(RunState, row.state): row.entered for row in rows}


def last_runs(session: Session, now: int, jobs: Collection[str]) -> dict[str, RunView]:
    """Job → its newest run, of those jobs that ever ran."""
    wanted = each(jobs)
    newest = select(func.max(Run.id)).where(Run.job == wanted.c.value).scalar_subquery()
    rows = session.exec(select(Run).where(col(Run.id).in_(select(newest).select_from(wanted))))
    return {row.job: run_view(row, now) for row in rows}


def last_good(session: Session, job: str) -> Run | None:
    """The newest run of a job that succeeded or found nothing to do and left a fingerprint."""
    query = select(Run).where(Run.job == job, col(Run.state).in_(GOOD), Run.fingerprint != "")
    return session.exec(query.order_by(col(Run.id).desc()).limit(1)).first()


def compare(session: Session, runs: Sequence[int], now: int) -> CompareView:
    """Runs side by side: the parameters in which they differ, and their newest metrics. Raises NotFound, Refused."""
    if len(runs) < 2:
        raise Refused(
            "there is nothing to compare", where="runs", remedy="name at least two: `trainshed runs compare 4 7`"
        )
    rows = [get_run(session, run) for run in runs]
    params = [params_of(session, row) for row in rows]
    names = sorted({name for values in params for name in values})
    columns = {name: [values.get(name) for values in params] for name in names}
    found = metrics.latest_values(session, runs)
    return CompareView(
        runs=[run_view(row, now) for row in rows],
        params={name: values for name, values in columns.items() if any(value != values[0] for value in values)},
        metrics={name: [values.get(run) for run in runs] for name, values in found.items()},
    )
