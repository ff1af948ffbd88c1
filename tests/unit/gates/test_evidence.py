"""Evidence from rows: gaps, slices, curves, leakage."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy.stats import false_discovery_control
from sklearn.metrics import log_loss, roc_auc_score

from pipeline.judging.evaluate import ProductionScores, curve_facts, gather_evidence, slice_facts
from pipeline.judging.evidence import Evidence, LeakageFacts, LearningCurve
from pipeline.judging.leakage import WholeTrain, find_twins, leakage_facts
from pipeline.stats.metrics import Task
from pipeline.tables.duck import connect
from pipeline.versions.signature import FeatureKind, InputColumn

Array = npt.NDArray[Any]
CURVE = LearningCurve(steps=[10, 20], train_loss=[0.6, 0.5], validation_loss=[0.6, 0.55], best_step=20, budget=40)


def binary(rows: int, seed: int = 0) -> tuple[Array, Array]:
    rng = np.random.default_rng(seed)
    scores = rng.beta(1, 2, rows)
    return (rng.random(rows) < scores).astype(np.int32), scores


def gathered(**changes: Any) -> Evidence:
    labels, scores = binary(600)
    plain: dict[str, Any] = {
        "task": "binary",
        "objective": "auc",
        "labels": labels,
        "scores": scores,
        "baseline_scores": np.clip(scores + 0.01, 0, 1),
        "production": ProductionScores(4, np.clip(scores * 0.9, 0, 1)),
        "slices": {},
        "parts": {"train": binary(2000, 1), "validate": binary(600, 2), "test": (labels, scores)},
        "curve": CURVE,
        "leakage": None,
        "rng": np.random.default_rng(0),
    }
    return gather_evidence(**{**plain, **changes})


def test_evidence_has_every_metric_with_its_interval_and_both_comparisons() -> None:
    found = gathered()
    assert set(found.metrics) == {"auc", "log_loss", "accuracy", "brier"}
    assert found.baseline is not None
    assert found.production is not None
    assert found.production.version == 4
    assert {one.metric: one.test for one in found.production.differences} == {
        "auc": "DeLong",
        "accuracy": "McNemar exact",
        "log_loss": "paired bootstrap",
        "brier": "paired bootstrap",
    }
    assert Evidence.model_validate_json(found.model_dump_json()) == found


def test_the_same_seed_gives_the_same_evidence() -> None:
    assert gathered() == gathered()


def test_a_regression_is_judged_without_calibration() -> None:
    rng = np.random.default_rng(0)
    labels = rng.normal(size=400)
    scores = labels + rng.normal(0, 0.3, 400)
    part = (labels, scores)
    found = gathered(
        task="regression",
        objective="rmse",
        labels=labels,
        scores=scores,
        baseline_scores=scores,
        production=None,
        parts={"train": part, "validate": part},
    )
    assert found.calibration is None
    assert set(found.metrics) == {"rmse", "mae", "r2"}
    assert found.gap is not None
    assert found.gap.relative.value == pytest.approx(0.0)


def test_many_classes_are_judged_too() -> None:
    rng = np.random.default_rng(0)
    scores = rng.dirichlet([1, 1, 1], 400)
    labels = np.array([rng.choice(3, p=row) for row in scores], np.int32)
    part = (labels, scores)
    found = gathered(
        task="multiclass",
        objective="accuracy",
        labels=labels,
        scores=scores,
        baseline_scores=scores,
        production=None,
        parts={"train": part, "validate": part},
    )
    assert found.metrics["accuracy"].value == pytest.approx((scores.argmax(1) == labels).mean())
    assert found.calibration is not None


def test_the_gap_is_the_relative_difference_of_the_losses() -> None:
    train, validate = binary(2000, 1), binary(600, 2)
    gap = gathered().gap
    assert gap is not None
    expected = 1 - log_loss(*train) / log_loss(*validate)
    assert gap.relative.value == pytest.approx(expected, rel=1e-6)
    assert gap.relative.low is not None
    assert gap.relative.low < expected


def test_one_class_on_the_test_rows_leaves_holes_and_no_nan() -> None:
    found = gathered(labels=np.ones(600, np.int32), slices={"hour": np.arange(600) % 2})
    assert found.metrics["auc"].value is None
    assert "NaN" not in found.model_dump_json()


def test_a_curve_says_how_far_the_plan_went_and_how_far_the_loss_rose() -> None:
    curve = LearningCurve(steps=[1, 2, 3], train_loss=[3, 2, 1], validation_loss=[2.0, 1.0, 1.5], best_step=2, budget=8)
    facts = curve_facts(curve)
    assert facts.share_of_budget == 0.25
    assert facts.risen_after_best == 0.5


def test_slices_are_compared_with_all_rows_and_corrected() -> None:
    labels, scores = binary(4000)
    rng = np.random.default_rng(3)
    carrier = rng.choice(["AA", "UA", "HA"], 4000)
    blind = np.where(carrier == "HA", rng.random(4000), scores)
    found = slice_facts("auc", labels, blind, {"carrier": carrier})
    by_value = {one.value: one for one in found}
    worst = by_value["HA"]
    assert worst.objective == pytest.approx(roc_auc_score(labels[carrier == "HA"], blind[carrier == "HA"]))
    assert worst.drop is not None
    assert worst.drop > 0.1
    assert worst.adjusted is not None
    assert worst.adjusted < 0.001
    assert by_value["AA"].adjusted is not None
    assert by_value["AA"].adjusted > 0.5
    expected = false_discovery_control([one.p_value for one in found if one.p_value is not None])
    np.testing.assert_allclose([one.adjusted for one in found if one.adjusted is not None], expected)


@pytest.mark.slow
def test_slices_without_a_difference_are_rarely_called_worse() -> None:
    called, rng = 0, np.random.default_rng(11)
    for seed in range(60):
        labels, scores = binary(1200, seed)
        found = slice_facts("auc", labels, scores, {"x": rng.integers(0, 5, 1200)})
        called += sum(one.p_value is not None and one.p_value <= 0.05 for one in found)
    assert 0.02 <= called / 300 <= 0.09


def test_missing_values_are_a_slice_and_a_whole_slice_is_never_worse_than_itself() -> None:
    labels, scores = binary(300)
    column = np.array(["a"] * 200 + [None] * 100, dtype=object)
    found = slice_facts("auc", labels, scores, {"x": column, "all": np.ones(300)})
    assert {one.value: one.rows for one in found} == {"a": 200, "(missing)": 100, "1.0": 300}
    assert next(one for one in found if one.column == "all").p_value is None


def leaks(
    train: dict[str, Any],
    test: dict[str, Any],
    *,
    task: Task = "binary",
    label: str = "y",
    whole: WholeTrain | None = None,
) -> LeakageFacts:
    kinds: dict[str, FeatureKind] = {
        name: "categorical" if isinstance(values[0], str) else "numeric"
        for name, values in train.items()
        if name != label
    }
    features: Sequence[InputColumn] = [InputColumn(name=name, kind=kind) for name, kind in kinds.items()]
    rng = np.random.default_rng(0)
    tables = {"train": pa.table(train), "test": pa.table(test)}
    return leakage_facts(**tables, features=features, label=label, task=task, rng=rng, whole=whole)


def rows(size: int, seed: int) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {"a": rng.normal(size=size), "b": rng.choice(["u", "v", "w"], size), "y": rng.integers(0, 2, size)}


def test_rows_copied_from_training_are_found_and_others_are_not() -> None:
    train, test = rows(800, 1), rows(400, 2)
    copied = {name: np.r_[values[:100], test[name][:300]] for name, values in train.items()}
    assert leaks(train, copied).duplicate_share == 0.25
    assert leaks(train, copied).duplicate_share_by_chance == pytest.approx(0.0, abs=0.01)
    assert leaks(train, test).duplicate_share == 0.0


def test_twins_of_a_sampled_training_part_are_looked_for_among_all_its_rows(tmp_path: Path) -> None:
    train, test = rows(8000, 1), rows(400, 2)
    train["a"][5] = np.nan
    copied = {name: np.r_[values[:100], test[name][:300]] for name, values in train.items()}
    pq.write_table(pa.table(train), tmp_path / "train.parquet")
    features: list[InputColumn] = [InputColumn(name="a", kind="numeric"), InputColumn(name="b", kind="categorical")]
    with closing(connect(readable=[tmp_path / "train.parquet"])) as connection:
        twins = find_twins(connection, tmp_path / "train.parquet", pa.table(copied), features, "y")
    assert np.flatnonzero(twins).tolist() == list(range(100))
    sample = {name: values[::16] for name, values in train.items()}
    found = leaks(sample, copied, whole=WholeTrain(8000, twins))
    assert found.duplicate_share == 0.25
    assert found.duplicate_share_by_chance == pytest.approx(0.0, abs=0.01)
    assert leaks(sample, copied).duplicate_share < 0.05, "the sample alone would miss them"


def test_evidence_says_what_was_drawn_and_from_how_many() -> None:
    found = gathered(drawn_from={"train": 9_000_000, "validate": None, "test": 700_000}, baseline_rows=1_000_000)
    assert {name: part.drawn_from for name, part in found.parts.items()} == {
        "train": 9_000_000,
        "validate": None,
        "test": 700_000,
    }
    assert found.baseline is not None
    assert found.baseline.learned_from == 1_000_000
    assert gathered().baseline == found.baseline.model_copy(update={"learned_from": None})


def test_coarse_features_meet_again_by_chance() -> None:
    train, test = rows(800, 1), rows(400, 2)
    del train["a"], test["a"]
    found = leaks(train, test)
    assert found.duplicate_share == 1.0
    assert found.duplicate_share_by_chance > 0.99


def test_a_numeric_feature_that_is_the_label_in_disguise_is_found() -> None:
    train, test = rows(800, 1), rows(400, 2)
    for part in (train, test):
        part["delay"] = -10.0 * part["y"] + np.random.default_rng(5).random(len(part["y"]))
    assert leaks(train, test).single_feature_auc["delay"] == 1.0
    assert next(iter(leaks(train, test).single_feature_auc)) == "delay"


def test_a_feature_that_is_missing_only_where_the_label_is_true_is_found() -> None:
    train, test = rows(800, 1), rows(400, 2)
    for part in (train, test):
        part["paid"] = np.where(part["y"] == 1, np.nan, part["a"])
    assert leaks(train, test).single_feature_auc["paid"] == pytest.approx(1.0)


def test_a_category_that_gives_the_label_away_is_found() -> None:
    train, test = rows(800, 1), rows(400, 2)
    for part in (train, test):
        part["code"] = np.where(part["y"] == 1, "x", "z")
    found = leaks(train, test).single_feature_auc
    assert found["code"] == 1.0
    assert found["a"] < 0.6


def test_leaks_of_a_regression_are_found_too() -> None:
    train, test = rows(800, 1), rows(400, 2)
    for part in (train, test):
        part["y"] = part["a"] * 3.0
    assert leaks(train, test, task="regression").single_feature_auc["a"] == 1.0
    assert leaks(train, test, task="regression").single_feature_auc["b"] < 0.65


def test_shifted_rows_are_told_from_training_rows_and_like_ones_are_not() -> None:
    train, test, shifted = rows(800, 1), rows(400, 2), rows(400, 3)
    shifted["a"] = shifted["a"] + 3
    assert (leaks(train, test).adversarial_auc or 1.0) < 0.6
    assert (leaks(train, shifted).adversarial_auc or 0.0) > 0.9
