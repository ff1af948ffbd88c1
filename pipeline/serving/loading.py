"""Versions come into a worker, and published snapshots into force; a thread of low priority reads them."""

from __future__ import annotations

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor

from pipeline.serving.channel import Refused
from pipeline.serving.loaded import LoadedVersion, load_version
from pipeline.serving.precedence import step_back
from pipeline.serving.shelf import Shelf
from store.errors import TrainshedError
from store.home import Home
from store.routing import Snapshot, read_snapshot

log = logging.getLogger(__name__)


class Loading:
    """One worker's; belongs to the thread of its event loop. What changes the shelf is called one after another."""

    def __init__(self, home: Home, shelf: Shelf, largest_batch: int) -> None:
        self._home = home
        self._shelf = shelf
        self._largest_batch = largest_batch
        self._loader = ThreadPoolExecutor(1, "loader", initializer=step_back)
        self._waker = ThreadPoolExecutor(1, "waker")
        """Loads what requests wait for."""

    async def put(self, model: str, version: int, digest: str) -> None:
        """Makes a version ready for a snapshot that will name it. Raises Refused."""
        if not self._shelf.has(model, version, digest):
            self._shelf.put(model, version, await self.read(digest))

    async def switch(self, *, partly: bool) -> None:
        """Puts the published snapshot in force, if it is a newer one or the one in force lacks something.

        `partly`: what cannot be loaded is left out, with its reason, and the rest answers. Else, if it is one that is
        to answer, the old snapshot stays, and it raises Refused. A shadow, or the version before, holds up neither.
        """
        snapshot = read_snapshot(self._home.serving.routing)
        if snapshot.epoch > self._shelf.snapshot.epoch or not self._shelf.has_all():
            await self._switch_to(snapshot, partly=partly)

    async def read(self, digest: str, *, hurry: bool = False) -> LoadedVersion:
        """`hurry`: requests wait for it. Raises Refused."""
        thread = self._waker if hurry else self._loader
        load = asyncio.get_running_loop().run_in_executor(
            thread, load_version, self._home, digest, self._largest_batch, self._shelf.programs()
        )
        try:
            return await load
        except TrainshedError as error:
            raise Refused(error.what) from None
        except Exception as error:
            log.exception("a version could not be loaded: %s", digest)
            raise Refused(f"{type(error).__name__}: {error}") from error

    async def _switch_to(self, snapshot: Snapshot, *, partly: bool) -> None:
        missing: dict[tuple[str, int], str] = {}
        answering = snapshot.answering()
        given_up = self._shelf.missing.keys() - answering
        for (model, version), digest in snapshot.resident().items():
            if (model, version) in given_up:
                continue  # who mends it has it loaded; a switch is not held up by another try
            try:
                await self.put(model, version, digest)
            except Refused as refused:
                if not partly and (model, version) in answering:
                    raise
                missing[model, version] = str(refused)
        self._shelf.missing.update(missing)
        self._shelf.switch(snapshot)
