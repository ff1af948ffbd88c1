"""How good a window's answers were, as far as labels have come."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.stats.metrics import Array, measure
from pipeline.stats.orientation import MetricName


@dataclass(frozen=True)
class Performance:
    """Of a window. It is restated when labels come later: compute it anew then."""

    rows: int
    labelled: int
    metrics: Mapping[MetricName, tuple[float, float]]
    """Value and standard error; without those that the labels do not define, such as the AUC of one class."""

    @property
    def coverage(self) -> float | None:
        """Share of the rows with a label; None without rows. Metrics are of these rows alone: with a small share,
        ask whether their labels came sooner for a reason."""
        return self.labelled / self.rows if self.rows else None

    def document(self) -> dict[str, Any]:
        """Plain JSON. An error that is not defined, of one row, is None."""
        metrics = {
            name: {"value": value, "error": error if math.isfinite(error) else None}
            for name, (value, error) in self.metrics.items()
        }
        return {"rows": self.rows, "labelled": self.labelled, "coverage": self.coverage, "metrics": metrics}


def performance(
    metrics: Sequence[MetricName], labels: Array, scores: Array, labelled: npt.NDArray[np.bool_]
) -> Performance:
    """`labels` [n] class numbers or values, read only where `labelled` [n]; `scores` [n], or [n, k] of many classes."""
    count = int(labelled.sum())
    found: dict[MetricName, tuple[float, float]] = {}
    for name in metrics if count else ():
        measured = measure(name, labels[labelled], scores[labelled])
        if math.isfinite(measured.value):
            found[name] = (measured.value, measured.standard_error)
    return Performance(len(labelled), count, found)
