"""What tests of the UI do: press keys, and wait for what they set in motion instead of sleeping."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Any, Final

from textual.pilot import Pilot

from tui.app import ShedApp
from tui.screens.base import ShedScreen
from tui.screens.copying import screen_text

_PATIENCE: Final = 60.0


async def settle(pilot: Pilot[Any]) -> None:
    """Returns when the daemon was heard, no question to it is under way, and every message is dealt with."""
    app = pilot.app
    assert isinstance(app, ShedApp)
    await until(lambda: app.link.state != "asking")
    quiet = 0
    end = time.monotonic() + _PATIENCE
    while quiet < 2:
        await pilot.pause()
        quiet = quiet + 1 if app.idle else 0
        if not app.idle:
            await asyncio.sleep(0.005)
        assert time.monotonic() < end, f"the UI did not come to rest; asked: {app._desk._busy}\n{shown(pilot)}"


async def press(pilot: Pilot[Any], *keys: str) -> None:
    """One key after the other, each with everything that it brings about."""
    for key in keys:
        await pilot.press(key)
        await settle(pilot)


async def until(holds: Callable[[], bool], what: str = "what was waited for did not come") -> None:
    """Waits for something that another thread brings about."""
    end = time.monotonic() + _PATIENCE
    while not holds():
        assert time.monotonic() < end, what
        await asyncio.sleep(0.01)


def shown(pilot: Pilot[Any]) -> str:
    """The text on the screen."""
    screen = pilot.app.screen
    assert isinstance(screen, ShedScreen)
    return screen_text(screen)
