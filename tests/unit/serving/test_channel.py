"""Questions between supervisor, workers and daemon: each is answered, whatever becomes of who answers."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from pipeline.serving.channel import Answerer, Channel, Closed, Json, Refused
from pipeline.serving.control import channel_of
from store.errors import StorageError


def between(answerer: Answerer, story: Callable[[Channel], Coroutine[Any, Any, None]]) -> None:
    """A channel to somebody who answers."""

    async def told() -> None:
        mine, theirs = socket.socketpair()
        asking, answering = await channel_of(mine), await channel_of(theirs)
        listening = [
            asyncio.create_task(asking.listen(answerer)),
            asyncio.create_task(answering.listen(answerer)),
        ]
        async with asyncio.timeout(10):
            await story(asking)
        asking.close()
        await asyncio.gather(*listening)

    asyncio.run(told())


def test_who_asks_hears_the_answer_or_why_there_is_none() -> None:
    async def answer(what: str, given: Json) -> Json:
        if what == "no":
            raise Refused("not today")
        return {"what": what, **given}

    async def story(channel: Channel) -> None:
        assert await channel.ask("yes", model="late") == {"what": "yes", "model": "late"}
        with pytest.raises(Refused, match="not today"):
            await channel.ask("no")

    between(answer, story)


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (StorageError("the routing file cannot be read", where="x", remedy="y"), "the routing file cannot be read"),
        (KeyError("model"), "KeyError: 'model'"),
        (OSError(24, "Too many open files"), "Too many open files"),
    ],
)
def test_a_fault_of_who_answers_is_told_to_who_asks(fault: Exception, said: str) -> None:
    """It was told to nobody, and who asked waited for as long as there was patience: half a minute for a switch."""

    async def answer(_: str, __: Json) -> Json:
        raise fault

    async def story(channel: Channel) -> None:
        with pytest.raises(Refused, match=said):
            await channel.ask("switch")

    between(answer, story)


def test_who_asks_somebody_who_goes_hears_that() -> None:
    async def answer(_: str, __: Json) -> Json:
        await asyncio.sleep(60)
        raise AssertionError

    async def story(channel: Channel) -> None:
        asked = asyncio.create_task(channel.ask("switch"))
        await asyncio.sleep(0.01)
        channel.close()
        with pytest.raises(Closed):
            await asked

    between(answer, story)
