"""Pressing ahead gives way to whoever waits, and is taken over by whoever waits for the same version. Real presses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from pipeline.serving.pressing import Press
from tests.unit.serving.bench import LARGEST, Bench

pytestmark = pytest.mark.slow


async def until(condition: Callable[[], Any]) -> None:
    while not condition():
        await asyncio.sleep(0.01)


def test_a_promotion_takes_over_what_is_pressed_ahead_and_ends_what_is_in_its_way(bench: Bench) -> None:
    first, second = bench.version(), bench.version(shift=0.25)
    press = Press(bench.home, LARGEST)
    heard: list[str] = []

    async def story() -> None:
        ahead = asyncio.create_task(press.ahead(first))
        await until(lambda: press._turn.locked())
        assert await press.ahead(second) is None, "one at a time"
        waited = await press(second, heard.append)
        assert await ahead is None, "it gave way"
        assert (press.is_done(first), press.is_done(second)) == (False, True)
        assert waited["compiled"] == 5

        heard.clear()
        ahead = asyncio.create_task(press.ahead(first))
        await until(lambda: press._ahead is not None and press._ahead._phases)
        taken = asyncio.create_task(press(first, heard.append))
        await until(lambda: press._ahead is not None and press._ahead._heard_by is not None)
        press.give_way()  # nobody ends what a promotion waits for
        found = await taken
        before = await ahead
        assert before is not None
        assert found["difference"] == before["difference"]
        assert found["compiled"] == before["compiled"] == 0, "of a known architecture"
        assert heard == ["start", "verify", "compile", "golden"]
        assert press.is_done(first)

    asyncio.run(asyncio.wait_for(story(), 300))
