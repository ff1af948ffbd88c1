"""How good answers to a yes-or-no question probably are, before any label has come.

Confidence-based performance estimation: where a calibrated model says 70 %, 70 of 100 are yes, so its own scores tell
how many it gets right. That holds when other cases come than before (covariate shift), and does not when the same cases
turn out otherwise than before (concept drift): no estimate without labels sees that. Show it beside what labels say.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from pipeline.stats.measured import Floats


@dataclass(frozen=True, eq=False)
class Calibration:
    """Scores [n] → P(yes) [n]: a line through points, level beyond them."""

    scores: Floats
    """[k], ascending."""
    chances: Floats
    """[k], in [0, 1], never falling."""

    def __call__(self, given: npt.ArrayLike) -> Floats:
        return np.asarray(np.interp(np.asarray(given, np.float64), self.scores, self.chances))

    def document(self) -> dict[str, Any]:
        return {"scores": self.scores.tolist(), "chances": self.chances.tolist()}

    @classmethod
    def from_document(cls, said: dict[str, Any]) -> Calibration:
        return cls(np.array(said["scores"], np.float64), np.array(said["chances"], np.float64))


@dataclass(frozen=True)
class Expected:
    """Of n answers. Rows of the confusion are numbers of cases that are expected, not counted."""

    true_yes: float
    false_yes: float
    false_no: float
    true_no: float
    auc: float | None
    """None where all chances are 0, or all 1: one class only."""
    auc_error: float | None = None
    """Standard deviation of the AUC that these rows will turn out to have, about what is expected."""

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
    return Calibration(np.asarray(fitted.X_thresholds_), np.asarray(fitted.y_thresholds_))


def expected(chances: Floats, scores: npt.ArrayLike, threshold: float = 0.5) -> Expected:
    """`chances` [n] calibrated P(yes), `scores` [n] as answered: yes from `threshold` on. O(n log n).

    E[true yes] = Σ cᵢ over answers yes, and so on. AUC: Σᵢ≠ⱼ cᵢ(1 - cⱼ)·([sᵢ > sⱼ] + ½[sᵢ = sⱼ]) over
    Σᵢ≠ⱼ cᵢ(1 - cⱼ), expected pairs in the right order over expected pairs (after Kivimäki, Białek et al. 2025).
    """
    given = np.asarray(scores, dtype=np.float64)
    yes = given >= threshold
    area = _auc(chances, given)
    return Expected(
        float(chances[yes].sum()),
        float((1 - chances[yes]).sum()),
        float(chances[~yes].sum()),
        float((1 - chances[~yes]).sum()),
        *(area or (None, None)),
    )


def _auc(chances: Floats, scores: Floats) -> tuple[float, float] | None:
    """The AUC N/D that is expected, and its deviation √Σ cᵢ(1 - cᵢ)·(∂(N/D)/∂cᵢ)² by the delta method: outcomes are
    independent, yes with chance cᵢ.

    ∂N/∂cₖ = Σⱼ≠ₖ (1 - cⱼ)·wₖⱼ - Σᵢ≠ₖ cᵢ·wᵢₖ, with w the order of the pair; ∂D/∂cₖ is the same with w = 1.
    """
    _, group = np.unique(scores, return_inverse=True)
    yes, no = np.bincount(group, chances), np.bincount(group, 1 - chances)
    itself = np.bincount(group, chances * (1 - chances))
    pairs = float(yes.sum() * no.sum() - itself.sum())
    if len(scores) < 2 or not pairs > 0:
        return None
    lower, upper = np.cumsum(no) - no, yes.sum() - np.cumsum(yes)
    area = float((yes * lower + (yes * no - itself) / 2).sum()) / pairs
    won = lower[group] + (no[group] - (1 - chances)) / 2
    lost = upper[group] + (yes[group] - chances) / 2
    slope = (won - lost - area * ((no.sum() - (1 - chances)) - (yes.sum() - chances))) / pairs
    return area, math.sqrt(float((chances * (1 - chances) * np.square(slope)).sum()))
