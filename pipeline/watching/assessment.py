"""What is said of one window beyond its profile: how good its answers were, how they were given, and what wants a
person. And over the last windows together: what has been found often enough. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from pipeline.watching.assessed import Assessed, plain

AT_ONCE: Final = frozenset({"service", "freshness", "skew", "rot"})
"""Kinds that the newest window decides: what is found there is certain, and waits for no second one."""


@dataclass(frozen=True, kw_only=True)
class Assessment:
    """Of one window."""

    labelled: int = 0
    """Rows."""
    performance: Mapping[str, Any] = field(default_factory=dict)
    """As `store.wire.WindowPerformance` has it; empty without labels."""
    estimate: Mapping[str, Any] = field(default_factory=dict)
    service: Mapping[str, Any] = field(default_factory=dict)
    objective: tuple[float, float] | None = None
    """Of the version's objective: value and standard error."""
    verdicts: Sequence[Mapping[str, Any]] = ()
    """Each an `Assessed` as a document."""
    truth: Mapping[str, Any] = field(default_factory=dict)
    """The tally of its labels' profile; empty without labels."""
    notes: Sequence[str] = ()

    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = plain(asdict(self))
        return found

    @classmethod
    def from_document(cls, said: Mapping[str, Any]) -> Assessment:
        known = dict(said)
        objective = known.pop("objective")
        return cls(objective=None if objective is None or None in objective else (*objective,), **known)


@dataclass(frozen=True)
class Standing:
    """One thing over the last windows."""

    newest: Assessed
    """Of the last window that could say something."""
    found: int
    windows: int

    @property
    def stands(self) -> bool:
        return self.newest.answer == "found"


def standings(assessments: Sequence[Assessment], windows: int, needed: int) -> list[Standing]:
    """Of each (kind, subject), oldest window first: it stands when `needed` of the last `windows` windows that could
    say something found it; of some kinds (`AT_ONCE`) the newest alone decides. A slice that none of the last windows
    has in which its whole could be judged does not stand."""
    told: dict[tuple[str, str], dict[int, Assessed]] = {}
    for place, one in enumerate(assessments):
        for said in map(read, one.verdicts):
            if said.answer != "not yet":
                told.setdefault((said.kind, said.subject), {})[place] = said
    found = []
    for (kind, _), each in told.items():
        newest_place, newest = max(each.items())
        whole = sorted(told.get((kind, newest.part_of), ()))[-windows:]
        gone = len(whole) == windows and newest_place < whole[0]
        found.append(_gone(newest, windows) if gone else _standing(list(each.values()), windows, needed))
    return found


def read(said: Mapping[str, Any]) -> Assessed:
    """What `Assessed.document` wrote."""
    return Assessed(**said)


def covered(standing: Iterable[Standing]) -> dict[str, list[str]]:
    """Kind → subjects that something could be said of: what is not found of those is over."""
    found: dict[str, list[str]] = {}
    for one in standing:
        found.setdefault(one.newest.kind, []).append(one.newest.subject)
    return found


def _standing(known: Sequence[Assessed], windows: int, needed: int) -> Standing:
    """`known`: of the windows that could say something, oldest first."""
    wide, least = (1, 1) if known[-1].kind in AT_ONCE else (windows, needed)
    last = known[-wide:]
    found = [one for one in last if one.answer == "found"]
    newest = found[-1] if len(found) >= least else next((one for one in reversed(last) if one.answer != "found"), None)
    return Standing(newest or _waits(found[-1], least), len(found), len(last))


def _gone(one: Assessed, windows: int) -> Standing:
    """A slice without rows enough for long."""
    reason = f"none of the last {windows} windows in which {one.part_of} could be judged has labelled rows enough of it"
    return Standing(replace(one, answer="clear", reason=reason, evidence={}, suggestion=""), 0, 0)


def _waits(one: Assessed, least: int) -> Assessed:
    """Found, and not often enough yet."""
    reason = f"{one.reason}; {least} windows are needed"
    return Assessed(kind=one.kind, subject=one.subject, answer="not yet", title=one.title, reason=reason)
