"""The supervisor's part of a promotion: pressed, loaded everywhere, then the published snapshot in force everywhere.

Whatever goes wrong before the snapshot is published leaves every worker as it was.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from typing import Any, Final

from pipeline.serving.channel import Closed, Json, Refused
from pipeline.serving.pressing import Press, Tell
from pipeline.serving.roster import Roster, Worker
from store.errors import NotServed
from store.home import Home
from store.routing import read_snapshot

LOAD_S: Final = 120.0
"""How long a worker may take to load a version."""
SWITCH_S: Final = 30.0
log = logging.getLogger(__name__)


class Promoting:
    """Belongs to the thread of its event loop; one promotion after another."""

    def __init__(self, home: Home, roster: Roster, press: Press) -> None:
        self._dir = home.serving
        self._roster = roster
        self.press = press
        """Exchanged with the settings."""
        self._turn = asyncio.Lock()
        self._mending = asyncio.Lock()
        self._faults: dict[str, str] = {}
        """Digest → why the press could not make it, the last time."""

    async def prepare(self, model: str, version: int, digest: str, tell: Tell) -> Json:
        """Pressed, then loaded, warm and golden in every worker. Raises Refused; nothing has changed then.

        What is resident, as the version before is, or was pressed ahead, is not pressed again: nothing is compiled.
        `tell` hears of each phase when it begins.
        """
        wanted = {"model": model, "version": version, "digest": digest}
        async with self._turn:
            if digest in read_snapshot(self._dir.routing).resident().values() or self.press.is_done(digest):
                tell("load")
                with contextlib.suppress(Refused):  # it is damaged, or a worker has lost it: pressing mends that
                    return await self._load(wanted, {"seconds": 0.0, "compiled": 0})
            try:
                pressed = await self._pressed(digest, tell)
            except NotServed as error:
                raise Refused(error.what) from None
            tell("load")
            try:
                return await self._load(wanted, pressed)
            except Refused:
                await self.forget()
                raise

    async def press_ahead(self, digest: str) -> Json:
        """Presses a version that nobody waits for yet; `gave_way` if a promotion came, `fault` if it failed."""
        try:
            found = await self.press.ahead(digest)
        except NotServed as error:
            return {"gave_way": False, "fault": error.what}
        return {"gave_way": found is None, **(found or {})}

    async def forget(self) -> None:
        """A promotion that was prepared does not come: what was loaded for it goes."""
        with contextlib.suppress(Refused):
            await self._roster.everywhere("forget", SWITCH_S)

    async def switch(self) -> Json:
        """All workers put the published snapshot in force; answers when the last one has."""
        async with self._turn:
            began = time.monotonic()
            workers = await self._roster.everywhere("switch", SWITCH_S)
            switched_s = time.monotonic() - began
            for worker in self._roster:
                await self._explain(worker)
            epoch = read_snapshot(self._dir.routing).epoch
            return {"epoch": epoch, "workers": workers, "switched_s": switched_s}

    async def press_missing(self) -> None:
        """What is to answer and was never pressed here: after a restore, or on another machine.

        Nothing that answers waits for a shadow or a version before: those are mended once a worker lacks them.
        """
        snapshot = read_snapshot(self._dir.routing)
        for (model, version), digest in snapshot.resident().items():
            if (model, version) not in snapshot.answering() or self._dir.pressed(digest).is_dir():
                continue
            try:
                await self._pressed(digest)
            except NotServed as error:
                log.warning("%s %s cannot be served: %s", model, version, error.what)

    async def mend(self, worker: Worker) -> None:
        """Presses what a worker could not load (damaged, or made by another jaxlib), and has it try once more.

        One worker after another, so that what one of them lacks is pressed once.
        """
        async with self._mending:
            for (model, version), digest in read_snapshot(self._dir.routing).resident().items():
                if f"{model} {version}" not in (worker.missing or {}):
                    continue
                try:
                    await self._mend(worker, {"model": model, "version": version, "digest": digest})
                except (NotServed, Refused, Closed) as error:
                    log.warning("%s %s cannot be served: %s", model, version, error)
            await self._explain(worker)

    async def _mend(self, worker: Worker, wanted: dict[str, Any]) -> None:
        """Raises NotServed, Refused, Closed."""
        try:
            await self._roster.tell(worker, "load", **wanted)  # another one's mending may have pressed it
        except Refused:
            await self._pressed(wanted["digest"])
            await self._roster.tell(worker, "load", **wanted)
        await self._roster.tell(worker, "switch")

    async def _pressed(self, digest: str, tell: Tell = lambda _: None) -> dict[str, Any]:
        """Raises NotServed, and remembers why."""
        try:
            found = await self.press(digest, tell)
        except NotServed as error:
            self._faults[digest] = error.what
            raise
        self._faults.pop(digest, None)
        return found

    async def _explain(self, worker: Worker) -> None:
        """Tells a worker what the press found of a version that it lacks: that says more than that it was not there."""
        for (model, version), digest in read_snapshot(self._dir.routing).resident().items():
            if digest in self._faults and f"{model} {version}" in (worker.missing or {}):
                with contextlib.suppress(Closed, Refused):
                    await self._roster.tell(worker, "lacks", model=model, version=version, why=self._faults[digest])

    async def _load(self, wanted: dict[str, Any], pressed: Json) -> Json:
        began = time.monotonic()
        workers = await self._roster.everywhere("load", LOAD_S, **wanted)
        return {
            "pressed_s": pressed["seconds"],
            "compiled": pressed["compiled"],
            "workers": workers,
            "loaded_s": time.monotonic() - began,
        }
