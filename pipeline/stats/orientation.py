"""Which way a metric is better, decided here only. Light to import: plans and comparisons need no numbers library."""

from __future__ import annotations

from typing import Final, Literal

MetricName = Literal["auc", "log_loss", "accuracy", "brier", "rmse", "mae", "r2"]
SMALLER_IS_BETTER: Final[frozenset[str]] = frozenset({"log_loss", "brier", "rmse", "mae"})
IN_LABEL_UNITS: Final[frozenset[str]] = frozenset({"rmse", "mae"})
"""Metrics without a scale of their own: their margins are shares of the value compared with."""


def gain(metric: str, difference: float) -> float:
    """A difference (candidate - reference) turned so that more is better."""
    return -difference if metric in SMALLER_IS_BETTER else difference
