"""The list of runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast, get_args

from sqlalchemy import select
from sqlmodel import Session

from store.listing.fields import Field, Listing, Live, Sort
from store.listing.pick import count, pick
from store.runs import run_view
from store.schema import METADATA
from store.tables import Run, kept
from store.wire import RunView, Window
from store.words import JobKind, RunState, Trigger

_RUN: Final = METADATA.tables["run"]
_TOOK: Final = "run.ended_at - run.started_at"
_LIVE: Final = Live(when="run.ended_at IS NULL", index="run_ended", sql=":now - run.started_at")
RUNS: Final = Listing(
    table="run",
    what="runs",
    fields={
        "id": Field(kind="number", sql="run.id"),
        "job": Field(kind="text", sql="run.job", index="run_job", listed=True),
        "kind": Field(kind="text", sql="run.kind", words=get_args(JobKind)),
        "target": Field(kind="text", sql="run.target"),
        "state": Field(kind="text", sql="run.state", index="run_state", words=get_args(RunState)),
        "reason": Field(kind="text", sql="run.reason"),
        "message": Field(kind="text", sql="run.message"),
        "trigger": Field(kind="text", sql="run.trigger", words=get_args(Trigger)),
        "actor": Field(kind="text", sql="run.actor", index="run_actor", listed=True),
        "schedule": Field(kind="text", sql="run.schedule", index="run_schedule", listed=True),
        "group": Field(kind="number", sql='run."group"', index="ix_run_group"),
        "priority": Field(kind="number", sql="run.priority", index="run_priority"),
        "pool": Field(kind="text", sql="run.pool"),
        "attempt": Field(kind="number", sql="run.attempt"),
        "created": Field(kind="time", sql="run.created_at", index="run_created"),
        "started": Field(kind="time", sql="run.started_at"),
        "ended": Field(kind="time", sql="run.ended_at", index="run_ended"),
        "took": Field(kind="duration", sql=_TOOK, index="run_took", live=_LIVE),
    },
    words=("job", "state", "reason", "message", "actor", "schedule"),
    sorts={
        "job": Sort(sql="run.job", index="run_job"),
        "state": Sort(sql="run.state", index="run_state"),
        "actor": Sort(sql="run.actor", index="run_actor"),
        "priority": Sort(sql="run.priority", index="run_priority"),
        "created": Sort(sql="run.created_at", index="run_created"),
        "ended": Sort(sql="run.ended_at", index="run_ended"),
        "took": Sort(sql=_TOOK, index="run_took"),
    },
    word_index="run_said",
    trigrams=kept.RUN_WORDS,
    by_number=Sort(sql="run.id", index="run_said"),
    has_metrics=True,
)


def window(session: Session, q: str, sort: str, offset: int, limit: int, now: int) -> Window[RunView]:
    """Runs number `offset` to `offset + limit - 1` of those that `q` leaves over, in the order of `sort`.

    `sort`: `id` or one of `RUNS.sorts` or `metric:NAME`, with a `-` before it the other way round. Sorted by a metric,
    the list holds the runs that have it. Raises Refused.
    """
    found = pick(session, RUNS, q, sort, offset, limit, now)
    return Window(items=views(session, found.ids, now), offset=offset, total=found.total)


def count_runs(session: Session, q: str, sort: str, now: int) -> int:
    """How many rows a window over the same filter and order has. Raises Refused."""
    return count(session, RUNS, q, sort, now)


def views(session: Session, ids: Sequence[int], now: int) -> list[RunView]:
    """In the order of the ids."""
    # Rows of the core have the attributes of a Run, at a third of the price.
    query = select(_RUN).where(_RUN.c.id.in_(ids))
    rows = {row.id: cast(Run, row) for row in session.connection().execute(query)}
    return [run_view(rows[run], now) for run in ids if run in rows]
