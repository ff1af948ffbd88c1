"""Rows of a step are a function of (seed, epoch, step), and both feeds bring the same ones."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.training.batches import BatchPlan, DeviceFeed, HostFeed, Rows, choose_placement, pick
from tests.examples import examples

sizes = st.integers(1, 200)


@given(rows=sizes, batch=st.integers(1, 64), seed=st.integers(0, 2**63), epoch=st.integers(0, 5))
def test_an_epoch_shows_every_row_once(rows: int, batch: int, seed: int, epoch: int) -> None:
    plan = BatchPlan(rows, batch, seed)
    first = epoch * plan.steps_per_epoch
    shown = [plan.ids(step)[: plan.live(step)] for step in range(first, first + plan.steps_per_epoch)]
    assert sorted(np.concatenate(shown).tolist()) == list(range(rows))


@pytest.mark.slow
@given(rows=sizes, batch=st.integers(1, 64), steps=st.lists(st.integers(0, 60), min_size=1, max_size=6))
def test_the_rows_of_a_step_do_not_depend_on_what_was_asked_before(rows: int, batch: int, steps: list[int]) -> None:
    plan = BatchPlan(rows, batch, 7)
    for step in steps:
        np.testing.assert_array_equal(plan.ids(step), BatchPlan(rows, batch, 7).ids(step))
        assert len(plan.ids(step)) == batch


def test_epochs_and_seeds_have_orders_of_their_own() -> None:
    orders = {tuple(BatchPlan(50, 8, seed).order(epoch).tolist()) for seed in (0, 1) for epoch in (0, 1, 2)}
    assert len(orders) == 6


def test_a_negative_seed_is_a_seed() -> None:
    assert sorted(BatchPlan(9, 4, -3).order(0).tolist()) == list(range(9))


@pytest.mark.slow
@settings(max_examples=examples(20))
@given(rows=st.integers(1, 60), batch=st.integers(1, 16), capacity=st.sampled_from([1, 4]), data=st.data())
def test_both_feeds_bring_the_rows_of_the_plan(rows: int, batch: int, capacity: int, data: st.DataObject) -> None:
    table = Rows(
        np.arange(rows * 2, dtype=np.float32).reshape(rows, 2),
        np.arange(rows, dtype=np.int32)[:, None],
        np.arange(rows, dtype=np.float32),
    )
    plan = BatchPlan(rows, batch, 1)
    host, device = HostFeed(table, plan, capacity), DeviceFeed(table, plan, capacity)
    step = 0
    for _ in range(4):
        steps = data.draw(st.integers(0, capacity))
        for feed in (host, device):
            chunk = feed.load(step, steps)
            assert (int(chunk.first), int(chunk.steps)) == (step, steps)
            slots = jax.tree.map(jnp.asarray, chunk.slots)  # as the arguments of a compiled call are
            for index in range(steps):
                here = pick(feed.resident, jax.tree.map(lambda column, index=index: column[index], slots))
                expected = table.take(plan.ids(step + index))
                for found, wanted in zip(here, expected, strict=True):
                    np.testing.assert_array_equal(np.asarray(found), wanted)
                assert int(chunk.live[index]) == plan.live(step + index)
        step += steps


@pytest.mark.parametrize(
    ("choice", "rows_bytes", "platform", "memory", "expected"),
    [
        ("auto", 10, "cpu", None, "host"),
        ("auto", 10, "gpu", 40, "device"),
        ("auto", 11, "gpu", 40, "host"),
        ("auto", 10, "gpu", None, "device"),
        ("device", 10**9, "cpu", 40, "device"),
        ("host", 1, "gpu", 40, "host"),
    ],
)
def test_rows_lie_where_asked_or_where_they_fit(
    choice: str, rows_bytes: int, platform: str, memory: int | None, expected: str
) -> None:
    found = choose_placement(choice, rows_bytes=rows_bytes, platform=platform, memory=memory)  # type: ignore[arg-type]
    assert found == expected
