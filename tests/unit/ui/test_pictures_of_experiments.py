"""Pictures of an experiment: two sizes; open, won, taken back, not begun; what is asked for a new one."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

import pytest
from textual.pilot import Pilot

from store.wire import ExperimentView
from tests.unit.ui import answering, trying
from tests.unit.ui.acting import press, settle
from tests.unit.ui.conftest import MakeApp
from tests.unit.ui.test_pictures_of_serving import SIZES, Snap, standing
from tui.app import ShedApp
from tui.screens.experiment import ExperimentScreen

STATES: Final = {"open": trying.OPEN, "won": trying.WON, "lost": trying.LOST, "new": trying.NEW, "few": trying.FEW}


def shown_still(view: ExperimentView, *keys: str) -> Callable[[Pilot[Any]], Awaitable[None]]:
    async def do(pilot: Pilot[Any]) -> None:
        app = pilot.app
        assert isinstance(app, ShedApp)
        await settle(pilot)
        app.push_screen(ExperimentScreen(view.name))
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, ExperimentScreen)
        await press(pilot, "escape")  # there is none of that name here, and the screen says so
        screen.show(view)
        await settle(pilot)
        await press(pilot, *keys)

    return do


@pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x45"])
@pytest.mark.parametrize("state", STATES)
def test_an_experiment(snap_compare: Snap, make_app: MakeApp, state: str, size: tuple[int, int]) -> None:
    assert snap_compare(make_app("serving"), terminal_size=size, run_before=shown_still(STATES[state]))


def test_where_it_stands_on_a_narrow_screen(snap_compare: Snap, make_app: MakeApp) -> None:
    assert snap_compare(make_app("serving"), terminal_size=(80, 24), run_before=shown_still(trying.WON, "tab"))


def test_an_experiment_in_the_light(snap_compare: Snap, make_app: MakeApp) -> None:
    app = make_app("serving", theme="light")
    assert snap_compare(app, terminal_size=(160, 45), run_before=shown_still(trying.WON))


def test_what_is_asked_for_an_experiment(snap_compare: Snap, make_app: MakeApp) -> None:
    do = standing(answering.CALM, "X")
    assert snap_compare(make_app("serving"), terminal_size=(80, 24), run_before=do)
