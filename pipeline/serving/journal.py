"""What a worker writes down of the requests it answers: a prediction log for each model, begun with its first line.

A line is made when the answer is there, by the thread that made it; another one writes it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import count
from typing import Any, Final, NamedTuple

import numpy as np

from pipeline.predictions.log import Limits, PredictionLog
from pipeline.predictions.record import COLUMNS, Prediction
from pipeline.serving.columns import CATEGORICAL, NUMERIC, Columns
from pipeline.serving.outputs import LABEL, SCORE, Scores, labels
from pipeline.serving.settings import ServingSettings
from pipeline.serving.shelf import Picked
from pipeline.serving.tensors import Values
from pipeline.versions.signature import Signature
from store.home import ServingDir

_FEW: Final = 8
"""So many numbers are written as digits sooner than as bytes."""
_ANSWERED: Final = 200
_OURS: Final = 500
"""From this status on a request was ours to answer."""
Tensors = Mapping[str, tuple[Sequence[int], Values]]


class Exchange(NamedTuple):
    """A request whose version is chosen."""

    picked: Picked
    request: str
    """Its id."""
    unit: str | None
    inputs: Callable[[], Any]


class Journal:
    """One worker's; belongs to the thread of its event loop."""

    def __init__(self, folder: ServingDir, limits: Limits | None, now_us: Callable[[], int] | None = None) -> None:
        """`limits`: of one model; None: nothing is written down."""
        self._folder = folder
        self._limits = limits
        self.now_us: Final = now_us or _now_us
        self.writer: Final = f"{self.now_us()}-{secrets.token_hex(6)}"
        """A name that no process ever had."""
        self._names = (f"{self.writer}-{number:x}" for number in count(1))
        self._logs: dict[str, PredictionLog] = {}

    @property
    def writes(self) -> bool:
        return self._limits is not None

    def name(self) -> str:
        """An id, unlike any other, for a request that came without one."""
        return next(self._names)

    def offer(self, exchange: Exchange, scores: Scores | None, *, at_us: int, latency_us: int, status: int) -> None:
        """Takes down what was answered, and what we failed to answer; what the client did wrong, it does not."""
        if self._limits is None or not (status == _ANSWERED or status >= _OURS):
            return
        picked = exchange.picked
        seat = picked.seat
        log = self._logs.get(seat.model)
        if log is None:
            log = self._logs[seat.model] = self._begin(seat.model, self._limits)
        prediction = Prediction(
            request=exchange.request,
            at_us=at_us,
            model=seat.model,
            version=seat.version,
            why=picked.why,
            unit=exchange.unit,
            epoch=int(picked.epoch),
            latency_us=latency_us,
            status=status,
            inputs=exchange.inputs,
            outputs=None if scores is None else partial(outputs_of, seat.signature, scores),
        )
        log.offer(prediction)

    def facts(self) -> dict[str, Any]:
        """For the metrics: (model, what became of them) → how many; and how many wait."""
        counts = {model: log.counts for model, log in self._logs.items()}
        named = [("written", "written"), ("dropped", "dropped")]
        return {
            "log_predictions": [
                [model, outcome, getattr(one, field)] for model, one in counts.items() for outcome, field in named
            ],
            "log_waiting": sum(one.waiting for one in counts.values()),
        }

    def close(self) -> None:
        """Writes what waits, and waits for the disk."""
        for log in self._logs.values():
            log.close()

    def _begin(self, model: str, limits: Limits) -> PredictionLog:
        return PredictionLog(self._folder.predictions(model), self.writer, limits, now_us=self.now_us)


def inputs_of_rows(columns: Columns, rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Column → its values, as they were sent; what the model does not take is left out."""
    return {name: [row[name] for row in rows] for name in columns.names}


def inputs_of_tensors(columns: Columns, tensors: Tensors) -> dict[str, Any]:
    """Column → its values, also where the columns came packed; numbers of one type together, as lines have them."""
    if not (columns.packed and tensors.keys() <= set(columns.packed)):
        return _together(columns, {name: tensors[name][1] for name in columns.names})
    found: dict[str, Any] = {}
    if columns.numeric:
        matrix = np.asarray(tensors[NUMERIC][1]).reshape(-1, len(columns.numeric))
        found[COLUMNS] = [columns.numeric, matrix]
    for place, name in enumerate(columns.categorical):
        found[name] = tensors[CATEGORICAL][1][place :: len(columns.categorical)]
    return found


def _together(columns: Columns, values: dict[str, Values]) -> dict[str, Any]:
    numeric = [one for name in columns.numeric if isinstance(one := values[name], np.ndarray)]
    if len(numeric) < 2 or len({one.dtype for one in numeric}) > 1:
        return values
    others = {name: values[name] for name in columns.categorical}
    return {COLUMNS: [columns.numeric, np.stack(numeric, axis=1)], **others}


def outputs_of(signature: Signature, scores: Scores) -> dict[str, Any]:
    """Output → its values: scores [n] or [n, classes], and of classes the labels."""
    found = scores if scores.size > _FEW else scores.tolist()
    if signature.task == "regression":
        return {SCORE: found}
    return {SCORE: found, LABEL: labels(signature, scores)}


def _now_us() -> int:
    return time.time_ns() // 1000


def log_limits(settings: ServingSettings) -> Limits | None:
    """None: nothing is written down."""
    if not settings.log:
        return None
    # Small against the folder's limit, so that what the daemon has read makes room for what comes.
    segment = min(Limits().segment, max(1, settings.log_disk // 8))
    return Limits(
        waiting=settings.log_memory, segment=segment, folder=settings.log_disk, payloads=settings.log_payloads
    )
