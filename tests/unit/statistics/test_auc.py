"""AUC and DeLong against scikit-learn, brute force and simulation."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from sklearn.metrics import roc_auc_score

from pipeline.stats.auc import auc, delong, logit_interval, one_against_rest
from pipeline.stats.estimates import delong_paired

Floats = npt.NDArray[np.float64]


@st.composite
def two_classes(draw: st.DrawFn) -> tuple[npt.NDArray[np.bool_], Floats]:
    """Labels with both classes, and scores with many ties."""
    size = draw(st.integers(4, 40))
    labels = draw(hnp.arrays(np.bool_, size))
    labels[:4] = [True, False, True, False]
    scores = draw(hnp.arrays(np.float64, size, elements=st.integers(0, 12).map(lambda v: v / 12)))
    return labels, scores


@pytest.mark.slow
@given(two_classes())
def test_auc_is_that_of_scikit_learn_ties_included(case: tuple[npt.NDArray[np.bool_], Floats]) -> None:
    labels, scores = case
    assert auc(labels, scores) == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)
    assert delong(labels, scores).value == pytest.approx(roc_auc_score(labels, scores), abs=1e-12)


@pytest.mark.slow
@given(two_classes())
def test_delongs_variance_is_that_of_its_definition(case: tuple[npt.NDArray[np.bool_], Floats]) -> None:
    labels, scores = case
    hits, misses = scores[labels], scores[~labels]
    wins = (hits[:, None] > misses) + 0.5 * (hits[:, None] == misses)
    variance = wins.mean(axis=1).var(ddof=1) / len(hits) + wins.mean(axis=0).var(ddof=1) / len(misses)
    assert delong(labels, scores).standard_error ** 2 == pytest.approx(variance, abs=1e-12)


def test_one_class_has_no_auc() -> None:
    assert np.isnan(auc([True, True], [0.1, 0.2]))
    assert np.isnan(delong([False, False], [0.1, 0.2]).value)


def test_many_classes_are_averaged_one_against_rest() -> None:
    rng = np.random.default_rng(1)
    scores = rng.dirichlet([1, 1, 1], 300)
    labels = np.array([rng.choice(3, p=row) for row in scores], dtype=np.int32)
    expected = roc_auc_score(labels, scores, multi_class="ovr", average="macro")
    assert one_against_rest(labels, scores).value == pytest.approx(expected, abs=1e-12)


def test_a_class_without_rows_is_left_out_and_one_class_alone_has_no_area() -> None:
    rng = np.random.default_rng(4)
    labels = rng.integers(0, 3, 200).astype(np.int32)
    scores = rng.dirichlet(np.ones(4), 200)
    expected = np.mean([roc_auc_score(labels == kind, scores[:, kind]) for kind in range(3)])
    found = one_against_rest(labels, scores)
    assert found.value == pytest.approx(expected, abs=1e-12)
    assert np.isfinite(found.standard_error)
    assert np.isnan(one_against_rest(np.ones(5, np.int32), scores[:5]).value)


def test_a_perfect_model_has_an_interval_without_width_and_near_ones_keep_below_one() -> None:
    assert logit_interval(delong([True, False] * 5, [1.0, 0.0] * 5), 0.95) == (1.0, 1.0)
    scores = np.r_[np.linspace(0.5, 1, 20), np.linspace(0, 0.52, 20)]
    low, high = logit_interval(delong(np.arange(40) < 20, scores), 0.95)
    assert 0.9 < low < high < 1.0


def normal_scores(rng: np.random.Generator, rows: int) -> tuple[npt.NDArray[np.bool_], Floats]:
    labels = rng.random(rows) < 0.3
    return labels, rng.normal(size=rows) + labels


def test_delongs_interval_covers_the_true_area_about_as_often_as_it_says() -> None:
    truth = 0.7602499389  # Φ(1/√2)
    rng = np.random.default_rng(3)
    covered = 0
    for _ in range(400):
        low, high = logit_interval(delong(*normal_scores(rng, 300)), 0.95)
        covered += low <= truth <= high
    assert 0.925 <= covered / 400 <= 0.975


@pytest.mark.slow
def test_two_equally_good_models_are_rarely_told_apart() -> None:
    rng = np.random.default_rng(4)
    small = 0
    for _ in range(400):
        labels, base = normal_scores(rng, 300)
        one, two = (delong(labels, base + rng.normal(0, 0.7, 300)) for _ in range(2))
        small += delong_paired(one, two).p_value <= 0.05
    assert small / 400 <= 0.08


def test_a_model_compared_with_itself_differs_by_nothing() -> None:
    labels, scores = normal_scores(np.random.default_rng(5), 100)
    same = delong_paired(delong(labels, scores), delong(labels, scores))
    assert (same.difference.value, same.difference.low, same.difference.high, same.p_value) == (0.0, 0.0, 0.0, 1.0)
