"""MMD against its formula, one pair at a time."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.stats.measured import Floats
from pipeline.stats.mmd import mmd
from tests.examples import examples


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def naive(x: Floats, y: Floats, bandwidth: float) -> float:
    def k(a: Floats, b: Floats) -> float:
        return math.exp(-float(((a - b) ** 2).sum()) / (2 * bandwidth**2))

    inside = sum(k(a, b) for i, a in enumerate(x) for j, b in enumerate(x) if i != j) / (len(x) * (len(x) - 1))
    others = sum(k(a, b) for i, a in enumerate(y) for j, b in enumerate(y) if i != j) / (len(y) * (len(y) - 1))
    return inside + others - 2 * sum(k(a, b) for a in x for b in y) / (len(x) * len(y))


@settings(max_examples=examples(30), deadline=None)
@given(st.integers(2, 25), st.integers(2, 25), st.integers(1, 5), st.integers(0, 10**6))
def test_it_is_the_formula(n: int, m: int, d: int, seed: int) -> None:
    draw = rng(seed)
    x, y = draw.normal(size=(n, d)), draw.normal(0.5, 2, size=(m, d))
    found = mmd(x, y, draw)
    assert found is not None
    assert found.squared == pytest.approx(naive(x, y, found.bandwidth), abs=1e-9)
    assert -2 / (min(n, m) - 1) <= found.squared <= 2


def test_the_bandwidth_is_the_median_distance_of_all_pairs() -> None:
    x, y = rng(1).normal(size=(40, 3)), rng(2).normal(size=(30, 3))
    rows = np.vstack([x, y])
    pairs = [math.dist(rows[i], rows[j]) for i in range(70) for j in range(i)]
    found = mmd(x, y, rng())
    assert found is not None
    assert found.bandwidth == pytest.approx(np.median(pairs))


@pytest.mark.slow
def test_a_shift_is_seen_and_none_is_not_and_it_is_seeded() -> None:
    x, y, z = rng(1).normal(size=(3000, 8)), rng(2).normal(0.3, 1, (3000, 8)), rng(3).normal(size=(3000, 8))
    told, none = mmd(x, y, rng(4), permutations=200), mmd(x, z, rng(4), permutations=200)
    assert told is not None
    assert none is not None
    assert told.rows == (1000, 1000)
    assert told.p_value == pytest.approx(1 / 201)
    assert told.squared > 20 * abs(none.squared)
    assert none.p_value is not None
    assert none.p_value > 0.05
    assert mmd(x, y, rng(4), permutations=200) == told
    json.dumps(told.document(), allow_nan=False)


def test_without_a_difference_p_is_even() -> None:
    draw = rng(5)
    chances = []
    for _ in range(100):
        found = mmd(draw.normal(size=(40, 2)), draw.normal(size=(60, 2)), draw, permutations=39)
        assert found is not None
        chances.append(found.p_value)
    assert np.mean(np.array(chances) <= 0.25) == pytest.approx(0.25, abs=0.12)


def test_constant_columns_few_rows_and_what_is_missing() -> None:
    same = mmd(np.ones((10, 2)), np.ones((12, 2)), rng(), permutations=9)
    assert same is not None
    assert same.squared == pytest.approx(0.0, abs=1e-12)
    assert same.p_value == 1.0
    assert mmd(np.ones((1, 2)), np.ones((12, 2)), rng()) is None
    assert mmd(np.zeros((0, 2)), np.ones((12, 2)), rng()) is None
    with pytest.raises(ValueError, match="fill what is missing"):
        mmd(np.full((5, 2), np.nan), np.ones((5, 2)), rng())
    mostly = np.r_[np.zeros((60, 1)), np.ones((2, 1))]
    found = mmd(mostly, mostly, rng())
    assert found is not None
    assert found.bandwidth > 0
