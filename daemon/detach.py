"""Going behind the caller: a daemon in a session of its own, and one line back when it is ready or has failed.

The line is JSON, over a pipe whose descriptor the child is told: `{"pid", "socket", …}` or `{"fault": {…}, "exit": n}`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from store.errors import StorageError, TrainshedError


class NotReady(TrainshedError):
    """The daemon ended before it was ready, and said why."""

    def __init__(self, fault: Mapping[str, str], exit_code: int) -> None:
        super().__init__(fault["what"], where=fault["where"], remedy=fault["remedy"])
        self._code = fault["code"]
        self.status = exit_code

    @property
    def code(self) -> str:
        return self._code


def start_behind(arguments: Sequence[str], log: Path) -> dict[str, Any]:
    """Starts `daemon.main` with these arguments and waits for its line: what it says about itself.

    Raises NotReady with the daemon's own fault, StorageError when it died without a word.
    """
    reading, writing = os.pipe()
    command = [sys.executable, "-P", "-m", "daemon.main", *arguments, "--ready-fd", str(writing)]
    with _errors_to(log) as errors:
        child = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=errors,
            stderr=errors,
            start_new_session=True,
            pass_fds=[writing],
        )
    os.close(writing)
    with open(reading, "rb") as pipe:
        line = pipe.readline()
    if not line:
        raise StorageError(
            f"the daemon ended (status {child.wait()}) before it was ready",
            where=str(log),
            remedy="its last words are at the end of that file",
        )
    answer: dict[str, Any] = json.loads(line)
    if "fault" in answer:
        raise NotReady(answer["fault"], answer["exit"])
    return answer


def say(descriptor: int, answer: Mapping[str, Any]) -> None:
    """The one line of the child; the pipe is closed after it."""
    with open(descriptor, "wb") as pipe:
        pipe.write(json.dumps(answer).encode() + b"\n")


def _errors_to(log: Path) -> Any:
    """What a daemon without a terminal prints goes to its log, if there can be one."""
    try:
        log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return open(log, "ab")
    except OSError:
        return open(os.devnull, "ab")
