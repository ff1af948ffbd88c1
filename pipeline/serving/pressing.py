"""Runs the press beside the workers, one version at a time.

A version that somebody waits for goes before one that is pressed ahead: that one gives way. If they are the same, it is
waited for, and not pressed twice.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import time
from collections.abc import Callable, Coroutine
from typing import Any, Final

from pipeline.process.lean import lean
from pipeline.serving.readiness import is_pressed
from pipeline.serving.starting import computing_environment
from store.errors import NotServed
from store.home import Home

LONGEST_S: Final = 600.0
Tell = Callable[[str], None]
"""Hears of a phase of `store.words.PHASES`."""


class _Ahead:
    """A version that is being pressed before anybody waits for it."""

    def __init__(self, digest: str, run: Callable[[str, Tell], Coroutine[Any, Any, dict[str, Any]]]) -> None:
        self.digest = digest
        self._phases: list[str] = []
        """So far."""
        self._heard_by: Tell | None = None
        """Somebody waits for it now."""
        self._task = asyncio.get_running_loop().create_task(run(digest, self._tell))

    @property
    def gives_way(self) -> bool:
        """It is on its way to a bad end."""
        return self._task.cancelling() > 0

    def give_way(self) -> None:
        """Ends it, unless somebody waits for it."""
        if self._heard_by is None and not self.gives_way:
            self._task.cancel()

    async def ended(self) -> dict[str, Any] | None:
        """What it found; None when it gave way. Raises NotServed."""
        await asyncio.wait([self._task])
        return None if self._task.cancelled() else self._task.result()

    async def taken_over(self, tell: Tell) -> dict[str, Any]:
        """What it found, and the seconds from now on. Raises NotServed."""
        began = time.monotonic()
        for phase in self._phases:
            tell(phase)
        self._heard_by = tell
        found = await asyncio.shield(self._task)
        return {**found, "seconds": round(time.monotonic() - began, 3)}

    def _tell(self, phase: str) -> None:
        self._phases.append(phase)
        if self._heard_by is not None:
            self._heard_by(phase)


class Press:
    """Belongs to the thread of its event loop."""

    def __init__(self, home: Home, largest_batch: int) -> None:
        self._home = home
        self._largest_batch = largest_batch
        self._turn = asyncio.Lock()
        self._ahead: _Ahead | None = None

    async def __call__(self, digest: str, tell: Tell = lambda _: None) -> dict[str, Any]:
        """What pressing the bundle found, and the seconds that it was waited for. Raises NotServed with the reason,
        whatever became of the process.

        `tell` hears of each phase when it begins.
        """
        ahead = self._ahead
        if ahead is not None and ahead.digest == digest and not ahead.gives_way:
            return await ahead.taken_over(tell)
        self.give_way()
        async with self._turn:
            return await self._run(digest, tell)

    async def ahead(self, digest: str) -> dict[str, Any] | None:
        """The same before anybody waits for it; None when it gave way to one for whom somebody does."""
        if self._ahead is not None and self._ahead.digest == digest:  # the daemon that asked for it has died
            return await self._ahead.ended()
        if self._turn.locked():
            return None
        async with self._turn:
            self._ahead = ahead = _Ahead(digest, self._run)
            try:
                return await ahead.ended()
            finally:
                self._ahead = None

    def is_done(self, digest: str) -> bool:
        return is_pressed(self._home.serving, digest, self._largest_batch)

    def give_way(self) -> None:
        """Ends what is pressed ahead, unless somebody waits for it."""
        if self._ahead is not None:
            self._ahead.give_way()

    async def _run(self, digest: str, tell: Tell) -> dict[str, Any]:
        found = await self._last_words(digest, tell)
        if "fault" in found:
            raise _fault(digest, found["fault"]["what"])
        return found

    async def _last_words(self, digest: str, tell: Tell) -> dict[str, Any]:
        tell("start")
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *lean("pipeline.serving.press", [str(self._home.root), digest, str(self._largest_batch)]),
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
            await process.wait()
        found = _document(said)
        if found is None:
            raise _fault(digest, f"the press ended with status {process.returncode} and said nothing")
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
