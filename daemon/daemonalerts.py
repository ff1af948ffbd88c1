"""What the daemon sees by itself that may be an alert: what needs a person, and how the one before it ended. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from store.alive import Died
from store.findings import Covered, Finding
from store.times import from_us
from store.wire import NeedView, RunView
from store.words import ENDED, AlertKind, AlertSeverity

NEEDS: Final = "daemon:needs"
"""Source of alerts that say what the overview says anyway: they are there for the channels."""
LIFE: Final = "daemon:life"


def findings_of(needs: Iterable[NeedView], last: Iterable[RunView]) -> list[Finding]:
    """Those needs that somebody who is not looking should hear of. `last`: each job's newest run."""
    by_hand = {run.id for run in last if run.trigger == "manual"}
    return [found for need in needs if (found := _finding(need, by_hand)) is not None]


def covered_by(last: Iterable[RunView]) -> Covered:
    """What a look at the needs can find. A job that runs again may yet fail again: nothing is known of it."""
    jobs = [run.job for run in last if run.state in ENDED]
    return {"run": jobs, "daemon": None, "freshness": None, "service": None}


def _finding(need: NeedView, by_hand: set[int]) -> Finding | None:
    kind = _kind(need, by_hand)
    if kind is None:
        return None
    title, _, reason = need.message.partition(": ")
    return Finding(
        kind=kind,
        subject=need.target.name if kind in ("run", "freshness") else need.subject,
        severity=_severity(need),
        title=title,
        reason=reason or title,
        suggestion=need.command,
        model=need.target.name if need.target.kind == "version" else "",
    )


def _kind(need: NeedView, by_hand: set[int]) -> AlertKind | None:
    match need.target.kind:
        case "run":
            return None if need.target.number in by_hand or need.severity != "fail" else "run"
        case "job":
            return "freshness"
        case "schedule" | "queue" | "daemon":
            return "daemon"
        case "version":  # of those that are a fault: a canary or an experiment that was taken back
            return "service" if need.severity == "fail" else None
    return None


def _severity(need: NeedView) -> AlertSeverity:
    """A failed run is a warning: its schedule will try again. What stops all work, or what is served, is critical."""
    return "critical" if need.severity == "fail" and need.target.kind != "run" else "warning"


def of_death(last: Died, *, again: bool) -> Finding:
    """A daemon that did not stop as it should; `again`: within a day of another death (daemon/watchman.py)."""
    started, seen = from_us(last.started_at), from_us(last.last_at)
    return Finding(
        kind="daemon",
        subject="unclean end",
        severity="critical" if again else "warning",
        title="the daemon had died again" if again else "the daemon had died",
        reason=(
            f"the one that started at {started:%Y-%m-%d %H:%M:%S} UTC was killed, crashed or lost its machine, or this "
            f"home is a copy made while it ran: its last sign of life is of {seen:%Y-%m-%d %H:%M:%S} UTC"
        ),
        evidence={"started_at": started.isoformat(), "last_sign_at": seen.isoformat()},
        suggestion="see the end of daemon.log of that time, and `journalctl -k` for a process killed for memory; then "
        "resolve this alert",
    )


def keys_of(findings: Iterable[Finding]) -> Iterator[tuple[AlertKind, str]]:
    """What they are about."""
    for finding in findings:
        yield finding.kind, finding.subject
