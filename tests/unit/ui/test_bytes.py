"""What goes over the wire, on the real screens: the picture is Textual's own, and few bytes make it."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from tests.unit.ui import answering, still
from tests.unit.ui.acting import press, settle, until
from tests.unit.ui.conftest import MakeApp
from tests.unit.ui.wire import Wire, on_the_wire
from tui.screens.overview import Overview
from tui.screens.serving import Serving
from tui.screens.system import System
from tui.table import Table


async def test_every_screen_and_box_is_what_textual_drew(make_app: MakeApp) -> None:
    async def walk(pilot: Pilot[Any], wire: Wire) -> None:
        for screen in "23456789":
            await wire.cost(pilot, screen, "j", "G", "question_mark", "escape")
        await wire.cost(pilot, "2", "enter", "tab", "escape", "slash", "t", "r", "enter", "escape", "w", "space", "K")

    await on_the_wire(make_app("overview"), walk)


async def test_a_plan_opens_and_closes_in_four_kilobytes_each(make_app: MakeApp) -> None:
    async def story(pilot: Pilot[Any], wire: Wire) -> None:
        assert await wire.cost(pilot, "K") <= 4_000
        assert await wire.cost(pilot, "escape") <= 4_000

    await on_the_wire(make_app("runs"), story)


async def test_so_does_the_plan_of_a_promotion(make_app: MakeApp) -> None:
    """The longest: gates, differences, effects."""

    async def story(pilot: Pilot[Any], wire: Wire) -> None:
        await wire.cost(pilot, "enter")
        assert await wire.cost(pilot, "P") <= 4_000
        assert await wire.cost(pilot, "escape") <= 4_000

    await on_the_wire(make_app("models"), story)


async def test_a_step_of_the_cursor_takes_three_hundred_bytes_and_its_facts_as_many(make_app: MakeApp) -> None:
    async def story(pilot: Pilot[Any], wire: Wire) -> None:
        table = pilot.app.screen.query_one(Table)
        table.rest.seconds = 60.0
        before = wire.bytes
        for step in range(1, 4):
            pilot.app.simulate_key("j")
            await until(lambda step=step: table.cursor == step)  # type: ignore[misc]
            await pilot.pause()
        assert (wire.bytes - before) / 3 <= 300
        before = wire.bytes
        table.rest.arrive()
        await settle(pilot)
        assert wire.bytes - before <= 300

    await on_the_wire(make_app("runs"), story)


async def test_a_screen_comes_back_in_five_kilobytes(make_app: MakeApp) -> None:
    async def story(pilot: Pilot[Any], wire: Wire) -> None:
        await wire.cost(pilot, *"12345678")
        for screen in "1234567":
            assert await wire.cost(pilot, screen) <= 5_000, f"screen {screen}"

    await on_the_wire(make_app("runs"), story)


async def test_reading_again_mends_what_another_program_wrote_over_the_screen(make_app: MakeApp) -> None:
    async def story(pilot: Pilot[Any], wire: Wire) -> None:
        wire.spared.write("\x1b[3;3HBroadcast message from root\x1b[1;1H")
        assert wire.spared.picture != wire.plain.picture
        await wire.cost(pilot, "r")

    await on_the_wire(make_app("runs"), story)


@pytest.mark.parametrize("screen", ["overview", "system"])
async def test_a_machine_that_only_breathes_sends_nothing(make_app: MakeApp, screen: str) -> None:
    async def story(pilot: Pilot[Any], wire: Wire) -> None:
        top = pilot.app.screen
        assert isinstance(top, Overview | System)
        top._show_box((still.BOX, still.HISTORY))
        if isinstance(top, System):
            top._show(still.SYSTEM)
        await settle(pilot)
        before = wire.bytes
        for cpu, received in ((38.0, 300.0), (33.0, 9_000.0), (41.0, 0.0)):
            top._hear_box((still.BOX.model_copy(update={"cpu_percent": cpu, "received": received}), still.HISTORY))
            if isinstance(top, System):
                daemon = still.SYSTEM.daemon.model_copy(update={"open_files": 27, "rss": 96_300_000})
                top._hear(still.SYSTEM.model_copy(update={"daemon": daemon}))
            await settle(pilot)
        assert wire.bytes == before

    await on_the_wire(make_app(screen), story)


async def test_an_endpoint_at_rest_sends_nothing(make_app: MakeApp) -> None:
    async def story(pilot: Pilot[Any], wire: Wire) -> None:
        await press(pilot, "5")
        top = pilot.app.screen
        assert isinstance(top, Serving)
        top.rhythm.pause()
        top.show(*answering.CALM)
        await settle(pilot)
        before = wire.bytes
        view, history = answering.CALM
        top.show(view.model_copy(deep=True), history.model_copy(deep=True))
        await settle(pilot)
        assert wire.bytes == before

    await on_the_wire(make_app("overview"), story)


async def test_a_redraw_without_news_sends_nothing(make_app: MakeApp) -> None:
    async def story(pilot: Pilot[Any], wire: Wire) -> None:
        before = wire.bytes
        pilot.app.screen.refresh(layout=True)
        await settle(pilot)
        assert wire.bytes == before

    await on_the_wire(make_app("overview"), story)
