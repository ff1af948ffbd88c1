"""ADWIN: what its buckets hold, when it cuts, and that a stream goes on from a document as if it had never stopped."""

from __future__ import annotations

import json
import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.stats.adwin import EVERY, LEAST, MOST_BUCKETS, Adwin
from tests.examples import examples

SHARES = st.lists(
    st.tuples(st.floats(0, 1), st.integers(1, 300)), min_size=1, max_size=5
)  # (chance of an error, values with it)


def stream(shares: list[tuple[float, int]], seed: int) -> list[float]:
    draw = np.random.default_rng(seed)
    return [float(one) for share, count in shares for one in draw.random(count) < share]


def violated(values: list[float], sizes: list[int], delta: float) -> bool:
    """The paper's test on the values themselves, at each edge between two buckets."""
    n = len(values)
    if n < 2 * LEAST:
        return False
    doubt = math.log(2 * math.log(n) / delta)
    variance = float(np.var(values))
    for edge in np.cumsum(sizes)[:-1]:
        if LEAST <= edge <= n - LEAST:
            scarcity = 1 / edge + 1 / (n - edge)
            bound = math.sqrt(2 * scarcity * variance * doubt) + 2 / 3 * scarcity * doubt
            if abs(np.mean(values[:edge]) - np.mean(values[edge:])) > bound + 1e-9:
                return True
    return False


@pytest.mark.slow
@settings(max_examples=examples(60), deadline=None)
@given(SHARES, st.integers(0, 10**6), st.sampled_from([0.002, 0.2]))
def test_its_window_is_the_last_values_and_no_cut_of_it_tells_two_means_apart(
    shares: list[tuple[float, int]], seed: int, delta: float
) -> None:
    values, one = stream(shares, seed), Adwin(delta)
    for count, value in enumerate(values, 1):
        before, sizes = one.width, [bucket.size for bucket in one.buckets]
        change = one.update(value)
        window = values[count - one.width : count]
        assert one.seen == count
        if change is None:
            assert one.width == before + 1
        else:
            assert change.forgotten == before + 1 - one.width
            whole = values[count - before - 1 : count]
            assert change.before == pytest.approx(np.mean(whole[: change.forgotten]))
            assert change.after == pytest.approx(np.mean(window))
            assert violated(whole, [*sizes, 1], delta) or violated(whole, _merged([*sizes, 1]), delta)
        if count % EVERY == 0:
            assert not violated(window, [bucket.size for bucket in one.buckets], delta)
    assert one.mean == pytest.approx(np.mean(window))
    whole_squares = sum(bucket.squares for bucket in one.buckets)
    between = sum(bucket.size * (bucket.mean - np.mean(window)) ** 2 for bucket in one.buckets)
    assert whole_squares + between == pytest.approx(len(window) * np.var(window), abs=1e-6)


def _merged(sizes: list[int]) -> list[int]:
    """Of one size at most M buckets: the two oldest become one."""
    for size in sorted(set(sizes)):
        while sizes.count(size) > MOST_BUCKETS:
            place = sizes.index(size)
            sizes[place : place + 2] = [2 * size]
    return sizes


@settings(max_examples=examples(60), deadline=None)
@given(SHARES, st.integers(0, 10**6), st.lists(st.integers(0, 1500), max_size=4))
def test_continued_from_a_document_it_is_the_uninterrupted_one(
    shares: list[tuple[float, int]], seed: int, stops: list[int]
) -> None:
    values = [value * 0.7 + 0.1 for value in stream(shares, seed)]
    whole, parted = Adwin(), Adwin()
    changes = list(whole.feed(values))
    told, edges = [], [0, *sorted(min(stop, len(values)) for stop in stops), len(values)]
    for start, end in pairwise(edges):
        parted = Adwin.from_document(json.loads(json.dumps(parted.document(), allow_nan=False)))
        told += list(parted.feed(values[start:end]))
    assert told == changes
    assert parted.document() == whole.document()


def test_a_rise_of_the_error_is_found_within_some_hundred_values_and_dated() -> None:
    draw = np.random.default_rng(1)
    one = Adwin()
    assert list(one.feed((draw.random(5000) < 0.1).astype(float))) == []
    (change, *_) = list(one.feed((draw.random(2000) < 0.2).astype(float)))
    assert 5000 < change.at < 5600
    assert change.before == pytest.approx(0.1, abs=0.02)
    assert one.width < 2700


def test_without_a_change_it_hardly_ever_finds_one() -> None:
    """A look has at most 2 in 1,000, and the bound is far from tight."""
    draw = np.random.default_rng(2)
    alarms = sum(len(list(Adwin().feed((draw.random(2000) < 0.2).astype(float)))) for _ in range(40))
    assert alarms <= 1


def test_memory_grows_with_the_logarithm() -> None:
    one = Adwin()
    list(one.feed([0.5] * 20_000))
    assert one.width == 20_000
    assert len(one.buckets) <= MOST_BUCKETS * (math.log2(20_000) + 1)


def test_values_out_of_range_and_other_formats_are_refused_and_nothing_is_a_state_too() -> None:
    with pytest.raises(ValueError, match="scale them first"):
        Adwin().update(1.5)
    with pytest.raises(ValueError, match="scale them first"):
        Adwin().update(math.nan)
    with pytest.raises(ValueError, match="format 7"):
        Adwin.from_document({"format": 7})
    assert (Adwin().width, Adwin().mean) == (0, None)
