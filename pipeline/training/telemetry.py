"""What a training tells while it runs: live metrics, progress with the time left, and where the time went."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from pipeline.process.spool import Spool
from pipeline.training.steps import Trace
from pipeline.training.stopping import Evaluation


class SpoolWatcher:
    """Writes what the loop reports to the spool. See `pipeline.training.train.Watcher`."""

    def __init__(self, spool: Spool, *, objective: str, total: int, steps_per_epoch: int) -> None:
        self._spool = spool
        self._objective = objective
        self._total = total
        self._steps_per_epoch = steps_per_epoch
        self._seconds = 0.0
        self._steps = 0
        self._warned = False

    def compiled(self, seconds: float) -> None:
        self._spool.note("compile", f"the training step is compiled ({seconds:.1f} s)", seconds=round(seconds, 3))

    def chunk(self, first: int, trace: Trace, seconds: float) -> None:
        done = trace.done
        if done == 0:
            return
        steps = range(first + 1, first + done + 1)
        losses, rates = trace.loss.tolist(), trace.learning_rate.tolist()
        self._spool.metrics(steps, {"train/loss": losses, "train/learning_rate": rates})
        last = first + done
        self._spool.metrics([last], {"time/step_ms": [1000 * seconds / done], "time/chunk_ms": [1000 * seconds]})
        self._warn(first, trace.finite)
        self._seconds += seconds
        self._steps += done
        self._progress(last)

    def evaluated(self, found: Evaluation, is_best: bool, seconds: float) -> None:
        self._spool.metrics(
            [found.step],
            {
                "validation/loss": [found.validation_loss],
                f"validation/{self._objective}": [found.objective],
                "train/sample_loss": [found.train_loss],
                "time/evaluation_ms": [1000 * seconds],
            },
        )
        self._seconds += seconds
        self._progress(found.step, f"{self._objective} {found.objective:.4f}{' (best)' if is_best else ''}")

    def ended(self, step: int, figures: Mapping[str, float]) -> None:
        """Seconds by cause, and the share of the wall time in which steps ran."""
        named = {"goodput": [figures["goodput"]]}
        named |= {f"time/{cause}_s": [value] for cause, value in figures.items() if cause != "goodput"}
        self._spool.metrics([step], named)

    def _progress(self, step: int, extra: str = "") -> None:
        epoch = min(-(-step // self._steps_per_epoch), self._total // self._steps_per_epoch)
        message = f"epoch {epoch} of {self._total // self._steps_per_epoch}"
        left = self._total - step
        eta = self._seconds / self._steps * left if self._steps else None
        self._spool.progress(step, self._total, "steps", message=f"{message}, {extra}" if extra else message, eta_s=eta)

    def _warn(self, first: int, finite: np.ndarray) -> None:
        bad = np.flatnonzero(~finite)
        if len(bad) and not self._warned:
            self._warned = True
            step = first + int(bad[0]) + 1
            self._spool.note(
                "step_skipped",
                f"step {step} had a loss or gradient that was not finite, and was skipped",
                level="warning",
                step=step,
            )
