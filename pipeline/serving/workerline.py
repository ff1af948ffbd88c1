"""A worker's line to whoever supervises it, taken up again whenever it breaks: one may die and another come."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Final

from pipeline.serving.channel import Answerer, Channel, Closed, Json, Refused
from pipeline.serving.control import channel_of, dial

AGAIN_S: Final = 0.1
"""Between two tries to find a supervisor."""


class WorkerLine:
    """Belongs to the thread of an event loop."""

    def __init__(
        self,
        control: Path,
        listener: socket.socket,
        introduction: Callable[[], Json],
        answer: Answerer,
    ) -> None:
        """`control`: the supervisor's socket; `listener`: handed over with each `introduction`, so that whoever comes
        has it; `answer`: to what the supervisor asks."""
        self._control = control
        self._listener = listener
        self._introduction = introduction
        self._answer = answer
        self._channel: Channel | None = None

    async def keep(self) -> None:
        """Introduces the worker to whoever supervises, again and again."""
        while True:
            with contextlib.suppress(OSError):
                hello = {"role": "worker", **self._introduction()}
                self._channel = await channel_of(dial(self._control, hello, [self._listener.fileno()]))
                await self._channel.listen(self._answer)
                self._channel = None
            await asyncio.sleep(AGAIN_S)

    async def tell(self, what: str) -> None:
        """How the worker is now; nobody hears it while nobody supervises."""
        await self.ask(what, **self._introduction())

    async def ask(self, what: str, **given: object) -> Json | None:
        """None when nobody supervises, or knows an answer."""
        if self._channel is None:
            return None
        try:
            return await self._channel.ask(what, **given)
        except (Closed, Refused):
            return None
