"""A model that sleeps in one worker: who waits for its load, what bounds them, what becomes of them when it fails."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from pipeline.serving.batcher import Batcher
from pipeline.serving.channel import Refused
from pipeline.serving.loaded import LoadedVersion
from pipeline.serving.refusal import Refusal
from pipeline.serving.shelf import Seat, Shelf
from pipeline.serving.sleeping import Sleeping
from store.routing import Arm, Route, Snapshot

NUMERIC, CATEGORICAL = np.array([[500.0, 12.0]], np.float32), np.array([[1]], np.int32)
QUEUE_ROWS = 20
IDLE_S = 60.0


class Room:
    """A worker's shelf with versions 3 and 2 of `late`; loads end when the test says so."""

    def __init__(self, loaded: LoadedVersion) -> None:
        self.loaded = loaded
        self.now = 1000.0
        self.asked: dict[str, float] = {}
        self.reads: list[tuple[str, bool]] = []
        self.may_load = asyncio.Event()
        self.fault: str | None = None
        self.cold: list[str] = []
        self.woken = 0
        self.pool = ThreadPoolExecutor(1)
        self.shelf = Shelf(self._batcher)
        for version in (3, 2):
            self.shelf.put("late", version, replace(loaded))
        arms = [Arm(version=version, digest=loaded.digest) for version in (3, 2)]
        self.shelf.switch(Snapshot(epoch=1, routes={"late": Route(arms=(arms[0],), previous=arms[1])}))
        self.sleeping = Sleeping(
            self.shelf,
            self.asked,
            asyncio.Lock(),
            self._read,
            queue_rows=QUEUE_ROWS,
            on_sleep=lambda model: None,
            on_cold=lambda model, seconds: self.cold.append(model),
            on_woken=self._woke,
            clock=lambda: self.now,
        )

    async def ask(self, version: int | None = None, *, timeout_s: float = 20.0, rows: int = 1) -> float:
        numeric, categorical = np.repeat(NUMERIC, rows, axis=0), np.repeat(CATEGORICAL, rows, axis=0)
        return float((await self.seat(version).batcher.scores(numeric, categorical, timeout_s))[0])

    def seat(self, version: int | None = None) -> Seat:
        return self.shelf.pick("late", version=None if version is None else str(version)).seat

    async def _read(self, digest: str, *, hurry: bool) -> LoadedVersion:
        self.reads.append((digest, hurry))
        await self.may_load.wait()
        if self.fault is not None:
            raise Refused(self.fault)
        return self.loaded

    async def _woke(self) -> None:
        self.woken += 1

    def _batcher(self, model: str, version: int, loaded: LoadedVersion) -> Batcher:
        return Batcher(
            loaded.run,
            expected_s=loaded.expected_seconds,
            largest=loaded.largest,
            queue_rows=QUEUE_ROWS,
            thread=self.pool,
            on_batch=lambda batch: None,
        )


def in_room(loaded: LoadedVersion, story: Callable[[Room], Coroutine[Any, Any, None]]) -> None:
    async def live() -> None:
        room = Room(loaded)
        try:
            await story(room)
        finally:
            room.pool.shutdown()

    asyncio.run(asyncio.wait_for(live(), 60))


def test_all_who_ask_a_sleeping_model_wait_for_one_load_and_the_first_is_the_cold_start(loaded: LoadedVersion) -> None:
    async def story(room: Room) -> None:
        warm = await room.ask()
        held = [weakref.ref(seat.loaded) for seat in room.shelf.seats.values() if seat.loaded is not None]
        await room.sleeping.rest(["late"], [], IDLE_S)
        assert [one() for one in held] == [None, None], "nothing holds what was loaded"
        assert room.sleeping.asleep == ["late"]
        assert room.shelf.ready("late")
        asking = [asyncio.create_task(room.ask(version)) for version in (3, 3, 2, 3)]
        await asyncio.sleep(0.01)
        room.may_load.set()
        assert await asyncio.gather(*asking) == [warm] * 4
        assert room.reads == [(loaded.digest, True)] * 2  # its two versions, once
        assert room.cold == ["late", "late"]  # of each version the first
        assert (room.sleeping.asleep, room.woken) == ([], 1)
        assert await room.ask() == warm
        assert len(room.reads) == 2

    in_room(loaded, story)


