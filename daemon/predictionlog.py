"""Prediction logs and labels go into the lake: every so often, when endpoints have ended, and before somebody looks.

The reading itself is a program of its own (`pipeline.predictions.take`), which takes each line exactly once whoever
dies in between. One thread starts it, when there is something to take.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from daemon.program import ask_program
from pipeline.config.serving import PredictionLogSection
from pipeline.predictions.segments import finished, segments
from store import events
from store.engine import Record
from store.errors import TrainshedError

TIDY_S: Final = 86_400.0
"""Where rows grow old, they are looked at so often although nothing comes."""
TAKE_S: Final = 3600.0
"""For all that has gathered; what is taken by then stays taken."""
STOP_S: Final = 1.0
log = logging.getLogger(__name__)
Sizes = Mapping[Path, int]
"""Segment → bytes."""


class PredictionReader:
    """Its methods may be called from any thread."""

    def __init__(
        self,
        record: Record,
        settings: Callable[[], PredictionLogSection],
        on_labels: Callable[[str], None] = lambda _: None,
    ) -> None:
        """`on_labels` is called with each model of which labels have said something new."""
        self._record = record
        self._home = record.home
        self._settings = settings
        self._on_labels = on_labels
        self._turn = threading.Condition()
        self._asked = self._done = 0
        self._stopping = False
        self._seen: Sizes = {}
        self._tidied_at = 0.0
        """Unix seconds."""
        self.problem: str | None = None
        """Why logs are not read, or None."""
        self._thread = threading.Thread(target=self._run, name="prediction logs", daemon=True)

    def start(self) -> None:
        """Begins with what was logged while no daemon was there."""
        self.wake()
        self._thread.start()

    def stop(self) -> None:
        """Waits for no reading: one that is under way ends by itself."""
        with self._turn:
            self._stopping = True
            self._turn.notify_all()
        if self._thread.is_alive():
            self._thread.join(STOP_S)

    def wake(self) -> None:
        """There may be something to take."""
        with self._turn:
            self._asked += 1
            self._turn.notify_all()

    def behind(self) -> bool:
        """Whether there is something to take."""
        return self._due()

    def fresh(self, seconds: float) -> bool:
        """Has taken what is there now; waits for that no longer than `seconds`. False: some is still on its way."""
        if not self._due():
            return self.problem is None
        with self._turn:
            self._asked += 1
            mine = self._asked
            self._turn.notify_all()
            ended = self._turn.wait_for(lambda: self._done >= mine or self._stopping, seconds)
        return ended and not self._stopping and self.problem is None

    def _run(self) -> None:
        while True:
            with self._turn:
                every = self._settings().every.total_seconds()
                self._turn.wait_for(lambda: self._asked > self._done or self._stopping, every)
                if self._stopping:
                    return
                mine = self._asked
            try:
                self._take()
            except Exception as error:  # no fault of one reading, or of telling of it, is the end of those after it
                log.exception("the reading of prediction logs stumbled", extra={"action": "predictions_trouble"})
                why = error.what if isinstance(error, TrainshedError) else f"{type(error).__name__}: {error}"
                self.problem = f"prediction logs are not read: {why}"
                self._seen = {}  # it is done once more
            with self._turn:
                self._done = mine
                self._turn.notify_all()

    def _due(self) -> bool:
        sizes = self._sizes()
        settings, now = self._settings(), time.time()
        grows_old = settings.keep_rows is not None and now - self._tidied_at >= TIDY_S
        return grows_old or due(sizes, self._seen, settings.keep, now)

    def _take(self) -> None:
        if not self._due():
            return
        sizes, settings = self._sizes(), self._settings()
        arguments = [str(self._home.root), f"--keep={settings.keep.total_seconds()}", f"--disk={settings.disk}"]
        if settings.keep_rows is not None:
            arguments.append(f"--keep-rows={settings.keep_rows.total_seconds()}")
        try:
            taken: dict[str, dict[str, Any]] = ask_program("pipeline.predictions.take", arguments, TAKE_S)
        except TrainshedError as error:
            self._trouble(f"prediction logs are not read: {error.what}")
            return
        tidied = taken.pop("tidied")
        both = [pair for part in (*taken.values(), *tidied.values()) for pair in part.items()]
        faults = [f"{model}: {one['fault']}" for model, one in both if "fault" in one]
        if faults:
            self._trouble(f"prediction logs are not read: {'; '.join(faults)}")
            return
        self._seen, self._tidied_at, self.problem = sizes, time.time(), None
        for model, one in tidied["predictions"].items():
            if one["forgotten"]:
                self._tell("predictions.forgotten", f"{one['forgotten']:,} old requests of {model} have gone", model)
        for model, one in taken["predictions"].items():
            self._lacks(model, one)
        for model, one in taken["labels"].items():
            if one["new"] or one["restated"]:
                self._on_labels(model)
            if one["damaged"]:
                self._tell("labels.damaged", f"{one['damaged']} lines of labels of {model} were damaged", model)

    def _sizes(self) -> Sizes:
        found = {}
        for root in (self._home.serving.predictions_root, self._home.serving.labels_root):
            for segment in (one for folder in root.glob("*/") for one in segments(folder)):
                try:
                    found[segment] = segment.stat().st_size
                except FileNotFoundError:
                    continue  # read, and removed at this moment
        return found

    def _lacks(self, model: str, taken: Mapping[str, Any]) -> None:
        if taken["dropped"] or taken["damaged"]:
            what = f"the prediction log of {model} lacks {taken['dropped']} lines that found no room"
            what += f", and {taken['damaged']} that were damaged" if taken["damaged"] else ""
            self._tell("predictions.dropped", what, model)

    def _trouble(self, what: str) -> None:
        """Told once, however often it is tried."""
        if what != self.problem:
            self.problem = what
            log.warning("%s", what, extra={"action": "predictions_trouble"})
            self._tell("predictions.trouble", what, "endpoints")

    def _tell(self, kind: str, message: str, subject: str) -> None:
        with self._record.transaction() as tx:
            events.append(tx, actor="daemon", kind=kind, subject=subject, message=message)


def due(sizes: Sizes, seen: Sizes, keep: timedelta, now: float) -> bool:
    """Whether reading would find something: lines that it has not seen, or finished segments that may go."""
    return any(size != seen.get(segment) or _may_go(segment, keep, now) for segment, size in sizes.items())


def _may_go(segment: Path, keep: timedelta, now: float) -> bool:
    try:
        return now - segment.stat().st_mtime >= keep.total_seconds() and finished(segment)
    except FileNotFoundError:
        return False
