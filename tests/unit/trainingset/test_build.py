"""A model's training set: what is in it, in which order, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from pipeline.trainingset import Feature, TrainingSet, build_training_set, open_training_set
from store.errors import NotFound, ProjectError, Unlearnable

if TYPE_CHECKING:
    from tests.unit.trainingset.conftest import Shed

MakeShed = Callable[[dict[str, Any]], "Shed"]
START = datetime(2013, 1, 1, tzinfo=UTC)
MOMENT = pa.timestamp("us", tz="UTC")
DAY = timedelta(days=1)

SECTIONS: dict[str, Any] = {
    "sources": {"any": {"kind": "file", "path": "x.csv", "format": "csv"}},
    "datasets": {"trips": {"source": "any"}, "readings": {"source": "any"}},
    "features": {"weather": {"inputs": ["readings"], "entity": ["place"], "time": "at", "ttl": "2d"}},
}
MODEL: dict[str, Any] = {
    "task": "binary",
    "dataset": "trips",
    "label": "late",
    "key": ["id"],
    "time": "leaves",
    "numeric": ["distance"],
    "categorical": ["origin"],
    "views": [{"view": "weather", "on": {"place": "origin"}, "prefix": "w_"}],
    "split": {"validate": "10d", "test": "10d"},
}


def trips(rows: int = 100, **columns: Any) -> pa.Table:
    """One trip a day, newest first, so that order has to be made."""
    days = list(range(rows))[::-1]
    made = {
        "id": pa.array(days, pa.int64()),
        "leaves": pa.array([START + d * DAY for d in days], MOMENT),
        "origin": pa.array(["JFK" if d % 3 else "LGA" for d in days]),
        "distance": pa.array([d * 10 for d in days], pa.int64()),
        "late": pa.array([d % 2 for d in days], pa.int64()),
    }
    return pa.table({**made, **columns})


def readings() -> pa.Table:
    days = range(0, 90)
    return pa.table(
        {
            "place": ["JFK" for _ in days],
            "at": pa.array([START + d * DAY for d in days], MOMENT),
            "wind": pa.array([float(d) for d in days], pa.float32()),
            "sky": ["clear" if d % 2 else "rain" for d in days],
            "storm": [d % 5 == 0 for d in days],
        }
    )


def shed_with(make_shed: MakeShed, examples: pa.Table, **changes: Any) -> Shed:
    shed = make_shed({**SECTIONS, "models": {"late": {**MODEL, **changes}}})
    shed.put("trips", examples)
    shed.put("readings", readings())
    shed.compute("weather")
    return shed


def build(shed: Shed) -> TrainingSet:
    return build_training_set(shed.context("train", "late"), "late", shed.project.models["late"])


def test_examples_carry_their_features_in_order_of_time(make_shed: MakeShed) -> None:
    made = build(shed_with(make_shed, trips()))
    assert made.features == (
        Feature("distance", "numeric"),
        Feature("origin", "categorical"),
        Feature("w_wind", "numeric"),
        Feature("w_sky", "categorical"),
        Feature("w_storm", "categorical"),
    )
    train = made.read("train")
    assert train.column_names == ["id", "leaves", "late", "distance", "origin", "w_wind", "w_sky", "w_storm"]
    assert train["id"].to_pylist() == list(range(80))
    assert train["w_wind"].to_pylist() == [None if d % 3 == 0 else float(d) for d in range(80)]
    assert train["w_storm"].to_pylist()[:6] == [None, "false", "false", None, "false", "true"]
    assert train.schema.field("w_wind").type == pa.float32()
    assert train.schema.field("distance").type == pa.float64()


def test_the_newest_span_tests_and_the_one_before_validates(make_shed: MakeShed) -> None:
    made = build(shed_with(make_shed, trips()))
    assert made.read("validate")["id"].to_pylist() == list(range(80, 90))
    assert made.read("test")["id"].to_pylist() == list(range(90, 100))
    assert made.rows == {"train": 80, "validate": 10, "test": 10}


def test_values_older_than_ttl_are_missing(make_shed: MakeShed) -> None:
    test = build(shed_with(make_shed, trips())).read("test")
    seen = dict(zip(test["id"].to_pylist(), test["w_wind"].to_pylist(), strict=True))
    assert (seen[91], seen[92], seen[94]) == (89.0, None, None)
