"""Calibration: do things said to happen with 30 % happen in 30 of 100 cases?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.stats.measured import Floats
from pipeline.stats.ranks import ranked

BINS = 15


@dataclass(frozen=True)
class Reliability:
    """Bins of about equal mass, in the order of the forecast; empty ones left out. Arrays [bins]."""

    rows: npt.NDArray[np.int64]
    forecast: Floats
    """Mean probability given."""
    observed: Floats
    """Share that happened."""

    @property
    def error(self) -> float:
        """Expected calibration error Σ (nᵦ/n)·|observed - forecast| (Naeini 2015), on equal-mass bins."""
        return float(np.sum(self.rows * np.abs(self.observed - self.forecast)) / self.rows.sum())


def reliability(forecast: Floats, happened: npt.NDArray[np.bool_], bins: int = BINS) -> Reliability:
    """`forecast` [n] probabilities, `happened` [n]. Equal forecasts share a bin, whatever the order of the rows."""
    place = _places(forecast, bins)
    rows = np.bincount(place, minlength=bins)
    kept = rows > 0
    return Reliability(
        rows[kept],
        np.bincount(place, forecast, minlength=bins)[kept] / rows[kept],
        np.bincount(place, happened, minlength=bins)[kept] / rows[kept],
    )


def error_by_chance(
    forecast: Floats, rng: np.random.Generator, *, bins: int = BINS, resamples: int = 200, level: float = 0.95
) -> float:
    """The `level` quantile of the calibration error that a perfectly calibrated model has on so few rows.

    Consistency resampling (Bröcker & Smith 2007): outcomes are drawn with the forecast's own probabilities.
    """
    order = np.argsort(_places(forecast, bins), kind="stable")
    place, chances = _places(forecast, bins)[order], forecast[order]
    starts = np.flatnonzero(np.r_[True, place[1:] != place[:-1]])
    expected = np.add.reduceat(chances, starts)
    errors = np.empty(resamples)
    for index in range(resamples):
        drawn = (rng.random(len(chances)) < chances).astype(np.float64)
        errors[index] = np.abs(np.add.reduceat(drawn, starts) - expected).sum() / len(chances)
    return float(np.quantile(errors, level))


def top_label(labels: npt.NDArray[np.int32], scores: Floats) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """What is judged: P(class 1) of two classes, the probability of the likeliest of many (Guo 2017); and the truth."""
    if scores.ndim == 1:
        return scores.astype(np.float64), np.asarray(labels == 1)
    return scores.max(axis=1).astype(np.float64), np.asarray(scores.argmax(axis=1) == labels)


def _places(forecast: Floats, bins: int) -> npt.NDArray[np.int64]:
    ranks = ranked(forecast)
    return np.asarray(np.minimum((ranks - 0.5) * bins / len(forecast), bins - 1), dtype=np.int64)
