"""Pictures of what has been asked for and is not here yet: no spinner, nothing that looks like an answer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.unit.ui.acting import settle, until
from tests.unit.ui.conftest import MakeApp, Served
from tui.app import ShedApp

Snap = Callable[..., bool]
LISTS = ["overview", "runs", "models", "data", "drift", "jobs", "system", "events", "alerts"]
DETAILS = {
    "run": ("run", "1"),
    "model": ("model", "late"),
    "dataset": ("dataset", "orders"),
    "monitor": ("monitor", "late"),
    "alert": ("alert", "1"),
}


@pytest.mark.parametrize("screen", LISTS)
def test_a_screen_that_waits_for_its_first_answer(
    snap_compare: Snap, make_app: MakeApp, shed: Served, screen: str
) -> None:
    shed.slow.holds = True

    async def waits(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, ShedApp)
        await until(lambda: not app.idle)
        await pilot.pause()

    assert snap_compare(make_app(screen), terminal_size=(80, 24), run_before=waits)


@pytest.mark.parametrize("kind", DETAILS)
def test_a_detail_that_waits_for_its_first_answer(
    snap_compare: Snap, make_app: MakeApp, shed: Served, kind: str
) -> None:
    async def waits(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, ShedApp)
        await settle(pilot)
        shed.slow.holds = True
        app.open(*DETAILS[kind])
        await until(lambda: not app.idle)
        await pilot.pause()

    assert snap_compare(make_app("runs"), terminal_size=(80, 24), run_before=waits)
