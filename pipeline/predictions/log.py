"""The writer's side: `offer` makes the line of a prediction, a thread writes it, and what is lost is counted.

The line is made at once, by whoever offers: to hand the objects to the thread costs more, since the two then want
Python's lock at the same time. The thread only writes, and writing needs no lock.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pipeline.predictions.pen import Pen
from pipeline.predictions.record import Dropped, Prediction, to_line
from pipeline.traffic.hashing import keyed


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much the log may take."""

    waiting: int = 32_000_000
    """Bytes of lines that wait to be written; beyond them predictions are dropped."""
    segment: int = 64_000_000
    """Bytes after which the next segment begins."""
    folder: int = 4_000_000_000
    """Bytes of all segments together; beyond them predictions are dropped until some are taken away."""
    payloads: float = 1.0
    """Share of requests, drawn by their ids, whose inputs and outputs are kept. The rest of a line always is."""
    sync_s: float = 1.0
    """A power cut loses what was written for at most so long."""
    gather_s: float = 0.02
    """How long the thread waits for more before it writes."""


@dataclass(frozen=True)
class Counts:
    """offered = written + dropped + waiting, at any moment."""

    offered: int
    written: int
    dropped: int
    """For want of room in the queue or on the disk, or because they were no JSON."""
    waiting: int


class PredictionLog:
    """One a process. Its thread ends with `close`; a process that is killed loses what waits, some 20 ms of it."""

    def __init__(self, folder: Path, writer: str, limits: Limits | None = None, *, now_us: Callable[[], int]) -> None:
        """`writer`: a name that no process ever had, such as time, pid and a random number, without a dot."""
        self._limits = limits or Limits()
        self._now_us = now_us
        self._pen = Pen(folder, writer, segment=self._limits.segment, most=self._limits.folder)
        self._lock = threading.Lock()
        self._news = threading.Condition(self._lock)
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._offered = self._written = self._dropped = 0
        self._noticed = 0  # of the dropped, those that a line in the log tells of
        self._closing = False
        self._thread = threading.Thread(target=self._write_all, name="prediction log", daemon=True)
        self._thread.start()

    def offer(self, prediction: Prediction) -> bool:
        """Takes it unless there is no room, or it is no JSON; never waits for the disk."""
        line = self._line(prediction) if self._waiting_bytes < self._limits.waiting else None
        with self._lock:
            self._offered += 1
            if line is None or self._waiting_bytes + len(line) > self._limits.waiting or self._closing:
                self._dropped += 1
                return False
            self._waiting_bytes += len(line)
            self._waiting.append(line)
            if len(self._waiting) == 1:
                self._news.notify()
        return True

    @property
    def counts(self) -> Counts:
        with self._lock:
            waiting = self._offered - self._written - self._dropped
            return Counts(self._offered, self._written, self._dropped, waiting)

    def close(self) -> None:
        """Writes what waits, and finishes the segment. Whatever is offered from now on is dropped."""
        with self._lock:
            self._closing = True
            self._news.notify()
        self._thread.join()

    def _write_all(self) -> None:
        closing = False
        while not closing:
            closing = self._sleep()
            self._write(self._taken())
            self._pen.sync_if_due(self._limits.sync_s)
        self._write([])  # what the last lines may have dropped
        self._pen.finish()

    def _sleep(self) -> bool:
        """Until there is something to do. True when this is the last time."""
        with self._lock:
            due = self._limits.sync_s if self._pen.unsynced else None
            self._news.wait_for(lambda: self._waiting or self._closing, timeout=due)
            if self._closing:
                return True
        time.sleep(self._limits.gather_s)
        return False

    def _taken(self) -> list[bytes]:
        with self._lock:
            batch, self._waiting = self._waiting, []
        return batch

    def _write(self, lines: list[bytes]) -> None:
        with self._lock:
            missing = self._dropped - self._noticed
        notice = [to_line(Dropped(missing, self._now_us()))] if missing else []
        written = self._pen.append(b"".join([*notice, *lines]))
        with self._lock:
            self._waiting_bytes -= sum(map(len, lines))
            self._written += len(lines) if written else 0
            self._dropped += 0 if written else len(lines)
            self._noticed += missing if written else 0

    def _line(self, one: Prediction) -> bytes | None:
        """None if it is no JSON."""
        kept = self._limits.payloads >= 1.0 or keyed(one.request, "payloads") < self._limits.payloads
        try:
            return to_line(one if kept else one._replace(inputs=None, outputs=None))
        except (TypeError, ValueError):
            return None
