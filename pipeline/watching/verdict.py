"""Has a column drifted? The rule: an effect of a size that matters, above chance, in enough of the last windows."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final, Literal

from pipeline.watching.measures import Measures

Answer = Literal["drifted", "steady", "not yet"]
"""`not yet`: there are too few rows to say."""
MeasureName = Literal["psi", "ks", "wasserstein", "missing", "new"]
_CHANCE: Final[dict[MeasureName, float]] = {"psi": 0.0, "ks": 2.23, "wasserstein": 3.9, "missing": 3.9, "new": 3.9}
"""Times √(1/n + 1/m): what a measure exceeds by chance about once in 10,000 windows. √(ln(2·10⁴)/2) of Smirnov's
limit for D; the two-sided normal quantile of a shift in standard deviations and of Cohen's h. PSI has its chance taken
off already, and what is left stays below its limit from 500 rows on."""


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Sizes from which on a difference matters."""

    psi: float = 0.2
    ks: float = 0.1
    wasserstein: float = 0.2
    """Standard deviations of the reference."""
    missing: float = 0.2
    """Cohen's h: from 0 to 1 % of the rows, or from 50 to 60 %."""
    new: float = 0.2
    """The same, of words that the reference hardly knew."""


@dataclass(frozen=True, kw_only=True)
class Rules:
    """When a column counts as drifted."""

    limits: Limits = field(default_factory=Limits)
    least_rows: int = 500
    """Of a window, and of the reference: on fewer nothing is said."""
    windows: int = 3
    """The last so many windows are looked at."""
    needed: int = 2
    """In so many of them the same measure has to reach its limit."""
    measures: tuple[MeasureName, ...] = ("psi", "ks", "wasserstein", "missing", "new")
    """Those that can alarm."""

    def __post_init__(self) -> None:
        if not 1 <= self.needed <= self.windows:
            raise ValueError(f"{self.needed} of {self.windows} windows cannot be needed")


@dataclass(frozen=True)
class Finding:
    """What one measure says."""

    measure: MeasureName
    reached: int
    """Windows in which it reached its limit."""
    value: float
    """Of the newest window that has it."""
    limit: float
    """There: its size that matters, or what chance gives if that is more."""
    reason: str


@dataclass(frozen=True)
class Verdict:
    """`reason`: the sentence that decided."""

    answer: Answer
    reason: str
    findings: tuple[Finding, ...]
    """The measures that the column has, the most telling first."""


def decided(windows: Sequence[Measures], rules: Rules) -> Verdict:
    """`windows`: of one column against one reference, oldest first. Windows below the floor of rows do not count."""
    if not rules.measures:
        return Verdict("not yet", "no measure of single columns is wanted", ())
    few = _too_few(windows, rules)
    if few is not None:
        return Verdict("not yet", few, ())
    last = [one for one in windows if one.rows >= rules.least_rows][-rules.windows :]
    found = sorted(_findings(last, rules), key=lambda one: (-one.reached, -one.value / one.limit))
    if not found:
        return Verdict("not yet", "neither the reference nor the windows have a value to compare", ())
    if found[0].reached >= rules.needed:
        told = [one.reason for one in found if one.reached >= rules.needed]
        return Verdict("drifted", "; ".join(told), tuple(found))
    return Verdict("steady", found[0].reason, tuple(found))


def _too_few(windows: Sequence[Measures], rules: Rules) -> str | None:
    reference = max((one.reference_rows for one in windows), default=rules.least_rows)
    if reference < rules.least_rows:
        return f"the reference has {reference:,} rows, and at least {rules.least_rows:,} are needed"
    full = sum(one.rows >= rules.least_rows for one in windows)
    if full < rules.needed:
        some = "1 window" if full == 1 else f"{full} windows"
        return f"{some} of at least {rules.least_rows:,} rows so far, and {rules.needed} are needed"
    return None


def _findings(windows: Sequence[Measures], rules: Rules) -> Iterator[Finding]:
    for name in rules.measures:
        known = [(one, value) for one in windows if (value := _VALUES[name](one)) is not None]
        if known:
            limits = [_limit(name, one, rules.limits) for one, _ in known]
            reached = sum(value >= limit for (_, value), limit in zip(known, limits, strict=True))
            newest, value = known[-1]
            where = "" if value >= limits[-1] or not reached else " in the newest window"
            said = f"{_WORDS[name](newest)} {_than(value, limits[-1], where)}"
            reason = f"{said}; {reached} of {len(windows)} windows reach it"
            yield Finding(name, reached, value, limits[-1], reason)


def against_limits(one: Measures, rules: Rules) -> dict[MeasureName, tuple[float, float]]:
    """Measure → (value, limit) of those that can alarm, of one window."""
    found = {name: (_VALUES[name](one), _limit(name, one, rules.limits)) for name in rules.measures if one.rows}
    return {name: (value, limit) for name, (value, limit) in found.items() if value is not None}


def _limit(name: MeasureName, one: Measures, limits: Limits) -> float:
    matters: float = getattr(limits, name)
    n, m = one.reference_rows, one.rows
    if name in ("ks", "wasserstein"):
        n, m = n if one.reference_values is None else one.reference_values, m if one.values is None else one.values
    return max(matters, _CHANCE[name] * math.sqrt(1 / max(1, m) + 1 / max(1, n)))


def _than(value: float, limit: float, where: str) -> str:
    return f"{value:.3f}{where} where {limit:.3g} counts"


def _size(effect: float | None) -> float | None:
    return None if effect is None else abs(effect)


_VALUES: Final[dict[MeasureName, Callable[[Measures], float | None]]] = {
    "psi": lambda one: one.psi,
    "ks": lambda one: one.ks,
    "wasserstein": lambda one: one.wasserstein,
    "missing": lambda one: _size(one.missing_effect),
    "new": lambda one: None if one.new_effect is None else max(0.0, one.new_effect),
}


def _missing(one: Measures) -> str:
    return f"{one.missing or 0:.1%} have no value and {one.reference_missing or 0:.1%} of the reference, an effect of"


def _new(one: Measures) -> str:
    told = f"{', '.join(one.examples)}; " if one.examples else ""
    told += f"{one.reference_new or 0:.1%} there"
    return f"{one.new or 0:.1%} are words that the reference hardly has ({told}), an effect of"


_WORDS: Final[dict[MeasureName, Callable[[Measures], str]]] = {
    "psi": lambda one: "PSI",
    "ks": lambda one: "Kolmogorov-Smirnov",
    "wasserstein": lambda one: "Wasserstein in deviations",
    "missing": _missing,
    "new": _new,
}
