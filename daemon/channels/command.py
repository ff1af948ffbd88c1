"""By a program of the operator's: the document on standard input, no shell, a time limit."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Final

from daemon.channels.answer import Answer, Message

SHOWN: Final = 200
"""Characters of what it said on standard error."""


def run_command(command: Sequence[str], folder: Path, message: Message, seconds: float) -> Answer:
    """Runs it in `folder`. What it has started ends with it when it takes too long."""
    document = json.dumps({"key": message.key, **message.body})
    # Files, not pipes: a program that reads nothing, or says a lot, stops nobody.
    with tempfile.TemporaryFile("w+") as given, tempfile.TemporaryFile("w+", errors="replace") as said:
        given.write(document)
        given.seek(0)
        try:
            child = subprocess.Popen(
                [_program(command[0], folder), *command[1:]],
                stdin=given,
                stdout=subprocess.DEVNULL,
                stderr=said,
                cwd=folder,
                start_new_session=True,
            )
        except OSError as error:
            return Answer(ok=False, text=f"{command[0]} cannot be started: {error.strerror}")
        return _awaited(child, said, seconds)


def _program(name: str, folder: Path) -> str:
    """A path is relative to the project; a bare name is looked for where all programs are."""
    return str(folder / name) if "/" in name else name


def _awaited(child: subprocess.Popen[bytes], said: IO[str], seconds: float) -> Answer:
    try:
        status = child.wait(seconds)
    except subprocess.TimeoutExpired:
        _end(child)
        return Answer(ok=False, text=f"it did not end within {seconds:g} s, and was ended")
    said.seek(0)
    words = " ".join(said.read(10 * SHOWN).split())[:SHOWN]
    ended = f"exit status {status}" if status >= 0 else f"ended by {signal.Signals(-status).name}"
    return Answer(ok=status == 0, text=ended + (f": {words}" if words else ""))


def _end(child: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
