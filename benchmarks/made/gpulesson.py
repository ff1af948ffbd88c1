"""Trainings for the GPU benchmark: a lesson in memory, how long it takes and how busy the device is meanwhile."""

from __future__ import annotations

import statistics
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import numpy as np
import pynvml
from flax import nnx

from benchmarks.made.gpunets import COLUMNS
from pipeline.config.models import Training
from pipeline.models.flat import flatten
from pipeline.training.batches import Rows
from pipeline.training.looks import Objective
from pipeline.training.pace import choose_block
from pipeline.training.steps import Trace
from pipeline.training.stopping import Evaluation
from pipeline.training.train import Lesson, fit

ROWS: Final = 1_000_000


class Meter:
    """Wall seconds from the end of compilation to the end of the last chunk, without the looks."""

    def __init__(self) -> None:
        self.start = self.end = self.begun = 0.0
        self.steps: list[float] = []

    def compiled(self, seconds: float) -> None:
        self.start = self.begun = time.monotonic()

    def chunk(self, first: int, trace: Trace, seconds: float) -> None:
        self.end = time.monotonic()
        self.steps += [seconds / trace.done] if trace.done else []

    def evaluated(self, found: Evaluation, is_best: bool, seconds: float) -> None:
        self.start += time.monotonic() - self.end

    @property
    def seconds(self) -> float:
        return self.end - self.start


class Busy:
    """Samples how busy the GPU is, as NVML says, while its block runs."""

    def __init__(self) -> None:
        pynvml.nvmlInit()
        self._handle = pynvml.nvmlDeviceGetHandleByIndex(0)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch)
        self._samples: list[tuple[float, int]] = []

    def __enter__(self) -> Busy:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._over.wait(0.1):
            self._samples.append((time.monotonic(), pynvml.nvmlDeviceGetUtilizationRates(self._handle).gpu))

    def within(self, meter: Meter) -> float:
        """Mean share of time with a kernel at work, in the steps and looks of a training. NVML looks back a second."""
        return round(statistics.fmean(busy for at, busy in self._samples if meter.begun + 1 < at < meter.end) / 100, 3)


def table(rows: int = ROWS) -> Rows:
    rng = np.random.default_rng(0)
    numeric = rng.normal(size=(rows, COLUMNS)).astype(np.float32)
    target = (numeric[:, 0] * numeric[:, 1] + numeric[:, 2] > 0).astype(np.float32)
    return Rows(numeric, np.zeros((rows, 0), np.int32), target)


def lesson(
    build: Callable[[nnx.Rngs], Any], rows: Rows, *, block: int = choose_block("gpu"), **training: Any
) -> Lesson:
    model, leaves = flatten(build, seed=0)
    few = rows.take(np.arange(64))
    settings: dict[str, Any] = {"optimizer": "adam", "learning_rate": 1e-3, "schedule": "constant", "warmup": 0.0}
    settings |= {"clip": None, "patience": None, **training}
    objective = Objective(name="none", higher_is_better=True, measure=lambda target, scores: 0.0)
    return Lesson(
        model=model,
        leaves=leaves,
        train=rows,
        validate=few,
        training=Training(**settings),
        objective=objective,
        placement="device",
        block=block,
    )


def train(lesson: Lesson) -> Meter:
    meter = Meter()
    fit(lesson, watcher=meter, clock=time.monotonic, stop=threading.Event())
    return meter
