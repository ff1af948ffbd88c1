"""How good answers to a yes-or-no question probably are, before any label has come.

Confidence-based performance estimation: where a calibrated model says 70 %, 70 of 100 are yes, so its own scores tell
how many it gets right. That holds when other cases come than before (covariate shift), and does not when the same cases
turn out otherwise than before (concept drift): no estimate without labels sees that. Show it beside what labels say.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from pipeline.stats.measured import Floats

Calibration = Callable[[npt.ArrayLike], Floats]
"""Scores [n] → P(yes) [n]."""


@dataclass(frozen=True)
class Expected:
    """Of n answers. Rows of the confusion are numbers of cases that are expected, not counted."""

    true_yes: float
    false_yes: float
    false_no: float
    true_no: float
    auc: float | None
    """None where all chances are 0, or all 1: one class only."""

    @property
    def accuracy(self) -> float | None:
        total = self.true_yes + self.false_yes + self.false_no + self.true_no
        return (self.true_yes + self.true_no) / total if total else None


def calibrate(scores: npt.ArrayLike, happened: npt.ArrayLike) -> Calibration:
    """Isotonic regression on labelled rows of the reference, not those trained on (Zadrozny & Elkan 2002). [n] each."""
    # Here, for it takes a second to load and most of this folder does without it.
    from sklearn.isotonic import IsotonicRegression

    fitted = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip")
    fitted.fit(np.asarray(scores, np.float64), np.asarray(happened, np.float64))
    return lambda given: np.asarray(fitted.predict(np.asarray(given, np.float64)), np.float64)


def expected(chances: Floats, scores: npt.ArrayLike, threshold: float = 0.5) -> Expected:
    """`chances` [n] calibrated P(yes), `scores` [n] as answered: yes from `threshold` on. O(n log n).

    E[true yes] = Σ cᵢ over answers yes, and so on. AUC: Σᵢ≠ⱼ cᵢ(1 - cⱼ)·([sᵢ > sⱼ] + ½[sᵢ = sⱼ]) over
    Σᵢ≠ⱼ cᵢ(1 - cⱼ), expected pairs in the right order over expected pairs (after Kivimäki, Białek et al. 2025).
    """
    given = np.asarray(scores, dtype=np.float64)
    yes = given >= threshold
    return Expected(
        float(chances[yes].sum()),
        float((1 - chances[yes]).sum()),
        float(chances[~yes].sum()),
        float((1 - chances[~yes]).sum()),
        _auc(chances, given),
    )


def _auc(chances: Floats, scores: Floats) -> float | None:
    _, group = np.unique(scores, return_inverse=True)
    yes, no = np.bincount(group, chances), np.bincount(group, 1 - chances)
    itself = np.bincount(group, chances * (1 - chances))
    pairs = float(yes.sum() * no.sum() - itself.sum())
    if len(scores) < 2 or not pairs > 0:
        return None
    lower = np.cumsum(no) - no
    right = yes * lower + (yes * no - itself) / 2
    return float(right.sum()) / pairs
