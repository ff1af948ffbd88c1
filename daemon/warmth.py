"""The daemon's end of the warm process (pipeline/process/warm.py): begun when work is near, renewed with the code."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

from daemon.children import ShimId
from pipeline.process.warm import PACKET, fingerprint
from store.home import AttemptDir

ANSWER_S: Final = 10.0
"""How long one import may keep the warm process from answering."""
log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class _Process:
    process: subprocess.Popen[bytes]
    channel: socket.socket
    fingerprint: str


class WarmWorkers:
    """At most one warm process. Any trouble with it ends it, and the caller starts cold."""

    def __init__(self, idle: timedelta, log_file: Path) -> None:
        self._idle = idle
        self._log_file = log_file
        self._turn = threading.Lock()
        self._now: _Process | None = None

    def prepare(self) -> None:
        """Starts the process if there is none that is fit for use; does not wait for it."""
        with self._turn:
            self._fit()

    def spawn(self, directory: AttemptDir) -> ShimId | None:
        """A shim forked for the attempt; None: start it cold."""
        with self._turn:
            warm = self._fit()
            if warm is None:
                return None
            try:
                answer = self._ask(warm, directory)
                if "pid" in answer:
                    return ShimId.of_pid(int(answer["pid"]))
                log.warning("the warm process refuses: %s", answer.get("refused"))
            except (OSError, ValueError) as error:
                log.warning("the warm process does not answer: %s", error)
            self._end()
            return None

    def close(self) -> None:
        with self._turn:
            self._end()

    def _ask(self, warm: _Process, directory: AttemptDir) -> dict[str, Any]:
        warm.channel.send(json.dumps({"attempt": str(directory.root)}).encode())
        while True:
            packet = warm.channel.recv(PACKET)
            if not packet:
                raise ConnectionResetError("it has ended")
            answer: dict[str, Any] = json.loads(packet)
            if "fingerprint" not in answer:  # its greeting
                return answer

    def _fit(self) -> _Process | None:
        code = fingerprint(sys.path)
        if self._now is not None and (self._now.process.poll() is not None or self._now.fingerprint != code):
            self._end()
        if self._now is None:
            try:
                self._now = self._start(code)
            except OSError as error:
                log.warning("no warm process could be started: %s", error)
        return self._now

    def _start(self, code: str) -> _Process:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.settimeout(ANSWER_S)
        with theirs, self._log_file.open("ab") as errors:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-P",
                    "-m",
                    "pipeline.process.warm",
                    str(theirs.fileno()),
                    str(self._idle.total_seconds()),
                ],
                pass_fds=[theirs.fileno()],
                start_new_session=True,
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
            )
        return _Process(process=process, channel=ours, fingerprint=code)

    def _end(self) -> None:
        """SIGKILL: it must not fork for an order that is carried out cold by now. Its forks live on."""
        if self._now is None:
            return
        self._now.channel.close()
        with contextlib.suppress(ProcessLookupError):
            os.kill(self._now.process.pid, signal.SIGKILL)
        self._now.process.wait()
        self._now = None
