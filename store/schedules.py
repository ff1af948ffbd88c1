"""Schedules: rows that say when a job runs. The project file defines them; whether one is paused is the operator's.

A row is never deleted: what is no longer in the project file, or names a job that is gone, is kept as broken.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, cast

from sqlalchemy import func
from sqlmodel import Session, col, select

from store import events
from store.engine import Transaction
from store.errors import Conflict, NotFound
from store.keyset import decode_token
from store.tables import Schedule
from store.times import from_us
from store.wire import ScheduleView
from store.words import GOOD, CatchUp, Overlap, RunState

GONE: Final = "it is no longer in the project file"


@dataclass(frozen=True, kw_only=True)
class Definition:
    """A schedule as the project file has it."""

    name: str
    job: str
    spec: Mapping[str, Any]
    """One of {"cron": line}, {"every_s": seconds}, {"at_us": µs since 1970 UTC}."""
    timezone: str = "UTC"
    params: Mapping[str, Any] = field(default_factory=dict)
    upstream: bool = True
    overlap: Overlap = "skip"
    catch_up: CatchUp = "last"
    catch_up_window_s: float = 86_400.0
    jitter_s: float = 0.0
    pause_after_failures: int | None = None
    broken: str = ""
    """Why it cannot run, if it cannot."""


def sync_schedules(
    tx: Transaction, definitions: Iterable[Definition], first_time: Callable[[Definition], int | None]
) -> None:
    """Makes the rows say what the project file says; each difference is an event.

    `first_time`: its next time after now (µs), asked for those that are new or whose times have changed. What is
    paused stays paused, and an unchanged schedule keeps its next time, so that what was missed can be caught up.
    """
    rows = {row.name: row for row in tx.session.exec(select(Schedule))}
    for definition in definitions:
        row = rows.pop(definition.name, None)
        if row is None:
            _add(tx, definition, first_time)
        else:
            _update(tx, row, definition, first_time)
    for row in rows.values():
        if row.broken != GONE:
            row.broken, row.next_at, row.rev = GONE, None, tx.rev
            _tell(tx, row.name, "gone", f"schedule {row.name} rests: {GONE}")


def _add(tx: Transaction, definition: Definition, first_time: Callable[[Definition], int | None]) -> None:
    next_at = None if definition.broken else first_time(definition)
    tx.session.add(Schedule(**_fields(definition), next_at=next_at, rev=tx.rev))
    said = f"schedule {definition.name} runs {definition.job} {describe(definition.spec)}"
    _tell(tx, definition.name, "added", said + (f"; it rests: {definition.broken}" if definition.broken else ""))


def _update(
    tx: Transaction, row: Schedule, definition: Definition, first_time: Callable[[Definition], int | None]
) -> None:
    wanted = _fields(definition)
    changed = sorted(name for name, value in wanted.items() if value != getattr(row, name))
    if not changed:
        return
    for name in changed:
        setattr(row, name, wanted[name])
    row.rev = tx.rev
    if definition.broken:
        row.next_at = None
    elif {"spec", "timezone", "broken"} & set(changed):
        row.next_at = first_time(definition)
    if "broken" in changed:
        what = ("broken", f"it rests: {row.broken}") if row.broken else ("mended", "it can run again")
        _tell(tx, row.name, what[0], f"schedule {row.name}: {what[1]}")
    elif changed:
        _tell(tx, row.name, "changed", f"schedule {row.name} has another {', '.join(changed)}")


def _fields(definition: Definition) -> dict[str, Any]:
    """Columns of its row."""
    values = {each.name: getattr(definition, each.name) for each in fields(definition)}
    return {**values, "spec": dict(definition.spec), "params": dict(definition.params)}


# ------------------------------------------------------------------------------------------------------ operating


def pause(tx: Transaction, name: str, actor: str, reason: str = "") -> ScheduleView:
    """Stops it from queueing runs until it is resumed. Raises NotFound, Conflict when it is paused already."""
    row = get_schedule(tx.session, name)
    if not row.enabled:
        raise Conflict(
            f"schedule {name} is paused already",
            where=f"schedule {name}",
            remedy=f"`trainshed schedules resume {name}`",
        )
    row.enabled, row.paused_reason, row.rev = False, reason or f"by {actor}", tx.rev
    _tell(tx, name, "paused", f"schedule {name} is paused: {row.paused_reason}", actor)
    return schedule_view(row)


def resume(tx: Transaction, name: str, actor: str, next_at: int | None) -> ScheduleView:
    """Lets it run again from `next_at` (µs) on; what fell into the pause is not caught up (its only time is told).

    Raises NotFound, Conflict when it is not paused.
    """
    row = get_schedule(tx.session, name)
    if row.enabled:
        raise Conflict(
            f"schedule {name} is not paused", where=f"schedule {name}", remedy=f"`trainshed schedules pause {name}`"
        )
    row.enabled, row.paused_reason, row.failures, row.rev = True, "", 0, tx.rev
    missed, row.next_at = row.next_at, None if row.broken else next_at
    _tell(tx, name, "resumed", f"schedule {name} is resumed", actor)
    if missed is not None and next_at is None:
        at = f"{from_us(missed):%Y-%m-%d %H:%M:%S} UTC"
        _tell(tx, name, "missed", f"schedule {name}: its time, {at}, fell into the pause and is not made up", actor)
    return schedule_view(row)


def run_ended(tx: Transaction, name: str, run: int, state: RunState) -> None:
    """Counts failures in a row; at the schedule's limit it is paused."""
    row = tx.session.get(Schedule, name)
    if row is None or state == "cancelled":
        return
    failures = 0 if state in GOOD else row.failures + 1
    if failures == row.failures:
        return
    row.failures, row.rev = failures, tx.rev
    if row.enabled and row.pause_after_failures is not None and failures >= row.pause_after_failures:
        row.enabled, row.paused_reason = False, f"{failures} runs in a row did not succeed, the last was run {run}"
        _tell(tx, name, "paused", f"schedule {name} is paused: {row.paused_reason}")


