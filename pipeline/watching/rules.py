"""Whether a report has a model trained anew. Pure: what was reported and trained → a decision with its reason.

    bad in each of the last `reports` reports  →  no train run of the model waits or runs  →  the last training by this
    rule is longer ago than `cool_down`  →  fewer than `budget` trainings in the last `per`  →  retrain

The first of them that is not so says why nothing is done. A report that cannot say (`not yet`) is neither bad nor good:
it ends no row of bad ones, and makes none longer. Reports over the same windows, told again as labels come, are one.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from store.words import AlertKind

Do = Literal["nothing", "retrain"]
Then = Literal["candidate", "canary"]
_NAMED: Final = 3
"""Findings that a reason names; of the others it tells how many there are."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """`[monitors.NAME.retrain]`."""

    on: Collection[AlertKind] = ("drift", "performance")
    """Kinds of findings that count."""
    reports: int = 2
    """Reports in a row that must have such a finding."""
    cool_down: timedelta = timedelta(days=7)
    """Between two trainings by this rule."""
    budget: int = 3
    """Trainings by this rule in any span of `per`."""
    per: timedelta = timedelta(days=30)
    then: Then = "candidate"
    """What becomes of a version that beats production on the newest labelled window."""


@dataclass(frozen=True, kw_only=True)
class Reported:
    """A report, as far as a rule reads it."""

    id: int
    until: datetime | None
    """End of the newest window that it is over; None: it is over none."""
    said: bool
    """Whether it could say anything: not `not yet`."""
    findings: Sequence[tuple[AlertKind, str]] = ()
    """Kind and title of each."""


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A train run that this rule has asked for, whatever became of it."""

    run: int
    at: datetime


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is known when a report is there."""

    reports: Sequence[Reported]
    """Of this monitor, oldest first; the last is the one to be judged."""
    trained: Sequence[Trained] = field(default=())
    """By this rule, in any order."""
    busy: str = ""
    """The train run of the model that waits or runs, as sentences call it; empty: there is none."""


@dataclass(frozen=True, kw_only=True)
class Decision:
    do: Do
    reason: str
    """A sentence with its numbers."""


def decide(rule: Rule, facts: Facts, now: datetime) -> Decision:
    """For the newest report. It never retrains twice for one report, if the run is in `trained` or `busy` by then."""
    bad = _row_of_bad(rule, facts.reports)
    if bad == 0:
        return _nothing(_why_not_bad(rule, facts.reports))
    if bad < rule.reports:
        return _nothing(
            f"{_count(bad, 'report')} in a row with {_kinds(rule)}; {_needed(rule)}, each over newer windows"
        )
    found = _found(rule, facts.reports)
    if facts.busy:
        return _nothing(f"{found}, but {facts.busy}")
    last = max((one.at for one in facts.trained), default=None)
    if last is not None and now - last < rule.cool_down:
        left = _span(last + rule.cool_down - now)
        waits = f"this rule had it trained {_span(now - last)} ago, and it cools down for {_span(rule.cool_down)}"
        return _nothing(f"{found}, but {waits}: {left} are left")
    spent = [one for one in facts.trained if now - one.at < rule.per]
    if len(spent) >= rule.budget:
        had = f"this rule had it trained {_count(len(spent), 'time')} in {_span(rule.per)}"
        return _nothing(f"{found}, but {had}, and its budget is {rule.budget}: it may be that training does not help")
    return Decision(do="retrain", reason=f"{found}, in {_count(bad, 'report')} in a row; {_needed(rule)}")


def _row_of_bad(rule: Rule, reports: Sequence[Reported]) -> int:
    """Bad reports in a row up to the newest, which has to be one that could say something. Of those over the same
    windows the newest counts."""
    row, seen = 0, set[datetime]()
    for report in reversed(reports):
        if not report.said:
            if row == 0:
                return 0
            continue
        if report.until in seen:
            continue
        if not _counts(rule, report):
            return row
        row += 1
        if report.until is not None:
            seen.add(report.until)
    return row


def _counts(rule: Rule, report: Reported) -> list[str]:
    return [title for kind, title in report.findings if kind in rule.on]


def _why_not_bad(rule: Rule, reports: Sequence[Reported]) -> str:
    if not reports:
        return "there is no report yet"
    newest = reports[-1]
    if not newest.said:
        return f"report {newest.id} cannot say anything yet"
    return f"report {newest.id} has found no {_kinds(rule)}"


def _found(rule: Rule, reports: Sequence[Reported]) -> str:
    titles = _counts(rule, reports[-1])
    more = f" and {len(titles) - _NAMED} more" if len(titles) > _NAMED else ""
    return ", ".join(titles[:_NAMED]) + more


def _kinds(rule: Rule) -> str:
    return " or ".join(rule.on)


def _needed(rule: Rule) -> str:
    return "1 is needed" if rule.reports == 1 else f"{rule.reports} are needed"


def _nothing(reason: str) -> Decision:
    return Decision(do="nothing", reason=reason)


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _span(length: timedelta) -> str:
    """`2d 3h`, `40m`: the largest unit and the next."""
    seconds = max(0, round(length.total_seconds()))
    for unit, per_unit, part, per_part in (("d", 86_400, "h", 3600), ("h", 3600, "m", 60), ("m", 60, "s", 1)):
        if seconds >= per_unit:
            rest = seconds % per_unit // per_part
            return f"{seconds // per_unit}{unit}" + (f" {rest}{part}" if rest else "")
    return f"{seconds}s"
