"""The life of a run: every change of its state, each checked, stamped with a revision and told to the history.

Whoever changes `run.state` does it here; `store.transitions` says what may follow what.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final, cast

from sqlmodel import Session, col, select

from store import events, schedules
from store.engine import Transaction
from store.errors import Conflict, NotFound
from store.queue import get_run, waiting_for
from store.results import produced_by
from store.tables import Attempt, Run, RunDependency
from store.times import from_us
from store.transitions import check_transition
from store.wire import Fault
from store.words import ACTIVE, ENDED, GOOD, RunState

_NO_MORE: Final[Mapping[str, int]] = MappingProxyType({})
DAEMON: Final = "daemon"
"""The actor of what nobody asked for by name."""


def start_attempt(tx: Transaction, run: int, nonce: str, lease: dict[str, Any] | None = None) -> Attempt:
    """queued → starting: a new attempt, known by its `nonce`, holding the device share `lease`."""
    row = get_run(tx.session, run)
    number = row.attempt + 1
    begins = f"attempt {number} of {row.job} is starting"
    _change(tx, row, "starting", actor=DAEMON, reason="", message=begins, attempt=number)
    row.attempt = number
    row.not_before = None
    row.started_at = row.started_at if row.started_at is not None else tx.now
    row.done = row.total = row.eta_s = None
    row.unit = row.message = ""
    attempt = Attempt(run=run, number=number, nonce=nonce, state="starting", lease=lease, started_at=tx.now)
    tx.session.add(attempt)
    tx.session.flush()
    return attempt


def mark_running(tx: Transaction, run: int, number: int) -> None:
    """starting → running: the worker of attempt `number` has spoken. Said twice, it changes nothing."""
    row, attempt = get_run(tx.session, run), get_attempt(tx.session, run, number)
    row.last_event_at = tx.now
    if row.state == "running" or number != row.attempt:
        return
    attempt.state = "running"
    _change(tx, row, "running", actor=DAEMON, reason="", message=f"attempt {number} of {row.job} is running")


def get_attempt(session: Session, run: int, number: int) -> Attempt:
    """The row. Raises NotFound."""
    row = session.get(Attempt, (run, number))
    if row is None:
        raise NotFound(
            f"run {run} has no attempt {number}", where=f"run {run}", remedy=f"see `trainshed runs show {run}`"
        )
    return row


def settle(
    tx: Transaction,
    run: int,
    state: RunState,
    *,
    reason: str,
    fault: Fault | None = None,
    retry_at: int | None = None,
    counted: bool = True,
    exit_code: int | None = None,
    signal: int | None = None,
    peak_rss: int | None = None,
    cpu_s: float | None = None,
) -> Run:
    """The end of the current attempt in `state`, one of `ENDED`.

    With `retry_at` (µs) the run goes back to the queue until then; an attempt that is not `counted` (it was stopped
    with its work saved) leaves as many attempts as before. Without `retry_at` the run has ended, and what depends on
    it goes on (`GOOD`) or ends as upstream_failed. Raises Conflict when no attempt is under way.
    """
    if state not in ENDED:
        raise ValueError(f"an attempt cannot end as {state}")
    row = get_run(tx.session, run)
    check_transition(run, cast(RunState, row.state), state)
    if row.state not in ACTIVE:  # what waits may be cancelled too, but its last attempt ended long ago
        raise Conflict(
            f"run {run} is {row.state}: no attempt is under way",
            where=f"run {run}",
            remedy=f"see `trainshed runs show {run}`",
        )
    attempt = get_attempt(tx.session, run, row.attempt)
    attempt.state, attempt.reason, attempt.ended_at = state, reason, tx.now
    attempt.exit_code, attempt.signal = exit_code, signal
    attempt.peak_rss = peak_rss if peak_rss is not None else attempt.peak_rss
    attempt.cpu_s = cpu_s if cpu_s is not None else attempt.cpu_s
    row.fault = fault.model_dump() if fault is not None else None
    row.max_attempts += 0 if counted else 1
    if retry_at is not None:
        _retry_later(tx, row, state, reason, retry_at)
    else:
        _end(tx, row, state, actor=DAEMON, reason=reason)
    return row


def request_cancel(tx: Transaction, run: int, actor: str) -> Run:
    """A queued run is cancelled at once; of one that has a process the end is asked for. Raises Conflict if ended."""
    row = get_run(tx.session, run)
    if row.state == "queued":
        _end(tx, row, "cancelled", actor=actor, reason=f"cancelled by {actor}")
    elif row.state in ACTIVE:
        row.cancel_requested = actor
        row.rev = tx.rev
        _tell(tx, row, actor, "run.cancelling", f"{actor} asked for the end of {row.job}", {})
    else:
        raise Conflict(
            f"run {run} has ended already: {row.state}", where=f"run {run}", remedy=f"see `trainshed runs show {run}`"
        )
    return row


def requeue(tx: Transaction, run: int, actor: str, allowed: Mapping[str, int] = _NO_MORE) -> Run:
    """An ended run that did not succeed is queued again, with as many attempts as its job allows from the start.

    `allowed`: job → that many; of one that is not there, one. What failed only because of it is queued again too.
    Raises Conflict while it, or its own upstream, has not ended.
    """
    row = get_run(tx.session, run)
    if row.state in ACTIVE:  # a retry by itself may follow these too, but only with the end of the attempt
        raise Conflict(
            f"run {run} is {row.state}: it has not ended yet",
            where=f"run {run}",
            remedy=f"`trainshed runs cancel {run}` ends it; then retry it",
        )
    bad = [other for other in _upstream(tx, row) if other.state in ENDED - GOOD]
    if bad:
        raise Conflict(
            f"run {run} waits for run {bad[0].id} ({bad[0].job}), which is {bad[0].state}",
            where=f"run {run}",
            remedy=f"`trainshed runs retry {bad[0].id}`: what depends on it follows",
        )
    _queue_again(tx, row, actor, allowed)
    return row


def _queue_again(tx: Transaction, row: Run, actor: str, allowed: Mapping[str, int]) -> None:
    waits_for = [cast(int, other.id) for other in _upstream(tx, row) if other.state not in GOOD]
    _change(
        tx, row, "queued", actor=actor, reason=waiting_for(waits_for), message=f"{actor} has {row.job} tried once more"
    )
    row.max_attempts = row.attempt + allowed.get(row.job, 1)
    row.fault = row.ended_at = row.not_before = row.cancel_requested = None
    for dependent in _dependents(tx, row, "upstream_failed"):
        if all(other.state not in ENDED - GOOD for other in _upstream(tx, dependent)):
            _queue_again(tx, dependent, actor, allowed)


def _retry_later(tx: Transaction, row: Run, state: RunState, reason: str, retry_at: int) -> None:
    at = from_us(retry_at).strftime("%H:%M:%S UTC")
    text = f"attempt {row.attempt} {state}: {reason}; the next one at {at}"
    _change(tx, row, "queued", actor=DAEMON, reason=text, message=f"{row.job}: {text}", was=state)
    row.not_before = retry_at


def _end(tx: Transaction, row: Run, state: RunState, *, actor: str, reason: str) -> None:
    message = f"{row.job} {state.replace('_', ' ')}" + (f": {reason}" if reason else "")
    _change(tx, row, state, actor=actor, reason=reason, message=message)
    row.ended_at = tx.now
    row.eta_s = None
    row.message = ", ".join(produced_by(tx.session, cast(int, row.id)))  # where it was is over; what it made stays
    if row.schedule is not None and row.trigger == "schedule":
        schedules.run_ended(tx, row.schedule, cast(int, row.id), state)
    for dependent in _dependents(tx, row, "queued"):
        if state in GOOD:
            waits_for = [cast(int, other.id) for other in _upstream(tx, dependent) if other.state not in GOOD]
            dependent.reason, dependent.rev = waiting_for(waits_for), tx.rev
        else:
            _end(tx, dependent, "upstream_failed", actor=DAEMON, reason=f"run {row.id} ({row.job}) {state}")


def _upstream(tx: Transaction, row: Run) -> list[Run]:
    return list(
        tx.session.exec(
            select(Run).join(RunDependency, col(RunDependency.on_run) == Run.id).where(col(RunDependency.run) == row.id)
        )
    )


def _dependents(tx: Transaction, row: Run, state: RunState) -> list[Run]:
    return list(
        tx.session.exec(
            select(Run)
            .join(RunDependency, col(RunDependency.run) == Run.id)
            .where(col(RunDependency.on_run) == row.id, col(Run.state) == state)
        )
    )


def _change(
    tx: Transaction,
    row: Run,
    state: RunState,
    *,
    actor: str,
    reason: str,
    message: str,
    was: RunState | None = None,
    attempt: int | None = None,
) -> None:
    assert row.id is not None
    before = cast(RunState, row.state)
    check_transition(row.id, before, state)
    row.state, row.reason, row.rev = state, reason, tx.rev
    kind = "run.retry" if was else f"run.{state}"
    more: dict[str, Any] = {"attempt_ended": was} if was else {}
    more |= {"attempt": attempt} if attempt is not None else {}
    _tell(tx, row, actor, kind, message, {"from": before, "to": state, **more})


def _tell(tx: Transaction, row: Run, actor: str, kind: str, message: str, data: dict[str, Any]) -> None:
    data = {"job": row.job, "attempt": row.attempt, "reason": row.reason, **data}
    events.append(tx, actor=actor, kind=kind, subject=f"run {row.id}", message=message, data=data)
