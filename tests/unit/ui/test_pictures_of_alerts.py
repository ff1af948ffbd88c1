"""Pictures of alerts: the list and one of them, narrow and wide, dark and light; empty, failed and stale."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest
from textual.pilot import Pilot

from tests.unit.ui import alarming
from tests.unit.ui.acting import press, settle
from tests.unit.ui.conftest import MakeApp, Served
from tests.unit.ui.moments import NOW
from tui.client import Client
from tui.failure import Failure, NoDaemon
from tui.messages import Cut
from tui.screens.alert import AlertScreen
from tui.screens.alerts import Alerts

Snap = Callable[..., bool]
Act = Callable[[Pilot[Any]], Awaitable[None]]
SIZES: Final = [(80, 24), (160, 45)]
LOOKS: Final = ["dark", "light"]


def after(*keys: str) -> Act:
    async def act(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        await press(pilot, *keys)

    return act


@pytest.fixture
def alarms(shed: Served) -> Served:
    alarming.write(shed)
    return shed


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x45"])
@pytest.mark.parametrize("theme", LOOKS)
def test_the_list(snap_compare: Snap, make_app: MakeApp, alarms: Served, theme: str, size: tuple[int, int]) -> None:
    assert snap_compare(make_app("alerts", theme=theme), terminal_size=size, run_before=after())


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x45"])
@pytest.mark.parametrize("theme", LOOKS)
def test_one(
    snap_compare: Snap, make_app: MakeApp, alarms: Served, client: Client, theme: str, size: tuple[int, int]
) -> None:
    async def told(pilot: Pilot[Any]) -> None:
        await after("enter")(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, AlertScreen)
        number = alarming.number(alarms, alarming.AUC)
        screen.show(alarming.told(client, number), client.events(subject=f"alert {number}").items)
        await settle(pilot)

    assert snap_compare(make_app("alerts", theme=theme), terminal_size=size, run_before=told)


@pytest.mark.parametrize("tabs", [1, 2], ids=["told", "happened"])
def test_the_other_panes_of_one_on_a_narrow_screen(
    snap_compare: Snap, make_app: MakeApp, alarms: Served, tabs: int
) -> None:
    do = after("enter", *["tab"] * tabs)
    assert snap_compare(make_app("alerts"), terminal_size=(80, 24), run_before=do)


@pytest.mark.parametrize("key", ["A", "R", "question_mark"])
def test_what_its_keys_open(snap_compare: Snap, make_app: MakeApp, alarms: Served, key: str) -> None:
    assert snap_compare(make_app("alerts"), terminal_size=(80, 24), run_before=after(key))


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x45"])
def test_nothing_ever_wanted_anybody(snap_compare: Snap, make_empty_app: MakeApp, size: tuple[int, int]) -> None:
    assert snap_compare(make_empty_app("alerts"), terminal_size=size, run_before=after())


def test_the_list_that_could_not_be_had(snap_compare: Snap, make_app: MakeApp) -> None:
    async def fail(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        screen = pilot.app.screen
        assert isinstance(screen, Alerts)
        screen.table.source.waiting = True  # type: ignore[attr-defined]
        screen.table.pages.forget()
        screen._failed(Failure("the record is being moved", remedy="r asks again"))
        await pilot.pause()

    assert snap_compare(make_app("alerts"), terminal_size=(80, 24), run_before=fail)


def test_one_that_is_not_there(snap_compare: Snap, make_app: MakeApp) -> None:
    async def open_it(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        pilot.app.open("alert", "77")  # type: ignore[attr-defined]
        await settle(pilot)

    assert snap_compare(make_app("alerts"), terminal_size=(80, 24), run_before=open_it)


def test_the_list_whose_daemon_went_away(snap_compare: Snap, make_app: MakeApp, alarms: Served) -> None:
    async def cut(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        gone = NoDaemon("nobody answers on trainshed.sock", remedy="`trainshed up --detach` starts it")
        pilot.app.post_message(Cut(gone, NOW))
        await settle(pilot)

    assert snap_compare(make_app("alerts"), terminal_size=(80, 24), run_before=cut)
