"""The UI as on a terminal, with two terminals in memory behind it, and a count of what is sent."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from textual.driver import Driver
from textual.drivers.headless_driver import HeadlessDriver
from textual.pilot import Pilot

from tests.unit.emulator import Emulator
from tests.unit.ui.acting import press, settle
from tui.app import ShedApp
from tui.glass.driver import Sparing
from tui.glass.glass import SYNC_OFF, SYNC_ON

SIZE: Final = (120, 40)


class Wire:
    """One terminal is sent all that Textual writes, the other what is left of it."""

    def __init__(self) -> None:
        self.plain = Emulator(*SIZE)
        self.spared = Emulator(*SIZE)
        self.bytes = 0

    def written(self, data: str) -> None:
        if data not in (SYNC_ON, SYNC_OFF):
            self.plain.write(data)

    def sent(self, data: str) -> None:
        self.bytes += len(data.encode())
        if data != SYNC_OFF:
            self.spared.write(data.removeprefix(SYNC_ON))

    async def cost(self, pilot: Pilot[Any], *keys: str) -> int:
        """Bytes that keys bring about, with all that follows. Both terminals show the same afterwards."""
        before = self.bytes
        for key in keys:
            await press(pilot, key)
            assert self.spared.picture == self.plain.picture, f"after {key}"
        return self.bytes - before


async def on_the_wire(app: ShedApp, story: Callable[[Pilot[Any], Wire], Awaitable[None]]) -> None:
    """Runs the UI on a wire, and lets a story be played on it."""
    wire = Wire()
    told: list[BaseException] = []

    class Carrying(HeadlessDriver):
        is_headless = False

        def write(self, data: str) -> None:
            wire.sent(data)

        def flush(self) -> None:
            pass

    class Tapped(Sparing, Carrying):
        def write(self, data: str) -> None:
            wire.written(data)
            super().write(data)

    async def play(pilot: Pilot[Any]) -> None:
        try:
            await settle(pilot)
            await story(pilot, wire)
        except BaseException as error:  # Textual would only leave
            told.append(error)
        finally:
            app.exit()

    driver: type[Driver] = Tapped
    app.driver_class = driver
    await app.run_async(size=SIZE, auto_pilot=play)
    if told:
        raise told[0]
