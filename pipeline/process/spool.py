"""The worker's side of the record: an append-only file of events that the daemon turns into rows.

One JSON object a line, `{"n": sequence, "t": unix seconds, "e": kind, …}`, written by one `write` each, so a line
is there whole or (the last one, after a crash) not at all. Sequence numbers start at 1 and have no gaps; the
daemon stores rows and the read offset in one transaction, so whoever dies, each event counts exactly once.

kind            fields
hello           pid, python, jax (version or None): the worker's first line
params          values {name: plain value}
metrics         steps [int], values {name: [float | None]}: a chunk, one value a step (NaN and infinities as None)
progress        done, total, unit, message, eta_s
heartbeat       (none): alive, with nothing to say
note            level info|warning, kind (a word for the event's kind), message, data: becomes an event of the record
artifact        name, kind, path (relative to home), digest, bytes
checkpoint      step, path, digest, bytes
dataset         a `DatasetFacts`
checks          dataset, version (or None), results [`CheckFacts`]
training_set    a `TrainingSetFacts`
version         a `VersionFacts`: a new version of a model
verdict         model, version, evidence, verdict: an existing version judged again
windows         monitor, windows [`WindowFacts`]: closed windows of what it watches, assessed
report          a `ReportFacts`: the verdict of a monitor's run
fingerprint     value: digest of what this run's result depends upon
skip            reason: nothing to do
fault           code, what, where, remedy, retryable: why the worker gives up; its last line
done            message: the worker's last line when all went well
"""

from __future__ import annotations

import json
import math
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Literal

from store.errors import TrainshedError
from store.facts import CheckFacts, Facts, WindowFacts

_LONGEST_TEXT: Final = 4000
"""Characters of a sentence: what a project's code raises can be of any size, and must not hide how a run ended."""


class Spool:
    """Writes events. Threads may share one."""

    def __init__(self, file: Path, clock: Callable[[], float]) -> None:
        """Opens `file` for appending and goes on after its last whole line."""
        self._clock = clock
        self._lock = threading.Lock()
        self._sequence = _last_sequence(file)
        self._descriptor = os.open(file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def write(self, event: str, /, **fields: Any) -> None:
        """One event; plain JSON values only."""
        with self._lock:
            self._sequence += 1
            body = {"n": self._sequence, "t": self._clock(), "e": event, **fields}
            line = json.dumps(body, allow_nan=False, separators=(",", ":")).encode() + b"\n"
            self._append(line)

    def _append(self, line: bytes) -> None:
        """The whole line or none of it: half a line before a full disk would spoil the next one. Raises OSError."""
        before = os.fstat(self._descriptor).st_size
        try:
            written = os.write(self._descriptor, line)
            while written < len(line):
                written += os.write(self._descriptor, line[written:])
        except OSError:
            os.ftruncate(self._descriptor, before)
            self._sequence -= 1
            raise

    def metrics(self, steps: Sequence[int], values: Mapping[str, Sequence[float]]) -> None:
        """A chunk of points: for each name one value a step."""
        plain = {name: [_finite(v) for v in series] for name, series in values.items()}
        self.write("metrics", steps=[int(s) for s in steps], values=plain)

    def progress(
        self, done: float, total: float | None, unit: str, *, message: str = "", eta_s: float | None = None
    ) -> None:
        self.write("progress", done=done, total=total, unit=unit, message=message, eta_s=eta_s)

    def note(self, kind: str, message: str, *, level: Literal["info", "warning"] = "info", **data: Any) -> None:
        """A line for the history, such as a schema change."""
        self.write("note", kind=kind, level=level, message=_cut(message), data=data)

    def facts(self, event: Literal["dataset", "training_set", "version", "report"], facts: Facts) -> None:
        self.write(event, **facts.model_dump(mode="json"))

    def checks(self, dataset: str, version: int | None, results: Sequence[CheckFacts]) -> None:
        self.write("checks", dataset=dataset, version=version, results=[r.model_dump(mode="json") for r in results])

    def windows(self, monitor: str, windows: Sequence[WindowFacts]) -> None:
        self.write("windows", monitor=monitor, windows=[one.model_dump(mode="json") for one in windows])

    def fault(self, error: TrainshedError) -> None:
        self.write(
            "fault",
            code=error.code,
            what=_cut(error.what),
            where=_cut(error.where),
            remedy=_cut(error.remedy),
            retryable=error.retryable,
        )

    def close(self) -> None:
        os.close(self._descriptor)


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST_TEXT else text[: _LONGEST_TEXT - 1] + "…"


def _finite(value: float) -> float | None:
    number = float(value)
    return number if math.isfinite(number) else None


def _last_sequence(file: Path) -> int:
    if not file.exists():
        return 0
    lines = [line for line in file.read_bytes().split(b"\n")[:-1] if line]
    return int(json.loads(lines[-1])["n"]) if lines else 0
