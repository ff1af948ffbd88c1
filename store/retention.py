"""Which old runs go, and why the others stay. Pure: facts in, for each run a verdict with its reason out."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from store.times import from_us


@dataclass(frozen=True, kw_only=True)
class Policy:
    """How long runs stay after their end."""

    keep_us: int | None
    """None: for ever."""
    of_jobs: Mapping[str, int | None] = field(default_factory=dict)
    """Of these jobs, in its place."""
    newest: int
    """Runs of a job that stay however old they are, at least 1."""

    def keep(self, job: str) -> int | None:
        """µs; None: for ever."""
        return self.of_jobs.get(job, self.keep_us)

    @property
    def shortest(self) -> int | None:
        """The least of all; None: nothing ever goes."""
        return min((keep for keep in (self.keep_us, *self.of_jobs.values()) if keep is not None), default=None)


@dataclass(frozen=True, kw_only=True)
class OldRun:
    """What has to be known of a run. Whatever is not empty keeps it."""

    id: int
    job: str
    ended_at: int | None
    """µs; None: it has not ended."""
    newest: bool = False
    """Among the newest of its job."""
    last_good: tuple[str, ...] = ()
    """Of which it is the last that ended well: `train:late`, `schedule nightly`."""
    last_of_schedule: str = ""
    due_again: str = ""
    """Schedule that may yet come to its time."""
    version: str = ""
    """`late 3`, which it made."""
    newest_of: str = ""
    """`flights@12`, which it made and which is the newest."""
    lineage: str = ""
    """Why what it made is still needed: `flights@9, from which late 3 was made`."""
    waited_for_by: int | None = None
    """Run that has not ended."""
    asked_for: int | None = None
    """Training that its report asked for and that is there."""
    alert: int | None = None
    """That is open and rests on its report."""
    last_report_of: str = ""
    """Monitor."""
    last_checks_of: str = ""
    """Dataset."""
    members: tuple[int, ...] = ()
    """Runs that are there because this one was asked for: it builds upon them."""


@dataclass(frozen=True, kw_only=True)
class Verdict:
    run: int
    job: str
    ended_at: int | None
    old: bool
    """It has been there for as long as its job keeps runs."""
    goes: bool
    why: str


def decide(runs: Sequence[OldRun], policy: Policy, now: int, gone: Collection[int] = ()) -> list[Verdict]:
    """One for each run, in their order. `now`: µs. `gone`: others that go.

    One that was asked for goes only when all that it built upon are gone, or go with it.
    """
    own = {run.id: _why_it_stays(run, policy, now) for run in runs}
    going = {run for run, why in own.items() if not why}
    while True:  # one that stays can keep another, whose number is higher
        kept = {run.id: _first_left(run, going, gone) for run in runs if run.id in going}
        staying = {run for run, member in kept.items() if member is not None}
        if not staying:
            break
        for run in staying:
            own[run] = f"run {kept[run]}, which it built upon, stays"
        going -= staying
    return [_verdict(run, policy, now, run.id in going, own[run.id]) for run in runs]


def _verdict(run: OldRun, policy: Policy, now: int, goes: bool, why: str) -> Verdict:
    old = not _too_young(run, policy, now)
    return Verdict(run=run.id, job=run.job, ended_at=run.ended_at, old=old, goes=goes, why=why or _age(run))


def _why_it_stays(run: OldRun, policy: Policy, now: int) -> str:
    """The first reason; empty if there is none."""
    young = _too_young(run, policy, now)
    return young or next((why for holds, why in _reasons(run, policy) if holds), "")


def _too_young(run: OldRun, policy: Policy, now: int) -> str:
    keep = policy.keep(run.job)
    if run.ended_at is None:
        return "it has not ended"
    if keep is None:
        return f"runs of {run.job} stay for ever"
    return "it is not old enough" if now - run.ended_at <= keep else ""


def _reasons(run: OldRun, policy: Policy) -> Sequence[tuple[object, str]]:
    return (
        (run.version, f"it made {run.version}"),
        (run.newest_of, f"it made {run.newest_of}, the newest"),
        (run.lineage, f"it made {run.lineage}"),
        (run.waited_for_by is not None, f"run {run.waited_for_by} waits for it"),
        (run.asked_for is not None, f"its report had the model trained again by run {run.asked_for}"),
        (run.alert is not None, f"alert {run.alert} rests on its report"),
        (run.last_report_of, f"its report is the last of monitor {run.last_report_of}"),
        (run.last_checks_of, f"it was the last to check {run.last_checks_of}"),
        (run.due_again, f"schedule {run.due_again} may come to its time again"),
        (run.last_good, f"it is the last good run of {' and '.join(run.last_good)}"),
        (run.last_of_schedule, f"it is the last run of schedule {run.last_of_schedule}"),
        (run.newest, f"it is one of the newest {policy.newest} of {run.job}"),
    )


def _first_left(run: OldRun, going: Collection[int], gone: Collection[int]) -> int | None:
    left = (member for member in run.members if member not in going and member not in gone and member != run.id)
    return next(left, None)


def _age(run: OldRun) -> str:
    assert run.ended_at is not None
    return f"it ended on {from_us(run.ended_at):%Y-%m-%d}, and nothing rests on it"
