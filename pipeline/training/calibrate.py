"""Temperature: one number that makes probabilities mean what they say, found on the validation rows.

Guo et al. 2017, "On Calibration of Modern Neural Networks", for the mean of several members.
"""

from __future__ import annotations

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import expit, softmax

SPAN = (0.2, 5.0)
"""Temperatures that are looked at; one at the edge says that something else is wrong."""
_TINY = 1e-7


def fit_temperature(outputs: np.ndarray, target: np.ndarray) -> float:
    """The temperature with the least negative log-likelihood of the members' mean probability.

    `outputs`: logits [n, members, k], k = 1 for a binary task; `target` [n]: class numbers.
    """
    labels = np.asarray(target).astype(np.int64)

    def loss(log_temperature: float) -> float:
        chosen = likelihood(outputs / np.exp(log_temperature), labels)
        return float(-np.mean(np.log(np.clip(chosen, _TINY, None))))

    found = minimize_scalar(loss, bounds=tuple(np.log(SPAN)), method="bounded", options={"xatol": 1e-3})
    return float(np.exp(found.x))


def likelihood(logits: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """[n]: the members' mean probability of each row's own class."""
    if logits.shape[2] == 1:
        positive = expit(logits[:, :, 0]).mean(axis=1)
        return np.asarray(np.where(labels == 1, positive, 1.0 - positive))
    return np.asarray(np.take_along_axis(softmax(logits, axis=2).mean(axis=1), labels[:, None], axis=1)[:, 0])
