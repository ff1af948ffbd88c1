"""How closely scores that were computed again have to meet those that were written down."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from pipeline.versions.birthplace import Precision
from pipeline.versions.signature import Task

TOLERANCE: Mapping[Precision, float] = {"float32": 1e-4, "bfloat16": 2e-2, "as written": 2e-2}
"""Largest difference of a golden score on another machine, platform or jaxlib: sums in another order; and bfloat16 has
eight bits, which a compiler may round to at other places."""


def difference_of(found: npt.NDArray[np.float32], expected: npt.NDArray[np.float32], task: Task) -> float:
    """Largest absolute difference of a score; of a regression, relative to the largest score, if that is above 1.

    NaN, which no tolerance allows, if any score is NaN.
    """
    size = max(1.0, float(np.abs(expected).max(initial=0.0))) if task == "regression" else 1.0
    return float(np.abs(found - expected).max(initial=0.0)) / size
