"""Lines of JSON between the supervisor and those who talk to it; either side may ask, and answers know their question.

→ {"ask": "load", "n": 7, "model": "late", …}        ← {"n": 7, "answer": {…}}   or   {"n": 7, "refused": "why"}
                                                     ← {"phase": "compile"} may come before
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final

from store.errors import TrainshedError

LONGEST: Final = 16_000_000
"""Bytes of one line."""
Json = Mapping[str, Any]
Answerer = Callable[[str, Json], Awaitable[Json]]
"""(what is asked, with what) → the answer; raises Refused."""
log = logging.getLogger(__name__)


class Refused(Exception):
    """The other side understood, and did not do it; the message says why."""


class Closed(Exception):
    """The other side has gone."""


class Channel:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[Json]] = {}
        self._answering: set[asyncio.Task[None]] = set()

    async def ask(self, what: str, **given: Any) -> Json:
        """Raises Refused, Closed."""
        if self._writer.is_closing():
            raise Closed
        number = next(self._numbers)
        answer: asyncio.Future[Json] = asyncio.get_running_loop().create_future()
        self._asked[number] = answer
        try:
            self._send({"ask": what, "n": number, **given})
            return await answer
        finally:
            self._asked.pop(number, None)

    def say(self, message: Json) -> None:
        """A word on the way to an answer; nobody answers it."""
        self._send(message)

    async def listen(self, answerer: Answerer) -> None:
        """Answers until the other side has gone; every question by itself, so a long one holds up nobody."""
        try:
            while line := await self._reader.readline():
                self._take(json.loads(line), answerer)
        except (OSError, ValueError):
            pass  # cut off in the middle of a line
        finally:
            self.close()

    def close(self) -> None:
        self._writer.close()
        for waiting in self._asked.values():
            if not waiting.done():
                waiting.set_exception(Closed())

    def _take(self, said: dict[str, Any], answerer: Answerer) -> None:
        if "ask" in said:
            task = asyncio.get_running_loop().create_task(self._answer(said, answerer))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)
            return
        waiting = self._asked.get(said["n"])
        if waiting is None or waiting.done():
            return
        if "refused" in said:
            waiting.set_exception(Refused(said["refused"]))
        else:
            waiting.set_result(said["answer"])

    async def _answer(self, said: dict[str, Any], answerer: Answerer) -> None:
        number, what = said.pop("n"), said.pop("ask")
        try:
            self._send({"n": number, "answer": await answerer(what, said)})
        except Refused as refused:
            self._send({"n": number, "refused": str(refused)})
        except TrainshedError as error:
            self._send({"n": number, "refused": error.what})
        except Exception as error:  # who asks is not to wait for what will not come
            log.exception("%s could not be answered", what)
            self._send({"n": number, "refused": f"{type(error).__name__}: {error}"})

    def _send(self, message: Json) -> None:
        with contextlib.suppress(OSError):
            self._writer.write(json.dumps(message).encode() + b"\n")
