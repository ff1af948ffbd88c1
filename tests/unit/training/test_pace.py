"""Chunks of about a tenth of a second, and a ledger of the time."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipeline.training.pace import Ledger, Pace, choose_block, even_block, next_length


@given(step=st.floats(1e-6, 10), capacity=st.integers(1, 1000))
def test_the_length_settles_where_a_chunk_lasts_a_tenth_of_a_second_or_at_a_bound(step: float, capacity: int) -> None:
    pace = Pace(capacity=capacity, fixed=False)
    now = 0.0
    pace.restart(now)
    for _ in range(12):
        now += pace.steps * step
        pace.lap(now, pace.steps)
    assert 1 <= pace.steps <= capacity
    if 1 < pace.steps < capacity:
        assert 0.04 < pace.steps * step < 0.21


@given(length=st.integers(1, 100), seconds=st.floats(1e-9, 1e-6), steps=st.integers(1, 100))
def test_it_grows_at_most_fourfold_at_once(length: int, seconds: float, steps: int) -> None:
    assert next_length(length, seconds, steps, 10_000) <= 4 * length


@given(steps=st.integers(1, 10_000), most=st.integers(1, 64))
def test_whole_blocks_exceed_the_steps_by_little(steps: int, most: int) -> None:
    block = even_block(steps, most)
    too_many = -steps % block
    assert 1 <= block <= most
    assert too_many < block
    if most >= 16:
        assert too_many < steps / 8 or too_many == 0


@given(step=st.floats(1e-6, 10), capacity=st.integers(1, 1000), block=st.integers(1, 16))
def test_a_chunk_is_of_whole_blocks_or_as_long_as_can_be(step: float, capacity: int, block: int) -> None:
    pace = Pace(capacity=capacity, fixed=False, block=block)
    for lap in range(5):
        assert pace.steps % block == 0 or pace.steps == capacity
        pace.lap(step * pace.steps * (lap + 1), pace.steps)


def test_only_a_processor_looks_at_every_step_whether_there_are_more() -> None:
    assert {name: choose_block(name) for name in ("cpu", "gpu", "tpu")} == {"cpu": 1, "gpu": 16, "tpu": 16}


def test_a_configured_length_stays() -> None:
    pace = Pace(capacity=50, fixed=True)
    pace.restart(0.0)
    pace.lap(99.0, 50)
    assert pace.steps == 50


def test_the_ledger_tells_causes_and_the_rest() -> None:
    times = iter([0.0, 1.0, 4.0, 10.0])
    ledger = Ledger(lambda: next(times))
    with ledger.spent("compile"):
        pass
    ledger.seconds["train"] += 5.0
    assert ledger.figures() == {"compile": 3.0, "train": 5.0, "other": 2.0, "total": 10.0, "goodput": 0.5}
