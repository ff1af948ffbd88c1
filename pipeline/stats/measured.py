"""A statistic with the influence of every row upon it: what intervals and tests of all metrics are built from."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Combine = Callable[[Floats], Floats]
"""Means of columns [..., k] → values of the statistic [...]."""


@dataclass(frozen=True)
class Measured:
    """`value`, and `influence` [n] scaled so that the variance of the value is the sum of its squares."""

    value: float
    influence: Floats

    @property
    def standard_error(self) -> float:
        return float(np.sqrt(np.sum(np.square(self.influence))))


@dataclass(frozen=True)
class RowMeans:
    """A statistic that depends on the rows only through means: `combine(mean of columns)`."""

    columns: Floats
    """[n, k]: k numbers a row."""
    combine: Combine

    def measure(self) -> Measured:
        """The value, with the jackknife's influences (Efron & Tibshirani 1993, §11): (θ̄ - θ₋ᵢ)·√((n-1)/n).

        Leaving row i out of a mean m gives (n·m - xᵢ)/(n-1), so all n values come from one vector expression.
        """
        rows = len(self.columns)
        means = self.columns.mean(axis=0)
        value = float(self.combine(means))
        if rows < 2:
            return Measured(value, np.full(rows, math.nan))
        left_out = self.combine((rows * means - self.columns) / (rows - 1))
        return Measured(value, (left_out.mean() - left_out) * math.sqrt((rows - 1) / rows))

    def minus(self, other: RowMeans) -> RowMeans:
        """The difference of two statistics on the same rows."""
        width = self.columns.shape[1]
        return RowMeans(
            np.hstack([self.columns, other.columns]),
            lambda means: self.combine(means[..., :width]) - other.combine(means[..., width:]),
        )
