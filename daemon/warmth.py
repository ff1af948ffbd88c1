"""The daemon's end of the warm processes (pipeline/process/warm.py): begun when work is near, renewed with the code."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from daemon.children import ShimId
from pipeline.config.jobs import Job, with_upstream
from pipeline.process.warm import NEEDS, PACKET, PRELOADED, Libraries, fingerprint
from store.home import AttemptDir
from store.words import JobKind

ANSWER_S: Final = 10.0
"""How long one import may keep the warm process from answering."""
LOADING_S: Final = 30.0
"""How long a run waits for its libraries, which are loaded once for all. One that began before would load them for
itself, beside that and no sooner. After so long it does: something is wrong."""
CODE_S: Final = 1.0
"""How long the code is taken to be as it was: to look at every file costs as much as a third of a start."""
log = logging.getLogger(__name__)


def near(kinds: Iterable[JobKind], by_hand: Iterable[str], jobs: Mapping[str, Job]) -> list[Libraries]:
    """What the next runs need: `kinds` of runs that are ready, and that they are there for. Pure.

    Who has a job done `by_hand` that makes what a model learns from, likely trains it next. A schedule that only brings
    data does not, and loads nothing to learn with.
    """
    wanted = {NEEDS[kind] for kind in kinds}
    learning = [name for name, job in jobs.items() if NEEDS[job.kind] == "training"]
    learnt_from = {job.name for name in learning for job in with_upstream(dict(jobs), name)}
    if not learnt_from.isdisjoint(by_hand):
        wanted.add("training")
    return [libraries for libraries in PRELOADED if libraries in wanted]


@dataclass(kw_only=True)
class _Process:
    process: subprocess.Popen[bytes]
    channel: socket.socket
    fingerprint: str
    began: float
    """By the monotonic clock."""
    patient: bool
    """It is worth waiting for: the one before it did not end before all was loaded."""
    loaded: bool = False

    def hear(self) -> None:
        """What it has said of itself by now. Does not wait."""
        while not self.loaded and self._has_word():
            try:
                packet = self.channel.recv(PACKET)
            except OSError:
                return
            if not packet:  # it has ended
                return
            self.loaded = "loaded" in json.loads(packet)

    def is_loading(self) -> bool:
        self.hear()
        late = time.monotonic() - self.began > LOADING_S
        return self.patient and not self.loaded and not late and self.process.poll() is None

    def _has_word(self) -> bool:
        poll = select.poll()
        poll.register(self.channel, select.POLLIN)
        return bool(poll.poll(0))


class WarmWorkers:
    """At most one warm process for each set of libraries. Any trouble with one ends it, and the caller starts cold."""

    def __init__(self, idle: timedelta, log_file: Path) -> None:
        self._idle = idle
        self._log_file = log_file
        self._turn = threading.Lock()
        self._now: dict[Libraries, _Process] = {}
        self._code = ""
        self._code_at = float("-inf")

    def prepare(self, libraries: Iterable[Libraries]) -> None:
        """Starts the processes that are missing or unfit for use; does not wait for them."""
        with self._turn:
            for one in libraries:
                self._fit(one)

    def is_loading(self, kind: JobKind) -> bool:
        """Whether a run of this kind begins no later if it waits for its warm process."""
        with self._turn:
            warm = self._now.get(NEEDS[kind])
            return warm is not None and warm.is_loading()

    def spawn(self, kind: JobKind, directory: AttemptDir) -> ShimId | None:
        """A shim forked for the attempt, which may have come to its end by now; None: start it cold."""
        libraries = NEEDS[kind]
        with self._turn:
            warm = self._fit(libraries)
            if warm is None:
                return None
            try:
                answer = self._ask(warm, directory)
                if "pid" in answer:
                    return ShimId.of_pid(int(answer["pid"])) or ShimId.gone(int(answer["pid"]))
                log.warning("the warm process refuses: %s", answer.get("refused"))
            except (OSError, ValueError) as error:
                log.warning("the warm process does not answer: %s", error)
            self._end(libraries)
            return None

    def pids(self) -> dict[str, int]:
        """Libraries → pid of the process that holds them. Does not wait for a start that is under way."""
        return {libraries: warm.process.pid for libraries, warm in dict(self._now).items()}

    def close(self) -> None:
        with self._turn:
            for libraries in PRELOADED:
                self._end(libraries)

    def _ask(self, warm: _Process, directory: AttemptDir) -> dict[str, Any]:
        warm.channel.send(json.dumps({"attempt": str(directory.root)}).encode())
        while True:
            packet = warm.channel.recv(PACKET)
            if not packet:
                raise ConnectionResetError("it has ended")
            answer: dict[str, Any] = json.loads(packet)
            if "pid" in answer or "refused" in answer:  # and not what it says of itself
                return answer

    def _fit(self, libraries: Libraries) -> _Process | None:
        code, patient = self._fingerprint(), True
        warm = self._now.get(libraries)
        if warm is not None:
            ended = warm.process.poll() is not None
            warm.hear()
            if ended or warm.fingerprint != code:
                patient = warm.loaded or not ended
                self._end(libraries)
        if libraries not in self._now:
            try:
                self._now[libraries] = self._start(libraries, code, patient)
            except OSError as error:
                log.warning("no warm process could be started: %s", error)
        return self._now.get(libraries)

    def _fingerprint(self) -> str:
        now = time.monotonic()
        if now - self._code_at > CODE_S:
            self._code, self._code_at = fingerprint(sys.path), now
        return self._code

    def _start(self, libraries: Libraries, code: str, patient: bool) -> _Process:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(ANSWER_S)
        with theirs, self._log_file.open("ab") as errors:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-P",
                    "-m",
                    "pipeline.process.warm",
                    libraries,
                    str(theirs.fileno()),
                    str(self._idle.total_seconds()),
                ],
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
            )
        return _Process(process=process, channel=ours, fingerprint=code, began=time.monotonic(), patient=patient)

    def _end(self, libraries: Libraries) -> None:
        """SIGKILL: it must not fork for an order that is carried out cold by now. Its forks live on."""
        warm = self._now.pop(libraries, None)
        if warm is None:
            return
        warm.channel.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(warm.process.pid, signal.SIGKILL)
        warm.process.wait()
