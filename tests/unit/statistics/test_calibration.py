"""Calibration error, its table, and what of it is chance."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.stats.calibration import error_by_chance, reliability, top_label


def test_the_error_of_a_hand_made_case_is_its_hand_computed_value() -> None:
    forecast = np.repeat([0.2, 0.8], 10)
    happened = np.r_[np.arange(10) < 5, np.arange(10) < 8]
    table = reliability(forecast, happened, bins=2)
    np.testing.assert_array_equal(table.rows, [10, 10])
    np.testing.assert_allclose(table.observed, [0.5, 0.8])
    assert table.error == pytest.approx(0.15)


def test_bins_hold_about_the_same_number_of_rows() -> None:
    rng = np.random.default_rng(0)
    table = reliability(rng.beta(1, 30, 3000), rng.random(3000) < 0.1)
    np.testing.assert_array_equal(table.rows, np.full(15, 200))


def test_equal_forecasts_share_a_bin_whatever_the_order_of_rows() -> None:
    happened = np.arange(100) < 50
    table = reliability(np.full(100, 0.5), happened)
    assert table.rows.tolist() == [100]
    assert table.error == 0.0


def test_a_calibrated_model_is_within_chance_and_an_overconfident_one_is_not() -> None:
    rng = np.random.default_rng(1)
    chance = rng.beta(2, 2, 4000)
    happened = rng.random(4000) < chance
    bound = error_by_chance(chance, rng)
    assert reliability(chance, happened).error <= bound
    bold = np.clip(0.5 + (chance - 0.5) * 1.6, 0.01, 0.99)
    assert reliability(bold, happened).error > 2 * error_by_chance(bold, rng)


def test_chance_explains_a_large_error_on_few_rows() -> None:
    rng = np.random.default_rng(2)
    assert error_by_chance(rng.beta(2, 2, 100), rng) > 0.1


def test_of_many_classes_the_likeliest_is_judged() -> None:
    forecast, happened = top_label(np.array([0, 1], np.int32), np.array([[0.7, 0.2, 0.1], [0.5, 0.3, 0.2]]))
    assert forecast.tolist() == [0.7, 0.5]
    assert happened.tolist() == [True, False]
