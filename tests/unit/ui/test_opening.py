"""A screen that opens asks the daemon once. Textual calls the handlers of all classes of a screen, so none calls its
base's: what is shown first would be asked for twice, and a rhythm would beat twice."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.ui.acting import settle
from tests.unit.ui.conftest import MakeApp
from tui.screens.answers import Answers
from tui.screens.base import ShedScreen
from tui.screens.dataset import DatasetScreen
from tui.screens.endpoint import EndpointScreen
from tui.screens.overview import Overview
from tui.screens.run import RunScreen
from tui.screens.system import System
from tui.screens.version import VersionScreen

pytestmark = pytest.mark.anyio
OPENED: list[tuple[type[ShedScreen], tuple[str, ...]]] = [
    (Overview, ()),
    (System, ()),
    (RunScreen, ("1",)),
    (VersionScreen, ("late", "1")),
    (DatasetScreen, ("orders",)),
    (EndpointScreen, ("late",)),
]


@pytest.mark.parametrize(("kind", "words"), OPENED, ids=[kind.__name__ for kind, _ in OPENED])
async def test_a_screen_that_opens_asks_once(make_app: MakeApp, kind: type[ShedScreen], words: tuple[str, ...]) -> None:
    asked: list[str] = []
    rhythms: list[float] = []

    class Counted(kind):  # type: ignore[misc,valid-type]  # one of several
        def read(self) -> None:
            asked.append(kind.__name__)
            super().read()

        def set_interval(self, *given: Any, **named: Any) -> Any:
            if given[0] >= 1.0:  # Textual has one of its own to draw by
                rhythms.append(given[0])
            return super().set_interval(*given, **named)

    async with make_app("jobs").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        screen = Counted(*words)
        await pilot.app.push_screen(screen)
        if isinstance(screen, Answers):
            screen.rhythm.pause()
        await settle(pilot)
        assert asked == [kind.__name__]
        assert len(rhythms) <= 1
