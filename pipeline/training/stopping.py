"""When to stop, and which step was best: pure, so that a resumed run decides as the uninterrupted one would."""

from __future__ import annotations

import math

from pydantic import BaseModel, ConfigDict


class Evaluation(BaseModel):
    """What one look at the validation rows found."""

    model_config = ConfigDict(frozen=True)
    step: int
    """Optimiser steps done."""
    train_loss: float
    """Mean loss on a fixed sample of training rows, without dropout."""
    validation_loss: float
    objective: float
    """The model's objective on the validation rows."""


class Progress(BaseModel):
    """How far a run is; with the arrays of the state, all that a checkpoint has to hold."""

    model_config = ConfigDict(frozen=True)
    step: int = 0
    skipped: int = 0
    """Steps without effect, because loss or gradient was not finite."""
    best: Evaluation | None = None
    misses: int = 0
    """Evaluations since the best one."""
    curve: tuple[Evaluation, ...] = ()
    finished: bool = False

    def at(self, step: int, newly_skipped: int) -> Progress:
        """The progress after further steps, so many of them skipped."""
        return self.model_copy(update={"step": step, "skipped": self.skipped + newly_skipped})


def judge(progress: Progress, found: Evaluation, *, higher_is_better: bool, patience: int | None) -> Progress:
    """Progress after an evaluation. It has a new best if `best` is `found`; it is finished when patience is used up.

    A tie in the objective goes to the lower validation loss; an objective that is no number is a miss.
    """
    curve = (*progress.curve, found)
    if _better(found, progress.best, higher_is_better):
        return progress.model_copy(update={"best": found, "misses": 0, "curve": curve})
    misses = progress.misses + 1
    finished = patience is not None and misses >= patience
    return progress.model_copy(update={"misses": misses, "curve": curve, "finished": finished})


def _better(found: Evaluation, best: Evaluation | None, higher_is_better: bool) -> bool:
    if not math.isfinite(found.objective):
        return False
    if best is None:
        return True
    gain = (found.objective - best.objective) * (1 if higher_is_better else -1)
    return gain > 0 or (gain == 0 and found.validation_loss < best.validation_loss)
