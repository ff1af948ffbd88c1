"""Long curves: drawn from their outline without losing a peak; sparks with the latest and the best value."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store import curves, metrics
from store.engine import Record
from store.home import Home
from store.metrics import Chunk
from store.patience import driver_of
from store.ranges import WIDTH
from store.times import system_clock
from tests.examples import examples

Points = dict[int, float | None]


def _add(record: Record, points: Points, run: int = 1, name: str = "train/loss", parts: int = 1) -> None:
    """In so many transactions, as a run reports them."""
    steps = list(points)
    size = -(-len(steps) // parts)
    for first in range(0, len(steps), size):
        some = steps[first : first + size]
        with record.transaction() as tx:
            metrics.add_points(tx, [Chunk(run, 0, some, {name: [points[step] for step in some]})])


def _drawn(record: Record, limit: int, since: int | None = None) -> Points:
    with record.read() as session:
        found = curves.series(session, 1, "train/loss", limit, since).points
    assert [point.step for point in found] == sorted(point.step for point in found)
    return {point.step: point.value for point in found}


def _outlined(record: Record) -> list[int]:
    with record.read() as session:
        return [row for (row,) in driver_of(session).execute("SELECT range FROM metric_range ORDER BY range")]


_STRETCHES = st.lists(
    st.tuples(st.integers(1, 60), st.integers(1, 400), st.integers(0, 3000)), min_size=1, max_size=8
)  # (distance of steps, points, steps left out before)


def _points(stretches: Sequence[tuple[int, int, int]], seed: int) -> Points:
    points: Points = {}
    step = 0
    for distance, count, gap in stretches:
        step += gap
        for _ in range(count):
            step += distance
            points[step] = None if (step * seed) % 97 < 3 else float((step * seed * 7919) % 10_007)
    return points


@pytest.mark.slow
@given(_STRETCHES, st.integers(1, 1000), st.integers(4, 40), st.integers(1, 9), st.none() | st.floats(0, 1))
@settings(max_examples=examples(60))
def test_a_curve_of_any_density_keeps_its_ends_and_extremes_in_few_points(
    tmp_path_factory: pytest.TempPathFactory,
    stretches: list[tuple[int, int, int]],
    seed: int,
    limit: int,
    parts: int,
    since: float | None,
) -> None:
    record = Record.open(Home(tmp_path_factory.mktemp("curve")), system_clock)
    points = _points(stretches, seed)
    _add(record, points, parts=parts)
    after = None if since is None else int(max(points) * since)
    drawn = _drawn(record, limit, after)
    record.close()
    whole = {step: value for step, value in points.items() if after is None or step > after}
    assert len(drawn) <= limit
    assert drawn.items() <= whole.items()
    if whole:
        assert {min(whole), max(whole)} <= drawn.keys()
    numbers = [value for value in whole.values() if value is not None]
    if numbers:
        shown = [value for value in drawn.values() if value is not None]
        assert (min(shown), max(shown)) == (min(numbers), max(numbers))


def test_ranges_of_just_the_outlines_width_are_not_one_too_many(record: Record) -> None:
    _add(record, {step: float(step % 7) for step in range(31, 4_632, 23)})
    assert len(_drawn(record, 20)) <= 20


def test_a_long_curve_is_outlined_as_it_grows_but_for_its_end(record: Record) -> None:
    _add(record, {step: float(step) for step in range(5 * WIDTH + 100)}, parts=40)
    assert _outlined(record) == [0, 1, 2, 3, 4]


def test_a_thin_stretch_is_not_outlined(record: Record) -> None:
    _add(record, dict.fromkeys(range(0, 20 * WIDTH, 100), 1.0))
    assert _outlined(record) == []


def test_a_point_computed_again_changes_the_outline_too(record: Record) -> None:
    _add(record, dict.fromkeys(range(20 * WIDTH), 0.0))
    _add(record, {700: 99.0})
    assert _drawn(record, 10)[700] == 99.0
    _add(record, {700: 0.5, 701: -7.0})
    drawn = _drawn(record, 10)
    assert 99.0 not in drawn.values()
    assert drawn[701] == -7.0


def test_an_older_record_gets_its_outlines_by_the_migration(record: Record, tmp_path: Path) -> None:
    from importlib import import_module

    _add(record, {step: float(step % 1000) for step in range(4 * WIDTH + 7)})
    with record.transaction() as tx:
        before = tx.driver.execute("SELECT * FROM metric_range ORDER BY range").fetchall()
        tx.driver.execute("DELETE FROM metric_range")
        tx.driver.execute(import_module("store.migrations.versions.v_lists")._OUTLINE)
        after = tx.driver.execute("SELECT * FROM metric_range WHERE range < 4 ORDER BY range").fetchall()
    assert before == after


# ---------------------------------------------------------------------------------------------------------- sparks


def test_a_spark_shows_what_early_stopping_watches(record: Record) -> None:
    _add(record, {1: 0.9, 2: 0.5, 3: 0.7}, run=1)
    _add(record, {1: 0.9, 2: 0.5, 3: 0.7}, run=2)
    _add(record, {1: 0.6, 2: 0.8, 3: 0.7}, run=2, name="validation/loss")
    _add(record, {1: 0.6, 2: 0.8, 3: 0.7}, run=2, name="validation/auc")
    _add(record, {1: 3.0, 2: 1.0, 3: 2.0}, run=3, name="validation/rmse")
    _add(record, {1: 3.0}, run=4, name="goodput")
    with record.read() as session:
        found = {one.run: one for one in curves.sparks(session, [3, 2, 1, 4, 9], 16)}
    assert list(found) == [3, 2, 1]
    assert [(found[run].metric, found[run].latest, found[run].best) for run in (1, 2, 3)] == [
        ("train/loss", 0.7, 0.5),
        ("validation/auc", 0.7, 0.8),
        ("validation/rmse", 2.0, 1.0),
    ]
    assert found[2].values == [0.6, 0.8, 0.7]


def test_a_spark_of_a_long_curve_has_few_values_with_its_ends_and_knows_the_best_of_all(record: Record) -> None:
    points: Points = {step: 10.0 - step / 1000 for step in range(3, 9_999)}
    points[4_567] = -3.5
    _add(record, points, parts=7)
    with record.read() as session:
        (spark,) = curves.sparks(session, [1], 16)
    assert len(spark.values) == 16
    assert (spark.values[0], spark.values[-1]) == (points[3], points[9_998])
    assert (spark.best, spark.step) == (-3.5, 9_998)


def test_a_spark_of_one_point_and_of_none_but_nan(record: Record) -> None:
    _add(record, {5: 1.5}, run=1)
    _add(record, {5: None, 6: None}, run=2)
    with record.read() as session:
        one, nothing = curves.sparks(session, [1, 2], 2)
    assert (one.values, one.best) == ([1.5], 1.5)
    assert (nothing.values, nothing.best, nothing.latest) == ([None, None], None, None)
