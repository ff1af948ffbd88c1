"""Runs of any job that have ended, through the store, as a daemon would have written them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, cast

from sqlalchemy import text

from store import lifecycle, oldruns, queue
from store.engine import Record
from store.queue import NewRun
from store.retention import Policy, Verdict
from store.times import to_us
from store.words import JobKind, RunState

DAY_S: Final = 86_400.0
DAY: Final = 86_400_000_000
KEEP: Final = Policy(keep_us=30 * DAY, newest=1)


def queued(record: Record, *jobs: str, **other: Any) -> list[int]:
    """One submission: each waits for the one before it."""
    new = []
    for number, job in enumerate(jobs):
        kind, _, target = job.partition(":")
        known: dict[str, Any] = {"trigger": "manual", "actor": "ann"}
        last = other if number == len(jobs) - 1 else {}
        waits = {"depends_on": (jobs[number - 1],)} if number else {}
        new.append(NewRun(job=job, kind=cast(JobKind, kind), target=target, **{**known, **waits, **last}))
    with record.transaction() as tx:
        return queue.submit(tx, new)


def end(record: Record, run: int, state: RunState = "succeeded", *, fingerprint: str = "f") -> int:
    with record.transaction() as tx:
        lifecycle.start_attempt(tx, run, nonce="n")
        lifecycle.mark_running(tx, run, 1)
        lifecycle.settle(tx, run, state, reason=f"so ended run {run}")
        tx.finish()
        tx.connection.execute(text("UPDATE run SET fingerprint = :f WHERE id = :r"), {"f": fingerprint, "r": run})
    return run


def ended(record: Record, job: str, state: RunState = "succeeded", *, fingerprint: str = "f", **other: Any) -> int:
    return end(record, queued(record, job, **other)[-1], state, fingerprint=fingerprint)


def verdicts(record: Record, policy: Policy = KEEP) -> dict[int, Verdict]:
    """Run → what becomes of it."""
    now = to_us(record._clock())
    with record.read() as session:
        return {one.run: one for page in oldruns.pages(session, policy, now) for one in page}


def going(record: Record, policy: Policy = KEEP) -> list[int]:
    return sorted(run for run, one in verdicts(record, policy).items() if one.goes)


def whys(record: Record, runs: Sequence[int], policy: Policy = KEEP) -> list[str]:
    found = verdicts(record, policy)
    return [found[run].why for run in runs]
