"""What a treatment must not harm: non-inferiority with a margin, from intervals that may be looked at any time."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from pipeline.experiments.findings import Answer, Finding
from pipeline.experiments.metrics import Better
from pipeline.stats.estimates import Estimated

Intervals = Callable[[float], Estimated]
"""Alpha → treatment minus control with its always-valid interval, in the unit of the margin."""


@dataclass(frozen=True, kw_only=True)
class Guardrail:
    """A metric and how much worse it may become."""

    metric: str
    better: Better
    margin: float
    """In the unit of the intervals: of the metric itself, or of its lift. At least 0."""

    def __post_init__(self) -> None:
        if not self.margin >= 0.0:
            raise ValueError(f"{self.metric}: a margin is at least 0, not {self.margin}")


def judged(guardrail: Guardrail, intervals: Intervals, alpha: float, among: int = 1) -> Finding:
    """Harmed ("no") if the whole interval lies beyond the margin, kept ("yes") if none of it does.

    Each of `among` guardrails may stop the treatment, so the interval that shows harm has alpha/among (Bonferroni). All
    of them have to hold for it to win, and that needs no correction (Berger 1982): there the interval has alpha.
    """
    strict, plain = (turned(intervals(level), guardrail.better) for level in (alpha / among, alpha))
    answer: Answer = "not yet"
    if strict.high < -guardrail.margin:
        answer = "no"
    elif plain.low >= -guardrail.margin:
        answer = "yes"
    shown = strict if answer == "no" else plain
    edge = shown.high if answer == "no" else shown.low
    return Finding(guardrail.metric, answer, _sentence(guardrail, shown, answer), _existing(edge), -guardrail.margin)


def turned(found: Estimated, better: Better) -> Estimated:
    """The same difference so that more is better."""
    return found if better == "higher" else Estimated(-found.value, -found.high, -found.low)


def _sentence(guardrail: Guardrail, found: Estimated, answer: Answer) -> str:
    kind = "better" if found.value >= 0 else "worse"
    if not (math.isfinite(found.low) and math.isfinite(found.high)):
        return f"nothing can be said of {guardrail.metric} yet; at most {guardrail.margin:.4g} worse is allowed"
    by = f"{guardrail.metric} {abs(found.value):.4g} {kind}, between {found.low:+.4g} and {found.high:+.4g}"
    end = {
        "no": f"that is more than {guardrail.margin:.4g} worse",
        "yes": f"at most {guardrail.margin:.4g} worse is allowed",
        "not yet": f"it may still be more than {guardrail.margin:.4g} worse",
    }[answer]
    return f"{by}; {end}"


def _existing(number: float) -> float | None:
    return number if math.isfinite(number) else None
