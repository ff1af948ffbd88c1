"""Splitting: the newest rows test, nothing overlaps, equal moments and equal keys stay together."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.config.models import Split
from pipeline.trainingset.split import TimeSplit, by_key, by_time
from store.errors import ProjectError

HOUR = 3_600_000_000
moments = st.lists(st.integers(-200, 200), min_size=1, max_size=80).map(lambda hours: np.sort(np.array(hours)) * HOUR)
wanted = st.floats(0, 0.5) | st.integers(0, 100).map(lambda hours: timedelta(hours=hours))


def parts(split: TimeSplit, times: Any) -> dict[str, set[int]]:
    return {
        "train": {int(t) for t in times if t <= split.train_until},
        "validate": {int(t) for t in times if split.validate_from <= t <= split.validate_until},
        "test": {int(t) for t in times if t >= split.test_from},
    }


@given(times=moments, validate=wanted, test=wanted, gap=st.integers(0, 50))
def test_parts_follow_each_other_in_time_with_the_gap_between_them(
    times: Any, validate: Any, test: Any, gap: int
) -> None:
    made = parts(by_time(times, Split(validate=validate, test=test, gap=timedelta(hours=gap))), times)
    for earlier, later in (("train", "validate"), ("validate", "test"), ("train", "test")):
        if made[earlier] and made[later]:
            assert min(made[later]) - max(made[earlier]) >= max(gap * HOUR, 1)
    if gap == 0:
        assert set.union(*made.values()) == {int(t) for t in times}


@given(times=moments, share=st.floats(0.05, 0.5))
def test_a_share_takes_that_many_rows_and_the_rest_of_their_moment(times: Any, share: float) -> None:
    split = by_time(times, Split(validate=0.0, test=share))
    tested = int((times >= split.test_from).sum())
    assert tested >= round(share * len(times))
    after_first = int((times > split.test_from).sum())
    assert after_first < max(1, round(share * len(times)))


def test_a_span_counts_whole_days_back_from_the_newest() -> None:
    days = np.arange(30) * 24 * HOUR
    split = by_time(days, Split(validate=timedelta(days=5), test=timedelta(days=7)))
    assert {k: len(v) for k, v in parts(split, days).items()} == {"train": 18, "validate": 5, "test": 7}


def test_keys_that_look_alike_when_joined_are_different_keys() -> None:
    split = by_key(Split(validate=0.3, test=0.3), "models.m.split")
    with duckdb.connect() as connection:
        pairs = [(str(i), str(j)) for i in range(40) for j in range(40)]
        connection.register("e", pa.table({"a": [a for a, _ in pairs], "b": [b for _, b in pairs]}))
        found = connection.sql(f"SELECT a || b AS joined, {split.sql('e', ['a', 'b'])} AS part FROM e").fetchall()
    together: dict[str, set[str]] = {}
    for joined, part in found:
        together.setdefault(joined, set()).add(part)
    assert any(len(parts) > 1 for parts in together.values())
    shares = {name: sum(part == name for _, part in found) / len(found) for name in ("train", "validate", "test")}
    assert shares == pytest.approx({"train": 0.4, "validate": 0.3, "test": 0.3}, abs=0.05)


def test_a_span_without_time_is_refused_with_its_place() -> None:
    with pytest.raises(ProjectError, match="no time") as caught:
        by_key(Split(validate=0.1, test=timedelta(days=1)), "models.m.split")
    assert caught.value.where == "models.m.split.test"
