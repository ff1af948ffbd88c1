"""Group-sequential limits against published tables and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from pipeline.experiments.planned import crossing, limits
from tests.thorough import only_thorough

many = only_thorough("many looks are a matter of seconds")
TABLE = [
    (2, 2.178, 1.977),
    (3, 2.289, 2.004),
    (4, 2.361, 2.024),
    (5, 2.413, 2.040),
    pytest.param(10, 2.555, 2.087, marks=many),
]
"""Looks, C of Pocock, C of O'Brien & Fleming at a two-sided 5 % (Jennison & Turnbull 2000, tables 2.1 and 2.3)."""


@pytest.mark.slow
@pytest.mark.parametrize(("looks", "pocock", "fleming"), TABLE)
def test_the_constants_are_those_of_the_tables(looks: int, pocock: float, fleming: float) -> None:
    assert limits(looks, 0.05, "pocock") == pytest.approx(np.full(looks, pocock), abs=6e-4)
    assert limits(looks, 0.05, "o'brien-fleming")[-1] == pytest.approx(fleming, abs=6e-4)


def test_one_look_is_the_usual_test() -> None:
    assert limits(1, 0.05, "pocock")[0] == pytest.approx(norm.isf(0.025), abs=1e-8)


@pytest.mark.slow
def test_obrien_and_fleming_are_strict_at_first() -> None:
    found = limits(4, 0.05, "o'brien-fleming")
    assert found == pytest.approx(found[-1] * np.sqrt(4 / np.arange(1, 5)))


@pytest.mark.slow
@pytest.mark.parametrize("looks", [2, 5, pytest.param(20, marks=many)])
def test_looks_cross_by_chance_as_often_as_said(looks: int) -> None:
    rng = np.random.default_rng(4)
    z = np.cumsum(rng.normal(size=(100_000, looks)), axis=1) / np.sqrt(np.arange(1, looks + 1))
    for bounds in (limits(looks, 0.05, "pocock"), limits(looks, 0.05, "o'brien-fleming"), np.full(looks, 1.96)):
        assert crossing(bounds) == pytest.approx((np.abs(z) > bounds).any(axis=1).mean(), abs=0.004)


def test_nonsense_is_refused() -> None:
    for looks, alpha in ((0, 0.05), (3, 0.0), (3, 1.0)):
        with pytest.raises(ValueError, match="at least one look"):
            limits(looks, alpha, "pocock")
