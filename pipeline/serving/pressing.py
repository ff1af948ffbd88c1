"""Runs the press beside the workers, one version at a time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from typing import Any, Final

from pipeline.serving.starting import computing_environment
from store.errors import NotServed
from store.home import Home

LONGEST_S: Final = 600.0


class Press:
    def __init__(self, home: Home, largest_batch: int) -> None:
        self._home = home
        self._largest_batch = largest_batch
        self._turn = asyncio.Lock()

    async def __call__(self, digest: str) -> dict[str, Any]:
        """What pressing the bundle found. Raises NotServed with the reason, whatever became of the process."""
        async with self._turn:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-P", "-m", "pipeline.serving.press", str(self._home.root), digest, str(self._largest_batch)),
                env=computing_environment(os.environ),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
            )
            try:
                said, _ = await asyncio.wait_for(process.communicate(), LONGEST_S)
            except TimeoutError:
                raise _fault(digest, f"it was not pressed within {LONGEST_S:g} s") from None
            finally:
                with contextlib.suppress(ProcessLookupError):
                    process.kill()
        try:
            found: dict[str, Any] = json.loads(said)
        except ValueError:
            raise _fault(digest, f"the press ended with status {process.returncode} and said nothing") from None
        if "fault" in found:
            raise _fault(digest, found["fault"]["what"])
        return found


def _fault(digest: str, what: str) -> NotServed:
    return NotServed(what, where=digest, remedy="serving/serving.log in the home says more")
