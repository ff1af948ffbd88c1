"""Pictures of the model and data screens: each narrow and wide, dark and light; empty, asking, failed and stale."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest
from textual.pilot import Pilot

from tests.unit.ui.acting import press, settle, shown, until
from tests.unit.ui.conftest import MakeApp, Served
from tests.unit.ui.moments import NOW
from tui.app import ShedApp
from tui.failure import NoDaemon
from tui.messages import Cut

Snap = Callable[..., bool]
SIZES: Final = [(80, 24), (160, 45)]
SCREENS: Final = {
    "models": ("models", ()),
    "versions": ("models", ("enter",)),
    "version": ("models", ("enter", "enter")),
    "curves": ("models", ("enter", "enter", "tab", "tab")),
    "calibration": ("models", ("enter", "enter", "tab", "tab", "tab")),
    "lineage": ("models", ("enter", "i")),
    "promotion": ("models", ("P",)),
    "data": ("data", ("j",)),
    "dataset": ("data", ("j", "enter")),
    "columns": ("data", ("j", "enter", "tab", "j")),
    "checks": ("data", ("j", "h")),
}


def after(*keys: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    async def act(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        await press(pilot, *keys)

    return act


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x45"])
@pytest.mark.parametrize("name", SCREENS)
def test_a_screen_in_the_dark(snap_compare: Snap, make_app: MakeApp, name: str, size: tuple[int, int]) -> None:
    mode, keys = SCREENS[name]
    if size[0] >= 160 and name in {"curves", "calibration"}:
        keys = keys[:-1]  # the summary stands beside the panes, not among them
    assert snap_compare(make_app(mode), terminal_size=size, run_before=after(*keys))


@pytest.mark.parametrize("name", ["models", "versions", "version", "promotion", "data", "dataset", "checks"])
def test_a_screen_in_the_light(snap_compare: Snap, make_app: MakeApp, name: str) -> None:
    mode, keys = SCREENS[name]
    assert snap_compare(make_app(mode, theme="light"), terminal_size=(160, 45), run_before=after(*keys))


@pytest.mark.parametrize("keys", [(), ("enter",)], ids=["list", "detail"])
@pytest.mark.parametrize("mode", ["models", "data"])
def test_an_empty_screen_says_what_to_do(
    snap_compare: Snap, make_empty_app: MakeApp, mode: str, keys: tuple[str, ...]
) -> None:
    assert snap_compare(make_empty_app(mode), terminal_size=(80, 24), run_before=after(*keys))


@pytest.mark.parametrize("mode", ["models", "data"])
async def test_a_screen_without_a_daemon_says_how_to_start_one(make_app: MakeApp, shed: Served, mode: str) -> None:
    """No picture: the socket's path is in the message, and is another one each time."""
    shed.stop()
    async with make_app(mode).run_test(size=(120, 24)) as pilot:
        await until(lambda: "no daemon is running here" in shown(pilot))
        assert "trainshed up --detach" in shown(pilot)


@pytest.mark.parametrize("mode", ["models", "data"])
def test_a_screen_whose_daemon_went_away_keeps_its_picture(snap_compare: Snap, make_app: MakeApp, mode: str) -> None:
    async def cut(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        gone = NoDaemon("nobody answers on trainshed.sock", remedy="`trainshed up --detach` starts it")
        pilot.app.post_message(Cut(gone, NOW))
        await settle(pilot)

    assert snap_compare(make_app(mode), terminal_size=(80, 24), run_before=cut)


@pytest.mark.parametrize("mode", ["models", "data"])
def test_a_screen_that_still_asks_says_so(snap_compare: Snap, make_app: MakeApp, shed: Served, mode: str) -> None:
    async def asks(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, ShedApp)
        await settle(pilot)
        shed.slow.holds = True
        app.go_to(mode)
        await until(lambda: not app.idle)
        await pilot.pause()

    assert snap_compare(make_app("runs"), terminal_size=(80, 24), run_before=asks)


def test_versions_as_of_a_time_in_the_past(snap_compare: Snap, make_app: MakeApp) -> None:
    app = make_app("models")

    async def back(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        app.past.show("2026-06-13 12:00")
        await settle(pilot)
        await press(pilot, "enter")

    assert snap_compare(app, terminal_size=(80, 24), run_before=back)
