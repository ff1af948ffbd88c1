"""Non-inferiority: harmed, kept, or not known yet."""

from __future__ import annotations

import math

import pytest

from pipeline.experiments.excess import rate_lift
from pipeline.experiments.guardrails import Guardrail, Intervals, judged, turned
from pipeline.experiments.sampled import Difference
from pipeline.experiments.sequence import interval
from pipeline.stats.estimates import Estimated

LATENCY = Guardrail(metric="p95", better="lower", margin=0.1)


def always(low: float, high: float) -> Intervals:
    return lambda _: Estimated((low + high) / 2, low, high)


@pytest.mark.parametrize(
    ("low", "high", "answer"),
    [(0.11, 0.2, "no"), (0.05, 0.2, "not yet"), (-0.2, 0.1, "yes"), (-0.3, -0.2, "yes"), (-0.2, 0.4, "not yet")],
)
def test_where_the_interval_lies_decides(low: float, high: float, answer: str) -> None:
    assert judged(LATENCY, always(low, high), 0.05).answer == answer


def test_it_says_its_numbers() -> None:
    harmed = judged(LATENCY, always(0.2, 0.4), 0.05)
    assert harmed.reason == "p95 0.3 worse, between -0.4 and -0.2; that is more than 0.1 worse"
    assert [harmed.value, harmed.limit] == pytest.approx([-0.2, -0.1])
    kept = judged(LATENCY, always(-0.1, 0.05), 0.05)
    assert kept.reason == "p95 0.025 better, between -0.05 and +0.1; at most 0.1 worse is allowed"
    nothing = judged(LATENCY, always(-math.inf, math.inf), 0.05)
    assert (nothing.answer, nothing.value) == ("not yet", None)
    assert nothing.reason == "nothing can be said of p95 yet; at most 0.1 worse is allowed"


def test_many_guardrails_need_more_evidence_of_harm_and_no_more_of_none() -> None:
    def intervals(value: float) -> Intervals:
        return lambda alpha: interval(Difference(value, 0.01**2, 5000, 2500), alpha)

    harm = intervals(0.1 + 0.033)
    assert judged(LATENCY, harm, 0.05).answer == "no"
    assert judged(LATENCY, harm, 0.05, among=10).answer == "not yet"
    none = intervals(0.1 - 0.033)
    assert judged(LATENCY, none, 0.05, among=10).answer == judged(LATENCY, none, 0.05).answer == "yes"


@pytest.mark.parametrize(("errors", "answer"), [((70, 100), "no"), ((980, 10_000), "yes"), ((12, 100), "not yet")])
def test_a_rate_of_errors_is_a_guardrail_too(errors: tuple[int, int], answer: str) -> None:
    """A tenth of the units are the treatment's: 11 errors of theirs for 100 of control's are the same rate."""
    limit = Guardrail(metric="errors", better="lower", margin=0.25)
    assert judged(limit, lambda alpha: rate_lift(*errors, 0.1, alpha), 0.05).answer == answer


def test_turning_changes_ends_and_sign() -> None:
    assert turned(Estimated(1.0, -2.0, 3.0), "lower") == Estimated(-1.0, -3.0, 2.0)
    assert turned(Estimated(1.0, -2.0, 3.0), "higher") == Estimated(1.0, -2.0, 3.0)


def test_a_margin_below_zero_is_refused() -> None:
    for margin in (-0.1, math.nan):
        with pytest.raises(ValueError, match="p95: a margin is at least 0"):
            Guardrail(metric="p95", better="lower", margin=margin)
