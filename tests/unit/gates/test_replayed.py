"""Two versions on the same requests: how many decisions change, by how much, and where."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.judging.replayed import Flip, decisions_differ, differences, moved, quartered

CLASSES = {"binary": ["no", "yes"], "multiclass": ["a", "b", "c"], "regression": list[str]()}
TASKS = st.sampled_from(sorted(CLASSES))


def scores(task: str, rows: int, seed: int) -> Any:
    rng = np.random.default_rng(seed)
    if task == "multiclass":
        return rng.dirichlet([1.0, 1.0, 1.0], rows).astype(np.float32)
    return rng.random(rows).astype(np.float32) if task == "binary" else rng.normal(0, 50, rows).astype(np.float32)


@given(TASKS, st.integers(1, 200), st.integers(0, 100))
def test_a_version_against_itself_moves_nothing(task: str, rows: int, seed: int) -> None:
    found = moved(one := scores(task, rows, seed), one, CLASSES[task], {"x": ["a"] * rows})
    assert (found.rows, found.changed, found.flips, found.mean, found.largest) == (rows, 0, (), 0.0, 0.0)
    assert (found.quantiles, found.slices) == ((0.0, 0.0, 0.0), ())


@pytest.mark.slow
@given(TASKS, st.integers(1, 300), st.integers(0, 100))
def test_the_order_of_the_requests_says_nothing(task: str, rows: int, seed: int) -> None:
    before, after = scores(task, rows, seed), scores(task, rows, seed + 1)
    words = np.random.default_rng(seed).choice(["a", "b"], rows)
    order = np.random.default_rng(seed + 2).permutation(rows)
    straight = moved(before, after, CLASSES[task], {"x": list(words)})
    shuffled = moved(before[order], after[order], CLASSES[task], {"x": list(words[order])})
    assert (straight.changed, straight.flips, straight.largest) == (shuffled.changed, shuffled.flips, shuffled.largest)
    assert straight.quantiles == pytest.approx(shuffled.quantiles)
    assert [(one.value, one.rows, one.changed) for one in straight.slices] == [
        (one.value, one.rows, one.changed) for one in shuffled.slices
    ]


@given(st.sampled_from(["binary", "multiclass"]), st.integers(1, 300), st.integers(0, 100))
def test_flips_are_the_decisions_that_change_and_the_way_back_turns_them_round(task: str, rows: int, seed: int) -> None:
    before, after = scores(task, rows, seed), scores(task, rows, seed + 1)
    there, back = moved(before, after, CLASSES[task], {}), moved(after, before, CLASSES[task], {})
    assert sum(flip.rows for flip in there.flips) == there.changed == back.changed
    assert {(flip.after, flip.before, flip.rows) for flip in there.flips} == {
        (flip.before, flip.after, flip.rows) for flip in back.flips
    }
    if task == "binary":
        assert there.quantiles == pytest.approx(tuple(-one for one in reversed(back.quantiles)), abs=1e-12)


@given(st.integers(1, 200), st.integers(0, 100))
def test_what_moves_of_several_classes_is_a_share_of_probability(rows: int, seed: int) -> None:
    apart = differences(scores("multiclass", rows, seed), scores("multiclass", rows, seed + 1))
    assert ((apart >= 0) & (apart <= 1 + 1e-6)).all()


def test_decisions_of_a_binary_task_turn_at_one_half_and_of_a_number_at_a_tenth_of_its_spread() -> None:
    assert (
        list(decisions_differ(np.array([0.4, 0.5, 0.1]), np.array([0.5, 0.6, 0.4]), ["no", "yes"]))
        == [True] + [False] * 2
    )
    before = np.array([0.0, 20.0])  # a standard deviation of 10
    assert list(decisions_differ(before, before + np.array([0.9, -1.1]), [])) == [False, True]
    same = np.array([5.0, 5.0])
    assert list(decisions_differ(same, same + np.array([0.0, 1e-6]), [])) == [False, True]


def test_the_slice_that_moves_is_named_and_small_or_like_others_are_not() -> None:
    before = np.full(400, 0.4)
    after = before.copy()
    after[:40] = 0.9  # all of carrier AS, which is a tenth of the rows
    carrier = ["AS"] * 40 + ["AA"] * 355 + ["ZZ"] * 5
    found = moved(before, after, ["no", "yes"], {"carrier": carrier, "hour": ["1", "2"] * 200})
    assert found.flips == (Flip("no", "yes", 40),)
    (worst,) = found.slices
    assert (worst.column, worst.value, worst.rows, worst.changed) == ("carrier", "AS", 40, 40)
    assert worst.mean == pytest.approx(0.5)


@pytest.mark.slow
@given(st.lists(st.none() | st.floats(allow_nan=True, allow_infinity=False, width=32), max_size=60))
def test_each_number_lies_in_one_of_at_most_four_quarters_or_is_none(values: list[float | None]) -> None:
    found = quartered(values)
    assert len(found) == len(values)
    assert len(set(found) - {"none"}) <= 4
    for value, word in zip(values, found, strict=True):
        assert (word == "none") == (value is None or np.isnan(value))


def test_no_rows_are_no_movement() -> None:
    assert moved(np.empty(0), np.empty(0), ["no", "yes"], {}).rows == 0
