"""Pictures of Drift and of one monitor: narrow and wide, dark and light; each pane; empty, asking, failed and stale."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest
from textual.pilot import Pilot

from tests.unit.ui import watching
from tests.unit.ui.acting import press, settle
from tests.unit.ui.conftest import MakeApp
from tests.unit.ui.moments import NOW
from tui.failure import Failure, NoDaemon
from tui.messages import Cut
from tui.screens.drift import Drift
from tui.screens.monitor import MonitorScreen

Snap = Callable[..., bool]
Act = Callable[[Pilot[Any]], Awaitable[None]]
SIZES: Final = [(80, 24), (160, 45)]
LOOKS: Final = ["dark", "light"]
PANES: Final = {"distribution": 1, "accuracy": 2, "slices": 3, "service": 4, "findings": 5, "reports": 6}


def after(*keys: str) -> Act:
    async def act(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        await press(pilot, *keys)

    return act


def standing(*keys: str, words: bool = False) -> Act:
    """On the monitor `late`; its distributions are here already."""

    async def act(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        screen = MonitorScreen("late")
        watching.read_already(screen.shapes)
        if words:
            screen.shapes.keep(watching.kinds())
        pilot.app.push_screen(screen)
        await settle(pilot)
        await press(pilot, *keys)

    return act


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x45"])
@pytest.mark.parametrize("theme", LOOKS)
def test_the_list(snap_compare: Snap, make_watched: MakeApp, theme: str, size: tuple[int, int]) -> None:
    assert snap_compare(make_watched("drift", theme=theme), terminal_size=size, run_before=after("j", "j"))


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x45"])
@pytest.mark.parametrize("theme", LOOKS)
def test_one(snap_compare: Snap, make_watched: MakeApp, theme: str, size: tuple[int, int]) -> None:
    assert snap_compare(make_watched("drift", theme=theme), terminal_size=size, run_before=standing("j", "k"))


@pytest.mark.parametrize("pane", PANES)
def test_its_panes_on_a_narrow_screen(snap_compare: Snap, make_watched: MakeApp, pane: str) -> None:
    do = standing(*["tab"] * PANES[pane])
    assert snap_compare(make_watched("drift"), terminal_size=(80, 24), run_before=do)


@pytest.mark.parametrize("tabs", [1, 4], ids=["accuracy", "findings"])
def test_its_panes_on_a_wide_one(snap_compare: Snap, make_watched: MakeApp, tabs: int) -> None:
    assert snap_compare(make_watched("drift"), terminal_size=(160, 45), run_before=standing(*["tab"] * tabs))


def test_words_laid_over_words(snap_compare: Snap, make_watched: MakeApp) -> None:
    assert snap_compare(make_watched("drift"), terminal_size=(80, 24), run_before=standing("tab", words=True))


@pytest.mark.parametrize("key", ["a", "T", "S"])
def test_what_its_keys_open(snap_compare: Snap, make_watched: MakeApp, key: str) -> None:
    assert snap_compare(make_watched("drift"), terminal_size=(80, 24), run_before=standing(key))


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x45"])
def test_nothing_is_watched(snap_compare: Snap, make_empty_app: MakeApp, size: tuple[int, int]) -> None:
    assert snap_compare(make_empty_app("drift"), terminal_size=size, run_before=after())


def test_a_monitor_that_has_not_looked_yet(snap_compare: Snap, make_watched: MakeApp) -> None:
    async def open_it(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        pilot.app.open("monitor", "fresh")  # type: ignore[attr-defined]
        await settle(pilot)

    assert snap_compare(make_watched("drift"), terminal_size=(80, 24), run_before=open_it)


def test_a_monitor_that_is_not_there(snap_compare: Snap, make_watched: MakeApp) -> None:
    async def open_it(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        pilot.app.open("monitor", "lat")  # type: ignore[attr-defined]
        await settle(pilot)

    assert snap_compare(make_watched("drift"), terminal_size=(80, 24), run_before=open_it)


def test_the_list_that_could_not_be_had(snap_compare: Snap, make_watched: MakeApp) -> None:
    async def fail(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, Drift)
        screen.table.pages.forget()
        screen._failed(Failure("the record is being moved", remedy="r asks again"))
        await pilot.pause()

    assert snap_compare(make_watched("drift"), terminal_size=(80, 24), run_before=fail)


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x45"])
def test_one_whose_daemon_went_away(snap_compare: Snap, make_watched: MakeApp, size: tuple[int, int]) -> None:
    async def cut(pilot: Pilot[Any]) -> None:
        await standing()(pilot)
        gone = NoDaemon("nobody answers on trainshed.sock", remedy="`trainshed up --detach` starts it")
        pilot.app.post_message(Cut(gone, NOW))
        await settle(pilot)

    assert snap_compare(make_watched("drift"), terminal_size=size, run_before=cut)


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x45"])
def test_the_list_at_a_time_in_the_past(snap_compare: Snap, make_watched: MakeApp, size: tuple[int, int]) -> None:
    app = make_watched("drift")

    async def back(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        app.past.show("2026-06-15 09:00")
        await settle(pilot)

    assert snap_compare(app, terminal_size=size, run_before=back)
