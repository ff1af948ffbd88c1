"""Metric points: stored once, replaced when computed again, thinned without losing an extreme."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from store import curves, metrics
from store.engine import Record
from store.errors import NotFound
from store.metrics import Chunk
from store.times import from_us
from tests.examples import examples


def _add(record: Record, steps: Sequence[int], values: Mapping[str, Sequence[float | None]], run: int = 1) -> int:
    with record.transaction() as tx:
        return metrics.add_points(tx, [Chunk(run, 1_000_000, steps, values)])


def _curve(record: Record, name: str, run: int = 1, limit: int = 1000) -> list[tuple[int, float | None]]:
    with record.read() as session:
        return [(point.step, point.value) for point in curves.series(session, run, name, limit).points]


def test_points_are_read_back_in_the_order_of_their_steps(record: Record) -> None:
    assert _add(record, [3, 4], {"loss": [0.5, None], "rate": [1.0, 2.0]}) == 4
    assert _add(record, [1, 2], {"loss": [0.9, 0.7]}) == 2
    assert _curve(record, "loss") == [(1, 0.9), (2, 0.7), (3, 0.5), (4, None)]


def test_a_step_computed_again_replaces_its_point_and_the_curve_never_forks(record: Record) -> None:
    _add(record, [1, 2, 3], {"loss": [3.0, 2.0, 1.0]})
    _add(record, [2, 3, 4], {"loss": [2.5, 1.5, 0.5]})
    assert _curve(record, "loss") == [(1, 3.0), (2, 2.5), (3, 1.5), (4, 0.5)]


def test_the_latest_point_is_that_of_the_highest_step(record: Record) -> None:
    _add(record, [1, 2, 3], {"loss": [3.0, 2.0, 1.0]})
    _add(record, [1, 2], {"loss": [2.9, 1.9], "accuracy": [0.1, 0.2]})
    with record.read() as session:
        found = {one.name: (one.step, one.value, one.at) for one in metrics.latest(session, 1)}
    assert found == {"accuracy": (2, 0.2, from_us(1_000_000)), "loss": (3, 1.0, from_us(1_000_000))}


def test_runs_do_not_mix(record: Record) -> None:
    _add(record, [1], {"loss": [1.0]}, run=1)
    _add(record, [1], {"loss": [2.0]}, run=2)
    assert _curve(record, "loss", run=2) == [(1, 2.0)]
    with record.read() as session:
        assert metrics.latest_values(session, [1, 2]) == {"loss": {1: 1.0, 2: 2.0}}


def test_many_chunks_in_one_transaction_are_all_kept(record: Record) -> None:
    chunks = [Chunk(run, step, [step], {"loss": [float(step)]}) for step in range(50) for run in (1, 2)]
    with record.transaction() as tx:
        assert metrics.add_points(tx, [*chunks, Chunk(1, 0, [], {})]) == 100
    assert _curve(record, "loss", run=1) == [(step, float(step)) for step in range(50)]


@pytest.mark.parametrize(
    ("steps", "values", "says"),
    [
        ([1, 2], [0.5], "has 1 values for 2 steps"),
        ([1.5], [0.5], "are not whole numbers"),
        ([1], ["high"], "is not numbers"),
        ([1], [[0.5]], "is not numbers"),
    ],
)
def test_what_is_not_a_series_of_numbers_is_refused_whole(
    record: Record, steps: list[int], values: list[float], says: str
) -> None:
    with pytest.raises(ValueError, match=says):
        _add(record, steps, {"fine": [1.0] * len(steps), "loss": values})
    with record.read() as session:
        assert metrics.latest(session, 1) == []


def test_a_metric_that_is_not_there_is_answered_with_those_that_are(record: Record) -> None:
    _add(record, [1], {"loss": [1.0], "accuracy": [0.5]})
    with pytest.raises(NotFound, match="run 1 has no metric los") as missing, record.read() as session:
        curves.series(session, 1, "los")
    assert "accuracy, loss" in missing.value.remedy


@settings(max_examples=examples(40), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(
    values=st.lists(st.none() | st.floats(-1e6, 1e6), min_size=1, max_size=400),
    stride=st.integers(1, 5),
    limit=st.integers(4, 60),
)
def test_a_thinned_curve_keeps_ends_and_extremes_in_few_points(
    tmp_path_factory: pytest.TempPathFactory, values: list[float | None], stride: int, limit: int
) -> None:
    record = _shared(tmp_path_factory.getbasetemp())
    run = record.revision + 1
    with record.transaction() as tx:
        assert tx.rev == run  # a run of its own for each example
        metrics.add_points(tx, [Chunk(run, 0, list(range(0, len(values) * stride, stride)), {"loss": values})])
    curve = _curve(record, "loss", run, limit)
    record.close()
    whole = [(step * stride, value) for step, value in enumerate(values)]
    assert len(curve) <= limit
    assert set(curve) <= set(whole)
    assert [step for step, _ in curve] == sorted({step for step, _ in curve})
    assert (curve[0], curve[-1]) == (whole[0], whole[-1])
    numbers = [value for value in values if value is not None]
    if numbers:
        shown = [value for _, value in curve if value is not None]
        assert (min(shown), max(shown)) == (min(numbers), max(numbers))
    if len(values) <= limit:
        assert curve == whole


def _shared(folder: Path) -> Record:
    from store.home import Home
    from store.times import system_clock

    return Record.open(Home(folder / "thinned"), system_clock)


def test_a_spike_in_a_long_curve_is_seen(record: Record) -> None:
    values: list[float | None] = [math.sin(step / 500) for step in range(50_000)]
    values[31_234] = 99.0
    _add(record, range(50_000), {"loss": values})
    curve = _curve(record, "loss", limit=100)
    assert len(curve) <= 100
    assert (31_234, 99.0) in curve
