"""Pictures of Serving and of one endpoint: two sizes; calm, parted, broken, off, in light."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest
from textual.pilot import Pilot

from store.wire import EndpointsView, ServingHistoryView
from tests.unit.ui import answering
from tests.unit.ui.acting import press, settle
from tests.unit.ui.conftest import MakeApp
from tui.screens.answers import Answers

Snap = Callable[..., bool]
Found = tuple[EndpointsView, ServingHistoryView]
SIZES: Final = [(80, 24), (160, 45)]
STATES: Final = {
    "off": answering.OFF,
    "starting": answering.STARTING,
    "dead": answering.DEAD,
    "broken": answering.BROKEN,
    "calm": answering.CALM,
    "parted": answering.PARTED,
}


def standing(found: Found, *keys: str, open_it: bool = False) -> Callable[[Pilot[Any]], Awaitable[None]]:
    """The screen, or the one of the endpoint under the cursor, with nothing else to read."""

    async def do(pilot: Pilot[Any]) -> None:
        for opens in [False, True] if open_it else [False]:
            if opens:
                await press(pilot, "enter")
            screen = pilot.app.screen
            await settle(pilot)
            assert isinstance(screen, Answers)
            screen.rhythm.pause()
            screen.show(*found)
            await settle(pilot)
        await press(pilot, *keys)

    return do


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x45"])
@pytest.mark.parametrize("state", STATES)
def test_serving(snap_compare: Snap, make_app: MakeApp, state: str, size: tuple[int, int]) -> None:
    assert snap_compare(make_app("serving"), terminal_size=size, run_before=standing(STATES[state]))


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x45"])
@pytest.mark.parametrize("state", ["calm", "parted"])
def test_one_endpoint(snap_compare: Snap, make_app: MakeApp, state: str, size: tuple[int, int]) -> None:
    assert snap_compare(make_app("serving"), terminal_size=size, run_before=standing(STATES[state], open_it=True))


def test_the_traffic_of_an_endpoint_on_a_narrow_screen(snap_compare: Snap, make_app: MakeApp) -> None:
    do = standing(answering.PARTED, "tab", open_it=True)
    assert snap_compare(make_app("serving"), terminal_size=(80, 24), run_before=do)


def test_one_endpoint_in_the_light(snap_compare: Snap, make_app: MakeApp) -> None:
    do = standing(answering.PARTED, open_it=True)
    assert snap_compare(make_app("serving", theme="light"), terminal_size=(160, 45), run_before=do)


def test_what_is_asked_for_weights(snap_compare: Snap, make_app: MakeApp) -> None:
    assert snap_compare(make_app("serving"), terminal_size=(80, 24), run_before=standing(answering.CALM, "W"))


def test_the_plan_of_a_start(snap_compare: Snap, make_app: MakeApp) -> None:
    assert snap_compare(make_app("serving"), terminal_size=(80, 24), run_before=standing(answering.OFF, "S"))
