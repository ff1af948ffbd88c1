"""A few come in at a time, in their order; and whom more would have to wait for than is allowed hears so at once."""

from __future__ import annotations

import asyncio
from functools import partial

from pipeline.serving.admission import LEAST, TURN_S, Admission


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def test_all_begin_in_their_order_and_one_turn_begins_a_few() -> None:
    async def story() -> None:
        admission, begun = Admission(10.0, Clock()), list[int]()
        for number in range(1000):
            admission.enter(lambda number=number: begun.append(number))  # type: ignore[misc]
        first = len(begun)
        assert LEAST <= first < 200, "those who found nobody before them began at once"
        await asyncio.sleep(0)
        assert first < len(begun) < 1000
        for _ in range(100):
            await asyncio.sleep(0)
        assert begun == list(range(1000))

    asyncio.run(story())


def test_a_request_is_refused_once_those_before_it_take_longer_than_it_may_wait() -> None:
    async def story() -> None:
        clock = Clock()
        admission = Admission(0.1, clock)

        def begin() -> None:
            clock.now += 0.002  # each takes 2 ms, with all that is done meanwhile

        for _ in range(600):
            admission.enter(begin)
        for _ in range(600 // LEAST):
            await asyncio.sleep(0)
        waited = 0
        while not admission.turns_away():
            admission.enter(begin)
            waited += 1
        assert 45 <= waited <= 70 + LEAST, "some fifty of 2 ms are a tenth of a second"
        for _ in range(40):
            await asyncio.sleep(0)
        assert not admission.turns_away()

    asyncio.run(story())


def test_in_an_overload_that_lasts_who_is_taken_waits_for_a_tenth_of_what_a_burst_may_wait() -> None:
    async def story() -> None:
        clock = Clock()
        admission, taken = Admission(0.5, clock), list[float]()

        def begin(came: float) -> None:
            clock.now += 0.001
            taken.append(clock.now - came)

        for _ in range(800):
            for _ in range(24):
                if not admission.turns_away():
                    admission.enter(partial(begin, clock.now))
            await asyncio.sleep(0)
        assert max(taken) > 0.1, "before it has lasted"
        assert max(taken[-1000:]) < 0.05 + 2 * LEAST * 0.001
        assert len(taken) > 2000, "and the server is always busy"

    asyncio.run(story())


def test_a_turn_begins_the_fewer_the_longer_they_take_and_never_less_than_a_few() -> None:
    async def story() -> None:
        clock = Clock()
        admission, turns = Admission(10.0, clock), list[int]()

        def begin() -> None:
            turns[-1] += 1
            clock.now += 0.001

        turns.append(0)
        for _ in range(2000):
            admission.enter(begin)
        while sum(turns) < 2000:
            turns.append(0)
            await asyncio.sleep(0)
        assert turns[1] == int(TURN_S / 100e-6), "what it thinks of them before it has seen any"
        assert set(turns[20:-1]) == {LEAST}, "of 1 ms, four would fill the turn"

    asyncio.run(story())
