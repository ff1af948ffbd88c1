"""One invented run after the other: of twelve jobs, in every state but those that need a process."""

from __future__ import annotations

import math
import random
from collections.abc import Iterable
from typing import Any, Final

from benchmarks.made.batch import Batch, History
from benchmarks.made.results import left_behind
from store.events import Line
from store.times import SECOND

EVERY_S: Final = 25
"""Seconds from one run to the next."""
DATASETS: Final = ("airports", "weather", "flights_raw", "flights", "carriers", "bookings")
VIEWS: Final = ("habits", "delays")
MODELS: Final = ("late", "demand", "price")
JOBS: Final = (
    *(("etl", name) for name in DATASETS),
    *(("features", name) for name in VIEWS),
    *(("train", name) for name in MODELS),
    ("backup", "home"),
)
OUTCOMES: Final = {"succeeded": 78, "skipped": 10, "failed": 6, "cancelled": 2, "upstream_failed": 3, "lost": 1}
ACTORS: Final = {"daemon": 85, "ann": 9, "bob": 5, "charlotte": 1}
FAULTS: Final = (
    "the source does not answer: connection refused by 10.0.{}.7",
    "loss is not a number at step {}",
    "{} rows have a carrier that is not in carriers",
    "the disk is full: {} MB are needed",
)


def add_run(batch: Batch, history: History, run: int, *, queued: bool) -> None:
    numbers = history.numbers
    kind, target = JOBS[numbers.choices(range(len(JOBS)), [8] * len(DATASETS) + [7] * 2 + [10] * 3 + [1])[0]]
    job = "backup" if kind == "backup" else f"{kind}:{target}"
    state = "queued" if queued else numbers.choices(list(OUTCOMES), list(OUTCOMES.values()))[0]
    actor = numbers.choices(list(ACTORS), list(ACTORS.values()))[0]
    created = history.begins + run * EVERY_S * SECOND + numbers.randrange(SECOND)
    started = None if state in ("queued", "upstream_failed") else created + int(numbers.expovariate(0.5) * SECOND)
    took = int(numbers.lognormvariate(math.log(300 if kind == "train" else 8), 1.0) * SECOND)
    ended = None if state == "queued" else (started or created) + took
    made = left_behind(batch, history, run, kind, target, ended or created) if state == "succeeded" else ""
    reason = _reason(numbers, state, actor, run)
    batch.runs.append(
        {
            "id": run,
            "job": job,
            "kind": kind,
            "target": target,
            "state": state,
            "reason": reason,
            "fault": {"code": "TrainingError", "what": reason} if state == "failed" else None,
            "trigger": "manual" if actor != "daemon" else "schedule",
            "actor": actor,
            "schedule": "nightly_" + target if actor == "daemon" else None,
            "scheduled_for": created if actor == "daemon" else None,
            "group": None,
            "params": {"seed": run % 7} if kind == "train" else {},
            "force": False,
            "priority": numbers.choice((0, 0, 0, 0, 0, 0, 0, 5, 10, -5)),
            "pool": "gpu" if kind == "train" else "default",
            "slots": 1,
            "attempt": 0 if started is None else 1,
            "max_attempts": 3,
            "retry_delay_s": 10.0,
            "created_at": created,
            "not_before": created + 10**15 if queued else None,
            "started_at": started,
            "ended_at": ended,
            "last_event_at": ended,
            "done": 100.0 if state == "succeeded" else None,
            "total": 100.0 if state == "succeeded" else None,
            "unit": "steps" if kind == "train" else "rows",
            "message": made,
            "fingerprint": f"{run:064x}" if state in ("succeeded", "skipped") else "",
        }
    )
    if started is not None and ended is not None:
        batch.attempts.append(_attempt(run, state, reason, started, ended))
    batch.lines += _told(run, job, state, actor, reason)


def _reason(numbers: random.Random, state: str, actor: str, run: int) -> str:
    if state in ("succeeded", "queued"):
        return ""
    said = {
        "skipped": "up to date: no input has changed",
        "cancelled": f"cancelled by {actor}",
        "upstream_failed": f"run {run - 1} failed",
        "lost": "the machine was started anew",
    }
    return said.get(state) or numbers.choice(FAULTS).format(numbers.randrange(1000))


def _attempt(run: int, state: str, reason: str, started: int, ended: int) -> dict[str, Any]:
    return {
        "run": run,
        "number": 1,
        "nonce": f"{run:032x}",
        "state": state,
        "reason": reason,
        "boot_id": "5c1b",
        "exit_code": 0 if state in ("succeeded", "skipped") else 70,
        "started_at": started,
        "ended_at": ended,
        "spool_offset": 4000,
        "spool_seq": 30,
        "peak_rss": 300_000_000,
        "cpu_s": 12.5,
    }


def _told(run: int, job: str, state: str, actor: str, reason: str) -> Iterable[Line]:
    """As the store tells it: the past is read from this."""
    words = {"queued": f"{job} is queued as run {run}", "running": f"attempt 1 of {job} is running"}
    words[state] = words.get(state) or f"{job} {state}" + (f": {reason}" if reason else "")
    for number, to in enumerate(dict.fromkeys(("queued", "running", state)) if state != "queued" else ("queued",)):
        yield Line(
            actor="daemon" if number else actor,
            kind=f"run.{to}",
            subject=f"run {run}",
            message=words[to],
            data={"job": job, "to": to, "attempt": min(number, 1), "reason": reason if to == state else ""},
        )
