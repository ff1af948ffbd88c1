"""Runs the press beside the workers, one version at a time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Callable
from typing import Any, Final

from pipeline.serving.starting import computing_environment
from store.errors import NotServed
from store.home import Home

LONGEST_S: Final = 600.0
Tell = Callable[[str], None]
"""Hears of a phase of `store.words.PHASES`."""


class Press:
    def __init__(self, home: Home, largest_batch: int) -> None:
        self._home = home
        self._largest_batch = largest_batch
        self._turn = asyncio.Lock()

    async def __call__(self, digest: str, tell: Tell = lambda _: None) -> dict[str, Any]:
        """What pressing the bundle found. Raises NotServed with the reason, whatever became of the process.

        `tell` hears of each phase when it begins.
        """
        async with self._turn:
            tell("start")
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-P", "-m", "pipeline.serving.press", str(self._home.root), digest, str(self._largest_batch)),
                env=computing_environment(os.environ),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
            )
            try:
                said = await asyncio.wait_for(_last_line(process, tell), LONGEST_S)
            except TimeoutError:
                raise _fault(digest, f"it was not pressed within {LONGEST_S:g} s") from None
            finally:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
        found = _document(said)
        if found is None:
            raise _fault(digest, f"the press ended with status {process.returncode} and said nothing")
        if "fault" in found:
            raise _fault(digest, found["fault"]["what"])
        return found


async def _last_line(process: asyncio.subprocess.Process, tell: Tell) -> bytes:
    """The line that is no phase, once the process has ended; empty when there was none."""
    assert process.stdout is not None
    last = b""
    while line := await process.stdout.readline():
        phase = (_document(line) or {}).get("phase")
        if phase is None:
            last = line
        else:
            tell(phase)
    await process.wait()
    return last


def _document(line: bytes) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(line)
        return found
    except ValueError:
        return None


def _fault(digest: str, what: str) -> NotServed:
    return NotServed(what, where=digest, remedy="serving/serving.log in the home says more")
