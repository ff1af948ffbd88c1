"""What retention would remove now: a look at everything that is old, bounded, and nothing is changed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from sqlmodel import Session

from daemon.keeping import policy_of
from daemon.runfolders import size_of
from pipeline.config import Project
from pipeline.config.base import duration_text
from store import oldruns
from store.home import Home
from store.retention import Verdict
from store.times import from_us
from store.wire import PruneJob, PruneRun, PruneView

SHOWN: Final = 50
"""Runs that are named, of each kind."""
LOOKING_S: Final = 5.0
MEASURING_S: Final = 2.0


@dataclass
class _Seen:
    going: list[Verdict] = field(default_factory=list)
    staying: list[Verdict] = field(default_factory=list)
    complete: bool = True


def preview(session: Session, home: Home, project: Project, now: int, monotonic: Callable[[], float]) -> PruneView:
    """`now`: µs."""
    seen = _look(session, project, now, monotonic)
    size, measured = _measure(home, seen.going, monotonic)
    keep = project.daemon.keep_runs
    return PruneView(
        keep="off" if keep is None else duration_text(keep),
        keep_newest=project.daemon.keep_newest,
        runs=len(seen.going),
        bytes=size,
        measured=measured,
        jobs=_by_job(seen.going),
        goes=[_told(one) for one in seen.going[:SHOWN]],
        stays=[_told(one) for one in seen.staying[:SHOWN]],
        staying=len(seen.staying),
        complete=seen.complete,
    )


def _look(session: Session, project: Project, now: int, monotonic: Callable[[], float]) -> _Seen:
    seen, until = _Seen(), monotonic() + LOOKING_S
    for verdicts in oldruns.pages(session, policy_of(project), now):
        seen.going += [one for one in verdicts if one.goes]
        seen.staying += [one for one in verdicts if one.old and not one.goes]
        if monotonic() > until:
            seen.complete = False
            break
    return seen


def _measure(home: Home, going: list[Verdict], monotonic: Callable[[], float]) -> tuple[int, int]:
    """Bytes, and of how many."""
    size, until = 0, monotonic() + MEASURING_S
    for number, one in enumerate(going):
        if monotonic() > until:
            return size, number
        size += size_of(home, one.run)
    return size, len(going)


def _by_job(going: list[Verdict]) -> list[PruneJob]:
    """Most runs first."""
    ended: dict[str, list[int]] = {}
    for one in going:
        ended.setdefault(one.job, []).append(one.ended_at or 0)
    found = [
        PruneJob(job=job, runs=len(at), first=from_us(min(at)), last=from_us(max(at))) for job, at in ended.items()
    ]
    return sorted(found, key=lambda one: (-one.runs, one.job))


def _told(one: Verdict) -> PruneRun:
    return PruneRun(run=one.run, job=one.job, ended_at=from_us(one.ended_at or 0), why=one.why)