# -------------------------------------------------------------------------------------------------------- reading


def get_schedule(session: Session, name: str) -> Schedule:
    """The row. Raises NotFound."""
    row = session.get(Schedule, name)
    if row is None:
        raise NotFound(
            f"there is no schedule {name}", where=f"schedule {name}", remedy="see `trainshed schedules list`"
        )
    return row


def list_schedules(session: Session) -> list[ScheduleView]:
    """By name."""
    return [schedule_view(row) for row in session.exec(select(Schedule).order_by(col(Schedule.name)))]


def all_rows(session: Session) -> list[Schedule]:
    return list(session.exec(select(Schedule)))


def rows_by_name(session: Session, most: int, after: str | None) -> list[Schedule]:
    """`after`: the token of the page before."""
    query = select(Schedule).order_by(col(Schedule.name)).limit(most)
    if after is not None:
        (name,) = decode_token(after, str)
        query = query.where(col(Schedule.name) > name)
    return list(session.exec(query))


def next_due(session: Session) -> int | None:
    """When (µs) the next schedule wants attention; None when none does."""
    return session.exec(select(func.min(Schedule.next_at)).where(col(Schedule.enabled).is_(True))).one()


def due_rows(session: Session, now: int, limit: int) -> list[Schedule]:
    """Rows whose time has come, the longest waiting first."""
    query = select(Schedule).where(col(Schedule.enabled).is_(True), col(Schedule.next_at) <= now)
    return list(session.exec(query.order_by(col(Schedule.next_at), col(Schedule.name)).limit(limit)))


def schedule_view(row: Schedule) -> ScheduleView:
    """The row as it goes over the wire."""
    return ScheduleView(
        name=row.name,
        job=row.job,
        spec=describe(row.spec),
        timezone=row.timezone,
        overlap=cast(Overlap, row.overlap),
        catch_up=cast(CatchUp, row.catch_up),
        enabled=row.enabled,
        paused_reason=row.paused_reason,
        broken=row.broken,
        next_at=from_us(row.next_at) if row.enabled else None,
        last_at=from_us(row.last_at),
        failures=row.failures,
        rev=row.rev,
    )


_UNITS: Final = (("w", 604_800), ("d", 86_400), ("h", 3600), ("m", 60))


def describe(spec: Mapping[str, Any]) -> str:
    """`0 3 * * *`, `every 6h`, `once at 2026-03-01 02:00:00 UTC`."""
    if "cron" in spec:
        return str(spec["cron"])
    if "at_us" in spec:
        return f"once at {from_us(int(spec['at_us'])):%Y-%m-%d %H:%M:%S} UTC"
    seconds = float(spec["every_s"])
    for unit, size in _UNITS:
        if seconds >= size and seconds % size == 0:
            return f"every {seconds / size:g}{unit}"
    return f"every {seconds:g}s"


def _tell(tx: Transaction, name: str, what: str, message: str, actor: str = "daemon") -> None:
    events.append(tx, actor=actor, kind=f"schedule.{what}", subject=f"schedule {name}", message=message)
