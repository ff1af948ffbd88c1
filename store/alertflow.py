"""What findings do to the alerts that there are. Pure: facts in, changes out.

    nothing   → open                        it is found for the first time
    open      → acknowledged                somebody knows of it (store/alerts.py)
    open, acknowledged → resolved           a look that could have found it did not, or somebody says that it is over
    resolved  → as before                   it is found again before it has settled: the same alert
    acknowledged → open                     it has become worse than what was acknowledged

No storm: an end is told once it has lasted for `settle`, and a return before that is told nobody, but for reminders,
at most one in each `repeat`. So whatever comes and goes, however fast, is one message and its reminders. An alert keeps
the worst severity it ever had until it is over.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from store.findings import Covered, Finding, Policy
from store.words import SEVERITIES, AlertKind, AlertSeverity, AlertState, Told

Move = Literal["opened", "seen", "escalated", "reopened", "resolved"]


@dataclass(frozen=True, kw_only=True)
class Known:
    """An alert of the same source as it stands: unresolved, or resolved not longer than `settle` ago."""

    id: int
    kind: AlertKind
    subject: str
    severity: AlertSeverity
    state: AlertState
    acknowledged: bool
    """Somebody has, even if it was resolved since."""
    by_hand: bool
    """It is resolved because somebody said so."""
    resolved_at: int | None
    told_at: int
    """When its channels were last to be told that it is there."""


@dataclass(frozen=True, kw_only=True)
class Change:
    """What becomes of one alert. `known` is None for a new one, `finding` for one that is over."""

    move: Move
    known: Known | None
    finding: Finding | None
    state: AlertState
    severity: AlertSeverity
    tell: Told | None
    due: int
    """When (µs) to tell it."""


def transition(
    known: Iterable[Known], findings: Sequence[Finding], covered: Covered, at: int, policy: Policy
) -> list[Change]:
    """The changes, in the order of the findings; what is over comes last. `at`: µs since 1970 UTC.

    Of several findings about one thing the worst counts. A finding covers itself.
    """
    alerts = {(one.kind, one.subject): one for one in known if _is_still(one, at, policy)}
    worst: dict[tuple[AlertKind, str], Finding] = {}
    for finding in findings:
        key = (finding.kind, finding.subject)
        if key not in worst or _rank(finding.severity) > _rank(worst[key].severity):
            worst[key] = finding
    found = [_found(alerts.get(key), finding, at, policy) for key, finding in worst.items()]
    return found + list(_over(alerts.values(), worst.keys(), covered, at, policy))


def _is_still(one: Known, at: int, policy: Policy) -> bool:
    """Whether a return would be the same alert."""
    return one.resolved_at is None or at - one.resolved_at < policy.settle_us


def _found(known: Known | None, finding: Finding, at: int, policy: Policy) -> Change:
    soon = at + policy.gather_us
    if known is None:
        return Change(
            move="opened",
            known=None,
            finding=finding,
            state="open",
            severity=finding.severity,
            tell="opened",
            due=soon,
        )
    worse = _rank(finding.severity) > _rank(known.severity)
    state: AlertState = "acknowledged" if known.acknowledged and not worse and not known.by_hand else "open"
    move: Move = "reopened" if known.state == "resolved" else "escalated" if worse else "seen"
    return Change(
        move=move,
        known=known,
        finding=finding,
        state=state,
        severity=finding.severity if worse else known.severity,
        tell=_tell(known, state, worse, at, policy),
        due=soon,
    )


def _tell(known: Known, state: AlertState, worse: bool, at: int, policy: Policy) -> Told | None:
    if worse:
        return "escalated"
    if known.by_hand:
        return "opened"  # they were told that it was over, by somebody who was mistaken
    if state == "open" and policy.repeat_us is not None and at - known.told_at >= policy.repeat_us:
        return "again"
    return None


def _over(
    alerts: Iterable[Known], found: Iterable[tuple[AlertKind, str]], covered: Covered, at: int, policy: Policy
) -> Iterator[Change]:
    there = set(found)
    for one in alerts:
        if one.state == "resolved" or (one.kind, one.subject) in there or not _covers(covered, one):
            continue
        yield Change(
            move="resolved",
            known=one,
            finding=None,
            state="resolved",
            severity=one.severity,
            tell="resolved",
            due=at + max(policy.settle_us, policy.gather_us),
        )


def _covers(covered: Covered, one: Known) -> bool:
    if one.kind not in covered:
        return False
    subjects = covered[one.kind]
    return subjects is None or one.subject in subjects


def _rank(severity: AlertSeverity) -> int:
    return SEVERITIES.index(severity)
