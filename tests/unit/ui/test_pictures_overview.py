"""Pictures of Overview, Jobs, System and Events: two sizes, dark and light; empty, failed, stale, in the past."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from tests.unit.ui import still
from tests.unit.ui.acting import press, settle, until
from tests.unit.ui.conftest import MakeApp, Served
from tui.app import ShedApp
from tui.screens.overview import Overview
from tui.screens.system import System

Snap = Callable[..., bool]
SIZES = [(80, 24), (160, 45)]
THEMES = ["dark", "light"]


async def hold_still(pilot: Pilot[Any]) -> None:
    """Everything is here, and the machine is the one of the pictures."""
    await settle(pilot)
    screen = pilot.app.screen
    if isinstance(screen, Overview | System):
        screen._show_box((still.BOX, still.HISTORY))
    if isinstance(screen, System):
        screen._show(still.SYSTEM)
    await settle(pilot)


def after(*keys: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    async def do(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        await press(pilot, *keys)
        await hold_still(pilot)

    return do


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("size", SIZES, ids=str)
@pytest.mark.parametrize("screen", ["overview", "jobs", "system", "events"])
def test_screen(snap_compare: Snap, make_app: MakeApp, screen: str, size: tuple[int, int], theme: str) -> None:
    assert snap_compare(make_app(screen, theme=theme), terminal_size=size, run_before=hold_still)


@pytest.mark.parametrize("screen", ["overview", "jobs", "events"])
def test_empty(snap_compare: Snap, make_empty_app: MakeApp, screen: str) -> None:
    async def frozen(pilot: Pilot[Any]) -> None:
        await hold_still(pilot)

    assert snap_compare(make_empty_app(screen), terminal_size=(80, 24), run_before=frozen)


@pytest.mark.parametrize("screen", ["overview", "jobs", "system", "events"])
def test_without_a_daemon(snap_compare: Snap, make_app: MakeApp, shed: Served, screen: str) -> None:
    shed.socket.rename(shed.socket.with_suffix(".away"))

    async def cut(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, ShedApp)
        await until(lambda: app.link.state == "cut")
        await settle(pilot)
        _without_the_folder(pilot)
        await settle(pilot)

    assert snap_compare(make_app(screen), terminal_size=(80, 24), run_before=cut)


@pytest.mark.parametrize("screen", ["overview", "jobs"])
def test_stale(snap_compare: Snap, make_app: MakeApp, shed: Served, screen: str) -> None:
    async def cut(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, ShedApp)
        await hold_still(pilot)
        shed.socket.rename(shed.socket.with_suffix(".away"))
        shed.record.release_waiters()
        await until(lambda: app.link.state == "cut")
        await settle(pilot)
        _without_the_folder(pilot)
        await settle(pilot)

    assert snap_compare(make_app(screen), terminal_size=(80, 24), run_before=cut)


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_overview_in_the_past(snap_compare: Snap, make_app: MakeApp, size: tuple[int, int]) -> None:
    async def back(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        await press(pilot, "ctrl+t")
        pilot.app.screen.query_one(Input).value = "11:30"
        await press(pilot, "enter")

    assert snap_compare(make_app("overview"), terminal_size=size, run_before=back)


def test_the_plan_of_a_pause(snap_compare: Snap, make_app: MakeApp) -> None:
    assert snap_compare(make_app("overview"), terminal_size=(80, 24), run_before=after("tab", "tab", "tab", "S"))


def test_the_box_that_asks_how_a_job_is_to_run(snap_compare: Snap, make_app: MakeApp) -> None:
    assert snap_compare(make_app("jobs"), terminal_size=(80, 24), run_before=after("T"))


def test_one_job(snap_compare: Snap, make_app: MakeApp) -> None:
    assert snap_compare(make_app("jobs"), terminal_size=(80, 24), run_before=after("j", "j", "enter"))


def _without_the_folder(pilot: Pilot[Any]) -> None:
    """What is said of the socket names a folder of this very test."""
    screen = pilot.app.screen
    for notice in screen.query("Notice"):
        notice.display = False
