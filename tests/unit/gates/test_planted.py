"""The gates as a whole, on planted cases: memorising models are caught, sound ones pass, equal ones are not promoted
as better. Real models on small drawn tables."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from sklearn.base import ClassifierMixin
from sklearn.ensemble import HistGradientBoostingClassifier, RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

from pipeline.config.models import Gates
from pipeline.judging.evaluate import ProductionScores, compare_with_production, gather_evidence
from pipeline.judging.evidence import CurveFacts, Estimate, Evidence, LearningCurve
from pipeline.judging.gates import GateResult, Verdict, judge
from pipeline.judging.leakage import leakage_facts
from pipeline.versions.signature import InputColumn
from tests.thorough import THOROUGH

pytestmark = pytest.mark.slow  # trains for real

Array = npt.NDArray[Any]
FEATURES = [InputColumn(name=f"x{place}", kind="numeric") for place in range(8)]
CURVE = LearningCurve(steps=[1], train_loss=[0.5], validation_loss=[0.5], best_step=1, budget=2)

MEMORISING: list[ClassifierMixin] = [
    DecisionTreeClassifier(random_state=0),
    DecisionTreeClassifier(max_depth=14, random_state=1),
    RandomForestClassifier(30, random_state=2),
    RandomForestClassifier(30, bootstrap=False, random_state=3),
    KNeighborsClassifier(1),
    KNeighborsClassifier(15, weights="distance"),
    HistGradientBoostingClassifier(max_iter=150, learning_rate=0.4, min_samples_leaf=2, early_stopping=False),
    HistGradientBoostingClassifier(max_iter=60, learning_rate=0.5, max_leaf_nodes=127, early_stopping=False),
    DecisionTreeClassifier(min_samples_leaf=3, random_state=4),
    RandomForestClassifier(30, min_samples_leaf=3, random_state=5),
]
SOUND: list[ClassifierMixin] = [
    LogisticRegression(),
    LogisticRegression(C=0.1),
    HistGradientBoostingClassifier(max_iter=30, max_leaf_nodes=4, early_stopping=False),
    HistGradientBoostingClassifier(max_iter=60, max_leaf_nodes=3, l2_regularization=5, early_stopping=False),
    RandomForestClassifier(40, min_samples_leaf=25, max_features=None, random_state=6),
    HistGradientBoostingClassifier(max_iter=25, max_leaf_nodes=6, early_stopping=False),
    LogisticRegression(C=0.01),
    HistGradientBoostingClassifier(max_iter=40, max_depth=2, early_stopping=False),
    HistGradientBoostingClassifier(max_iter=50, max_leaf_nodes=3, early_stopping=False),
    LogisticRegression(C=10),
]


def drawn(rows: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Eight features, three of them of use, labels with much noise."""
    features = rng.normal(size=(rows, 8))
    logit = features[:, 0] + 0.7 * features[:, 1] - 0.5 * features[:, 2] - 0.5
    return features, (rng.random(rows) < 1 / (1 + np.exp(-logit))).astype(np.int32)


def judged(model: ClassifierMixin, seed: int) -> Verdict:
    """The whole way: three parts, a baseline, evidence, the default gates."""
    rng = np.random.default_rng(seed)
    parts = {"train": drawn(3000, rng), "validate": drawn(1000, rng), "test": drawn(1500, rng)}
    tables = {
        name: pa.table({**{f"x{i}": features[:, i] for i in range(8)}, "y": labels})
        for name, (features, labels) in parts.items()
    }
    baseline = HistGradientBoostingClassifier(max_iter=40, max_leaf_nodes=4, early_stopping=False)
    for learner in (model, baseline):
        learner.fit(*parts["train"])
    scored = {name: (labels, model.predict_proba(features)[:, 1]) for name, (features, labels) in parts.items()}
    evidence = gather_evidence(
        task="binary",
        objective="auc",
        labels=parts["test"][1],
        scores=scored["test"][1],
        baseline_scores=baseline.predict_proba(parts["test"][0])[:, 1],
        production=None,
        slices={},
        parts=scored,
        curve=CURVE,
        leakage=leakage_facts(
            train=tables["train"], test=tables["test"], features=FEATURES, label="y", task="binary", rng=rng
        ),
        rng=rng,
    )
    return judge(evidence, Gates())


def test_at_least_nine_of_ten_memorising_models_are_caught_by_the_gap() -> None:
    """In make test one of each kind, and all of them are."""
    caught = [
        any(gate.gate == "gap" and gate.outcome == "fail" for gate in judged(model, seed).gates)
        for seed, model in enumerate(MEMORISING)
        if THOROUGH or seed in (0, 3, 4, 6)
    ]
    assert sum(caught) >= 0.9 * len(caught), caught


def test_at_most_one_of_ten_sound_models_is_refused() -> None:
    """In make test three of them, and none is."""
    refused = [
        not judged(model, 100 + seed).passed for seed, model in enumerate(SOUND) if THOROUGH or seed in (0, 2, 3)
    ]
    assert sum(refused) <= 0.1 * len(refused), refused


def against_production(quality: float, rows: int, seed: int) -> GateResult:
    """The gate of production for two models with errors of their own; by `quality` the candidate has less noise."""
    rng = np.random.default_rng(seed)
    truth = rng.normal(size=rows)
    labels = (rng.random(rows) < 1 / (1 + np.exp(-truth))).astype(np.int32)
    candidate, production = (1 / (1 + np.exp(-(truth + rng.normal(0, noise, rows)))) for noise in (0.5 - quality, 0.5))
    comparison = compare_with_production("binary", labels, candidate, ProductionScores(1, production), rng, resamples=2)
    evidence = Evidence(
        task="binary",
        objective="auc",
        rows=rows,
        metrics={"auc": Estimate(value=0.7, low=0.6, high=0.8)},
        baseline=None,
        production=comparison,
        parts={},
        gap=None,
        curve=CurveFacts(curve=CURVE, share_of_budget=0.5, risen_after_best=0.0),
        calibration=None,
        slices=[],
        leakage=None,
    )
    return next(gate for gate in judge(evidence, Gates(production_margin=0.02)).gates if gate.gate == "production")


def test_an_equal_model_is_rarely_called_better_than_production() -> None:
    worst = [against_production(0.0, 400, seed).value or 0.0 for seed in range(200)]
    assert np.mean(np.array(worst) > 0) <= 0.05


def test_an_equal_model_is_let_through_once_there_are_rows_enough_to_see_that_it_is_equal() -> None:
    assert np.mean([against_production(0.0, 6000, seed).outcome == "pass" for seed in range(60)]) >= 0.9


@pytest.mark.parametrize("rows", [400, 4000])
def test_a_model_worse_by_more_than_the_margin_is_rarely_let_through(rows: int) -> None:
    assert np.mean([against_production(-0.5, rows, seed).outcome == "pass" for seed in range(100)]) <= 0.05
