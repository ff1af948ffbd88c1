"""Which way a metric is better: a word of the store, and what follows from it. Light to import, for plans."""

from __future__ import annotations

from typing import Final, Literal

from store.words import SMALLER_IS_BETTER

__all__ = ["IN_LABEL_UNITS", "SMALLER_IS_BETTER", "MetricName", "gain"]

MetricName = Literal["auc", "log_loss", "accuracy", "brier", "rmse", "mae", "r2"]
IN_LABEL_UNITS: Final[frozenset[str]] = frozenset({"rmse", "mae"})
"""Metrics without a scale of their own: their margins are shares of the value compared with."""


def gain(metric: str, difference: float) -> float:
    """A difference (candidate - reference) turned so that more is better."""
    return -difference if metric in SMALLER_IS_BETTER else difference
