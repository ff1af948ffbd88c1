"""A model's training set: what is in it, in which order, and what is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from pipeline.trainingset import Feature, TrainingSet, build_training_set, open_training_set
from pipeline.trainingset.split import PARTS
from pipeline.versions.encoding import words
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


@pytest.mark.slow
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


@pytest.mark.slow
def test_the_newest_span_tests_and_the_one_before_validates(make_shed: MakeShed) -> None:
    made = build(shed_with(make_shed, trips()))
    assert made.read("validate")["id"].to_pylist() == list(range(80, 90))
    assert made.read("test")["id"].to_pylist() == list(range(90, 100))
    assert made.rows == {"train": 80, "validate": 10, "test": 10}


@pytest.mark.slow
def test_values_older_than_ttl_are_missing(make_shed: MakeShed) -> None:
    test = build(shed_with(make_shed, trips())).read("test")
    seen = dict(zip(test["id"].to_pylist(), test["w_wind"].to_pylist(), strict=True))
    assert (seen[91], seen[92], seen[94]) == (89.0, None, None)


@pytest.mark.slow
def test_the_gap_between_the_parts_is_left_out_and_counted(make_shed: MakeShed) -> None:
    made = build(shed_with(make_shed, trips(), split={"validate": "10d", "test": "10d", "gap": "3d"}))
    assert made.read("validate")["id"].to_pylist() == list(range(77, 87))
    assert made.read("test")["id"].to_pylist() == list(range(90, 100))
    assert (made.rows, made.left_in_gap) == ({"train": 74, "validate": 10, "test": 10}, 6)


@pytest.mark.slow
def test_rows_without_a_label_or_a_time_are_left_out_and_counted(make_shed: MakeShed) -> None:
    late = pa.array([None, float("nan"), *(float(d % 2) for d in range(98))])
    leaves = trips()["leaves"].to_pylist()
    shed = shed_with(make_shed, trips(late=late, leaves=pa.array([*leaves[:-1], None], MOMENT)))
    made = build(shed)
    assert (made.dropped_unlabelled, made.dropped_untimed, sum(made.rows.values())) == (2, 1, 97)
    said = [note["message"] for note in shed.spooled("note")]
    assert said == [
        "late: 2 rows have no late and were left out",
        "late: 1 rows have no leaves and were left out",
    ]


@pytest.mark.slow
def test_an_equal_build_has_the_equal_digest_and_is_stored_once(make_shed: MakeShed) -> None:
    shed = shed_with(make_shed, trips())
    first = build(shed)
    shed.put("trips", trips().take(list(range(99, -1, -1))))
    second = build(shed)
    assert first.path.name == first.digest != second.digest
    assert second.read("train") == first.read("train")
    assert build(shed).digest == second.digest
    assert sorted(p.name for p in shed.home.training_sets.iterdir()) == sorted([first.digest, second.digest])


@pytest.mark.slow
def test_one_changed_value_changes_the_digest(make_shed: MakeShed) -> None:
    shed = shed_with(make_shed, trips())
    manifest = build(shed).path.joinpath("manifest.json")
    shed.put("trips", trips(distance=pa.array([1, *(d * 10 for d in range(99))], pa.int64())))
    other = build(shed).path.joinpath("manifest.json")
    assert json.loads(manifest.read_text())["row_hash"] != json.loads(other.read_text())["row_hash"]


@pytest.mark.slow
def test_the_training_set_is_recorded_with_what_it_was_made_from(make_shed: MakeShed) -> None:
    shed = shed_with(make_shed, trips())
    made = build(shed)
    (facts,) = shed.spooled("training_set")
    assert facts["digest"] == made.digest
    assert shed.home.root / facts["path"] == made.path
    assert facts["rows"] == 100
    assert facts["inputs"] == {"trips": 0, "features:weather": 0}
    assert "ASOF LEFT JOIN" in facts["query"]
    assert [c["name"] for c in facts["columns"]] == made.read("test").column_names
    assert open_training_set(shed.home, made.digest) == made


def test_a_training_set_that_is_gone_is_not_found(make_shed: MakeShed) -> None:
    with pytest.raises(NotFound, match="no training set abc"):
        open_training_set(make_shed({}).home, "abc")


@pytest.mark.slow
def test_a_constant_column_is_kept_and_noted(make_shed: MakeShed) -> None:
    shed = shed_with(make_shed, trips(distance=pa.array([7] * 100, pa.int64())))
    assert Feature("distance", "numeric") in build(shed).features
    (note,) = shed.spooled("note")
    assert (note["kind"], note["message"]) == ("constant_column", "late: the feature distance never varies")


@pytest.mark.slow
def test_without_time_the_key_decides_and_new_rows_move_nobody(make_shed: MakeShed) -> None:
    settings: dict[str, Any] = {"time": None, "views": [], "split": {"validate": 0.2, "test": 0.2}}
    shed = shed_with(make_shed, trips(400), **settings)
    before = build(shed)
    assert before.rows["test"] == pytest.approx(80, abs=30)
    assert sum(before.rows.values()) == 400
    shed.put("trips", trips(800))
    after = build(shed)
    for part in PARTS:
        assert set(before.read(part)["id"].to_pylist()) <= set(after.read(part)["id"].to_pylist())


@pytest.mark.slow
def test_slices_are_carried_along(make_shed: MakeShed) -> None:
    made = build(shed_with(make_shed, trips(gate=["A", "B"] * 50), slices=["gate", "origin", "w_sky"]))
    assert made.read("test")["gate"].to_pylist()[:2] == ["B", "A"]
    assert made.slices == ("gate", "origin", "w_sky")
    assert Feature("gate", "categorical") not in made.features


@pytest.mark.slow
def test_truth_values_may_be_numbers_or_labels(make_shed: MakeShed) -> None:
    flag = pa.array([d % 2 == 0 for d in range(100)])
    made = build(shed_with(make_shed, trips(late=flag, distance=flag)))
    assert made.read("test")["distance"].to_pylist()[:2] == [0.0, 1.0]
    assert made.read("test")["late"].to_pylist()[:2] == [False, True]


def test_a_category_that_is_a_float_has_the_words_that_a_version_is_asked_with(make_shed: MakeShed) -> None:
    """Where nulls made floats of whole numbers, a version learned "1.0" and was asked "1", which it had never seen."""
    kind = pa.array([[1.0, 2.5, float("nan"), None, 1e-7][d % 5] for d in range(100)], pa.float64())
    examples = trips(kind=kind)
    made = build(shed_with(make_shed, examples, categorical=["kind"]))
    asked = dict(zip(examples["id"].to_pylist(), words(examples["kind"]).to_pylist(), strict=True))
    for part in PARTS:
        rows = made.read(part)
        assert rows["kind"].to_pylist() == [asked[number] for number in rows["id"].to_pylist()]


UNLEARNABLE: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({"late": pa.array([1] * 100)}, {}, "all rows have the same late"),
    ({"late": pa.array([float("nan")] * 100)}, {}, "none of the 100 rows has a label"),
    ({"late": pa.nulls(100, pa.int64())}, {}, "none of the 100 rows has a label"),
    ({"leaves": pa.nulls(100, MOMENT)}, {}, "none of the 100 rows with a label has a time"),
    ({"late": pa.array([0] * 10 + [1, 0] * 45)}, {}, "all 10 rows that test have the same late"),
    ({}, {"split": {"validate": "10d", "test": "400d"}}, "no rows are left to train"),
    ({}, {"split": {"validate": 0.0, "test": 0.2}}, "no rows are left to validate"),
    ({"late": pa.array([5.0] * 100)}, {"task": "regression"}, "all 80 rows that train have the same late"),
]


@pytest.mark.parametrize(("columns", "settings", "what"), UNLEARNABLE)
def test_rows_that_teach_nothing_are_refused(
    make_shed: MakeShed, columns: dict[str, Any], settings: dict[str, Any], what: str
) -> None:
    shed = shed_with(make_shed, trips(**columns), **settings)
    with pytest.raises(Unlearnable, match=what) as caught:
        build(shed)
    assert caught.value.where.startswith("models.late.")
    assert not shed.home.training_sets.exists() or not list(shed.home.training_sets.iterdir())


def test_an_empty_dataset_is_refused(make_shed: MakeShed) -> None:
    with pytest.raises(Unlearnable, match="the dataset 'trips' has no rows"):
        build(shed_with(make_shed, trips(0)))


WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"label": "laet"}, "no column 'laet', did you mean 'late'", "models.late.label"),
    ({"key": ["di"]}, "no column 'di'", "models.late.key"),
    ({"numeric": ["distnace"]}, "did you mean 'distance'", "models.late.numeric"),
    ({"numeric": ["origin"]}, "'origin' is VARCHAR, and numeric features are numbers", "models.late.numeric"),
    ({"categorical": ["leaves"]}, "'leaves' is TIMESTAMP.*, and a moment is no category", "models.late.categorical"),
    ({"numeric": ["late"]}, "the model would be told the answer", "models.late.numeric"),
    ({"categorical": ["distance"]}, "two columns 'distance'", "models.late"),
    ({"slices": ["hub"]}, "no column 'hub'", "models.late.slices"),
    ({"time": "distance"}, "which is no moment in time", "models.late.time"),
    ({"label": "origin", "task": "regression", "categorical": []}, "a regression needs numbers", "models.late.label"),
    ({"label": "id", "key": ["origin"]}, "100 different values, and a binary task has two", "models.late.task"),
    ({"task": "multiclass"}, "has two different values", "models.late.task"),
    ({"views": [{"view": "weather"}]}, "has no column 'place'", "models.late.views[0].on"),
    ({"views": [{"view": "weather", "on": {"plaec": "origin"}}]}, "did you mean 'place'", "models.late.views[0].on"),
    ({"views": [{"view": "weather", "on": {"place": "id"}}]}, "such keys never mean the same", "models.late.views[0]"),
    (
        {"views": [{"view": "weather", "on": {"place": "origin"}}] * 2},
        "two columns 'wind'",
        "models.late",
    ),
    (
        {"time": None, "views": [], "split": {"validate": "10d"}},
        "a span of time cannot split examples that have no time",
        "models.late.split.validate",
    ),
]


@pytest.mark.parametrize(("settings", "what", "where"), WRONG)
def test_a_model_that_does_not_fit_its_data_is_refused(
    make_shed: MakeShed, settings: dict[str, Any], what: str, where: str
) -> None:
    shed = shed_with(make_shed, trips(), **settings)
    with pytest.raises(ProjectError, match=what) as caught:
        build(shed)
    assert caught.value.where == where


def test_a_view_without_a_version_is_named(make_shed: MakeShed) -> None:
    shed = make_shed({**SECTIONS, "models": {"late": MODEL}})
    shed.put("trips", trips())
    with pytest.raises(NotFound, match="'weather' has no version yet") as caught:
        build(shed)
    assert "trainshed run features:weather" in caught.value.remedy
