"""The metrics by name: what they are, and for which task. Which way is better says `store.words`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from pipeline.stats.auc import delong, one_against_rest
from pipeline.stats.measured import Floats, Measured, RowMeans
from store.words import SMALLER_IS_BETTER

MetricName = Literal["auc", "log_loss", "accuracy", "brier", "rmse", "mae", "r2"]
Array = npt.NDArray[Any]
Task = Literal["binary", "multiclass", "regression"]

METRICS: Final[dict[Task, tuple[MetricName, ...]]] = {
    "binary": ("auc", "log_loss", "accuracy", "brier"),
    "multiclass": ("auc", "log_loss", "accuracy", "brier"),
    "regression": ("rmse", "mae", "r2"),
}
LOSS: Final[dict[Task, MetricName]] = {"binary": "log_loss", "multiclass": "log_loss", "regression": "rmse"}
"""What the gap between training and validation is measured in."""
IN_LABEL_UNITS: Final[frozenset[str]] = frozenset({"rmse", "mae"})
"""Metrics without a scale of their own: their margins are shares of the value compared with."""

_SMALLEST = 1e-7
"""Probabilities are kept this far from 0 and 1 in a logarithm: the resolution of float32 near 1."""


def gain(metric: str, difference: float) -> float:
    """A difference (candidate - reference) turned so that more is better."""
    return -difference if metric in SMALLER_IS_BETTER else difference


def scale(metric: str, reference: float) -> float:
    """What a margin of 1 means: 1 for metrics with a scale of their own, else the reference's value."""
    return abs(reference) if metric in IN_LABEL_UNITS else 1.0


def measure(metric: MetricName, labels: Array, scores: Array) -> Measured:
    """A metric with the influence of each row.

    `labels` [n] class numbers or values; `scores` [n] P(class 1) or values, [n, k] probabilities of many classes.
    """
    if metric != "auc":
        return row_means(metric, labels, scores).measure()
    if scores.ndim == 1:
        return delong(labels == 1, scores)
    return one_against_rest(labels, scores)


def row_means(metric: MetricName, labels: Array, scores: Array) -> RowMeans:
    """Every metric but the AUC, as a function of means over rows."""
    return _ROW_MEANS[metric](np.asarray(labels, np.float64), np.asarray(scores, np.float64))


def probabilities(scores: Floats) -> Floats:
    """P(class 1) [n] → probabilities of both classes [n, 2]; [n, k] stays."""
    return np.stack([1 - scores, scores], axis=1) if scores.ndim == 1 else scores


def _first(means: Floats) -> Floats:
    return means[..., 0]


def _of_truth(labels: Floats, scores: Floats) -> Floats:
    """Probability given to what was true, [n]."""
    chances = probabilities(scores)
    return chances[np.arange(len(labels)), labels.astype(np.int64)]


def _log_loss(labels: Floats, scores: Floats) -> RowMeans:
    """-mean log P(truth)."""
    kept = np.clip(_of_truth(labels, scores), _SMALLEST, 1.0)
    return RowMeans(-np.log(kept)[:, None], _first)


def _accuracy(labels: Floats, scores: Floats) -> RowMeans:
    """Share of rows whose likeliest class is the true one; of two classes the second from one half on."""
    return RowMeans(correct(labels, scores).astype(np.float64)[:, None], _first)


def correct(labels: Array, scores: Array) -> npt.NDArray[np.bool_]:
    """Whether each row's likeliest class is the true one, [n]."""
    chosen = scores >= 0.5 if scores.ndim == 1 else scores.argmax(axis=1)
    return np.asarray(chosen == labels, dtype=np.bool_)


def _brier(labels: Floats, scores: Floats) -> RowMeans:
    """Mean squared distance to the truth: (p - y)² for two classes, Σₖ (pₖ - yₖ)² for more (Brier 1950)."""
    if scores.ndim == 1:
        return RowMeans(np.square(scores - labels)[:, None], _first)
    truth = np.arange(scores.shape[1]) == labels[:, None]
    return RowMeans(np.square(scores - truth).sum(axis=1)[:, None], _first)


def _rmse(labels: Floats, scores: Floats) -> RowMeans:
    return RowMeans(np.square(scores - labels)[:, None], lambda means: np.sqrt(np.maximum(means[..., 0], 0.0)))


def _mae(labels: Floats, scores: Floats) -> RowMeans:
    return RowMeans(np.abs(scores - labels)[:, None], _first)


def _r2(labels: Floats, scores: Floats) -> RowMeans:
    """1 - mean squared error / variance of the labels. NaN for constant labels."""
    centred = labels - labels.mean()  # against cancellation in mean(y²) - mean(y)²

    def combine(means: Floats) -> Floats:
        variance = means[..., 1] - np.square(means[..., 2])
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(variance > 0, 1 - means[..., 0] / variance, np.nan)

    return RowMeans(np.stack([np.square(scores - labels), np.square(centred), centred], axis=1), combine)


_ROW_MEANS: Final[dict[str, Callable[[Floats, Floats], RowMeans]]] = {
    "log_loss": _log_loss,
    "accuracy": _accuracy,
    "brier": _brier,
    "rmse": _rmse,
    "mae": _mae,
    "r2": _r2,
}
