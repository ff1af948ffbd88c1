"""The ranks of values among themselves."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pipeline.stats.measured import Floats


def ranked(values: npt.ArrayLike) -> Floats:
    """From 1 upwards, [n] of values [n]; those that are equal share the mean of their places."""
    from scipy.stats import rankdata  # here: it takes a second to load, and who ranks nothing does without

    return np.asarray(rankdata(values))