def test_a_model_is_awake_when_its_control_answers_and_has_its_whole_time_from_then_on(loaded: LoadedVersion) -> None:
    """It was told as asleep until the version before was loaded too; and it slept again if that took so long."""

    async def story(room: Room) -> None:
        await room.sleeping.rest(["late"], [], IDLE_S)
        asking = asyncio.create_task(room.ask())
        await asyncio.sleep(0.01)
        room.asked["late"] = room.now
        room.now += 2 * IDLE_S
        room.may_load.set()
        room.may_load.clear()  # the first of two
        await asking
        assert room.sleeping.asleep == []
        assert room.sleeping.uses() == [("late", 2 * IDLE_S, True)], "the supervisor has it woken as a whole elsewhere"
        room.may_load.set()
        await room.sleeping.rest(["late"], [], IDLE_S)
        assert (room.sleeping.asleep, room.sleeping.uses()) == ([], [("late", 0.0, False)])

    in_room(loaded, story)


def test_what_waits_for_a_load_is_bounded_and_has_its_own_time_while_the_load_goes_on(loaded: LoadedVersion) -> None:
    async def story(room: Room) -> None:
        await room.sleeping.rest(["late"], [], IDLE_S)
        patient = asyncio.create_task(room.ask(rows=QUEUE_ROWS - 1))
        await asyncio.sleep(0.01)
        with pytest.raises(Refusal, match="waiting already for the model to be loaded") as full:
            await room.ask(rows=2)
        assert (full.value.status, full.value.retry_after) == (503, 1)
        with pytest.raises(Refusal, match="time was over before its model was loaded") as late:
            await room.ask(timeout_s=0.01)
        assert late.value.status == 504
        room.may_load.set()
        assert await patient > 0.0

    in_room(loaded, story)


def test_a_load_that_fails_refuses_those_who_wait_with_its_reason_and_the_model_is_missing(
    loaded: LoadedVersion,
) -> None:
    async def story(room: Room) -> None:
        await room.sleeping.rest(["late"], [], IDLE_S)
        room.fault = "a file is damaged"
        room.may_load.set()
        with pytest.raises(Refusal, match="cannot be loaded again: a file is damaged") as refused:
            await room.ask()
        assert refused.value.status == 503
        assert room.shelf.missing == {("late", 3): "a file is damaged", ("late", 2): "a file is damaged"}
        assert not room.shelf.ready("late")
        assert room.woken == 1, "the supervisor hears of it, and has it pressed again"

    in_room(loaded, story)


def test_what_was_asked_since_the_supervisor_looked_stays_awake(loaded: LoadedVersion) -> None:
    async def story(room: Room) -> None:
        room.asked["late"] = room.now - IDLE_S + 1.0
        await room.sleeping.rest(["late"], [], IDLE_S)
        assert room.sleeping.asleep == []
        assert room.sleeping.uses() == [("late", IDLE_S - 1.0, False)]
        room.now += 1.0
        await room.sleeping.rest(["late"], [], IDLE_S)
        assert room.sleeping.uses() == [("late", IDLE_S, True)]

    in_room(loaded, story)


def test_the_other_workers_are_woken_in_their_own_time_and_who_asks_meanwhile_waits_for_that(
    loaded: LoadedVersion,
) -> None:
    async def story(room: Room) -> None:
        await room.sleeping.rest(["late"], [], IDLE_S)
        waking = asyncio.create_task(room.sleeping.rest([], ["late"], IDLE_S))
        await asyncio.sleep(0.01)
        asking = asyncio.create_task(room.ask())
        await asyncio.sleep(0.01)
        room.may_load.set()
        await waking
        assert await asking > 0.0
        assert room.reads == [(loaded.digest, False)] * 2

    in_room(loaded, story)
