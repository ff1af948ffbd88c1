"""Promote, roll back, go on or begin again: which rule comes first, and what it says."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.experiments.decide import Rules, Standing, decided
from pipeline.experiments.findings import Answer, Finding
from pipeline.stats.estimates import Estimated

RULES = Rules(least_units=1000, least_time=timedelta(days=7), longest=timedelta(days=28))


def guardrail(answer: Answer) -> Finding:
    return Finding("p95", answer, f"p95: {answer}")


WON = Standing(
    running=timedelta(days=8),
    begun=timedelta(days=9),
    exposed={"v1": 5100, "v2": 4900},
    units={"v1": 4100, "v2": 3920},
    mismatch=0.4,
    metric="conversion",
    primary=Estimated(0.02, 0.01, 0.03),
    guardrails=[guardrail("yes")],
)


def test_a_treatment_that_is_better_harms_nothing_and_was_seen_long_enough_is_promoted() -> None:
    found = decided(WON, RULES)
    assert (found.action, found.reason) == ("promote", "conversion +0.02, between +0.01 and +0.03: better")
    assert [one.answer for one in found.findings] == ["yes"] * 5


@pytest.mark.parametrize(
    ("lacking", "reason"),
    [
        (
            {"units": {"v1": 4100, "v2": 980}},
            "v2 has 980 matured units, and 80% of its units are pending; at least 1,000 are needed in each arm",
        ),
        (
            {"units": {"v1": 0, "v2": 0}, "exposed": {"v1": 0, "v2": 0}},
            "no unit has met v1 yet: requests have to name the unit that they are about; at least 1,000 are needed",
        ),
        ({"primary": Estimated(math.nan, -math.inf, math.inf)}, "nothing can be said of conversion yet"),
        ({"primary": Estimated(math.nan, math.nan, math.nan)}, "nothing can be said of conversion yet"),
        ({"running": timedelta(days=3)}, "it has run for 3d; at least 7d is needed"),
        ({"primary": Estimated(0.02, -0.01, 0.05)}, "conversion +0.02, between -0.01 and +0.05: neither better nor"),
        ({"guardrails": [guardrail("not yet")]}, "p95: not yet"),
    ],
)
def test_whatever_is_lacking_it_goes_on_and_says_so(lacking: dict[str, object], reason: str) -> None:
    found = decided(replace(WON, **lacking), RULES)  # type: ignore[arg-type]
    assert found.action == "go on"
    assert found.reason.startswith(reason)


def test_harm_to_a_guardrail_acts_on_the_first_day_and_even_when_sizes_are_wrong() -> None:
    early = replace(
        WON, running=timedelta(minutes=5), units={"v1": 9, "v2": 0}, exposed={"v1": 9, "v2": 0}, mismatch=1e-9
    )
    found = decided(replace(early, guardrails=[guardrail("yes"), guardrail("no")]), RULES)
    assert (found.action, found.reason) == ("roll back", "p95: no")


def test_a_worse_primary_metric_takes_it_back_at_once() -> None:
    worse = replace(WON, running=timedelta(hours=1), primary=Estimated(-0.02, -0.03, -0.01))
    assert decided(worse, RULES).action == "roll back"


def test_wrong_sizes_make_the_rest_worthless() -> None:
    for primary in (WON.primary, Estimated(-0.02, -0.03, -0.01)):
        found = decided(replace(WON, mismatch=0.01, primary=primary), RULES)
        assert found.action == "invalid"
        assert found.reason.startswith("the arms have 5,100 (v1) and 4,900 (v2) units; such sizes")


def test_a_treatment_that_does_not_win_in_time_is_taken_back() -> None:
    slow = replace(WON, primary=Estimated(0.001, -0.01, 0.012), begun=timedelta(days=28))
    found = decided(slow, RULES)
    assert (found.action, found.reason[:16]) == ("roll back", "not won in 28d: ")
    assert decided(slow, replace(RULES, longest=None)).action == "go on"


bounds = st.tuples(st.floats(-1, 1), st.floats(-1, 1)).map(lambda two: Estimated(sum(two) / 2, min(two), max(two)))
answers = st.lists(st.sampled_from(["yes", "no", "not yet"]), max_size=3)


@given(st.integers(0, 60), st.integers(0, 5000), st.floats(0, 1), bounds, answers)
def test_nothing_is_promoted_but_by_all_rules_and_nothing_harmful_stays(
    days: int, units: int, mismatch: float, primary: Estimated, kept: list[Answer]
) -> None:
    standing = Standing(
        running=timedelta(days=days),
        begun=timedelta(days=days),
        exposed={"v1": 5000, "v2": 5000},
        units={"v1": 5000, "v2": units},
        mismatch=mismatch,
        metric="conversion",
        primary=primary,
        guardrails=[guardrail(one) for one in kept],
    )
    found = decided(standing, RULES)
    assert (found.action == "promote") == all(one.answer == "yes" for one in found.findings)
    if "no" in kept:
        assert found.action == "roll back"
    elif mismatch <= RULES.mismatch:
        assert found.action == "invalid"


def test_rules_that_contradict_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot end after"):
        Rules(longest=timedelta(days=1))
