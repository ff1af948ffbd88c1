"""No slip of one or two fingers changes anything: keys are pressed on every screen, and the record stays as it was.

Every key that is bound anywhere, and some that are not, alone and in pairs. All of them on all screens are some sixty
thousand presses: `make thorough` presses them. Otherwise each key is pressed alone on each screen of the first
row, and everywhere the pairs of a key that opens something there to confirm or to type into, and one that might confirm
it: where a key opens nothing, the second one is pressed alone.
"""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.thorough import THOROUGH
from tests.unit.ui import alarming
from tests.unit.ui.acting import settle
from tests.unit.ui.conftest import MakeApp, Served
from tests.unit.ui.trying import begin
from tui.app import ShedApp
from tui.box import Box
from tui.keys import ACTIONS
from tui.screens import SCREENS

pytestmark = [pytest.mark.anyio, pytest.mark.slow, pytest.mark.timeout(3_600)]

MODES = [entry.mode for entry in SCREENS]
DETAILS = {
    "run": ("run", "15"),
    "model": ("model", "late"),
    "version": ("version", "late", "2"),
    "dataset": ("dataset", "orders"),
    "job": ("job", "train:late"),
    "endpoint": ("endpoint", "late"),
    "alert": ("alert", "4"),
    "monitor": ("monitor", "late"),
    "experiment": ("experiment", "late_2"),
}
LEAVES = {"q", "x"}
"""`q` leaves the UI and `x` gives the terminal to $PAGER: neither changes the record, and both end the test."""
BOUND = sorted({key for action in ACTIONS for key in action.keys.split(",")} - LEAVES)
OTHERS = ["y", "n", "enter", "space", "tab", "a", "z", "1", "2", "3", "9", "delete", "ctrl+c"]
KEYS = list(dict.fromkeys([*BOUND, *OTHERS]))
DANGEROUS = [action.keys.split(",")[0] for action in ACTIONS if action.dangerous]
OPENING = list(dict.fromkeys([*DANGEROUS, "colon", "slash", "ctrl+t", "Y"]))
SECOND = KEYS if THOROUGH else ["y", "enter"]


async def stand(pilot: Pilot[Any], mode: str, words: tuple[str, ...]) -> None:
    """The screen as it is when it was just opened."""
    app = pilot.app
    assert isinstance(app, ShedApp)
    for box in app.screen.query(Box):
        box.close()
    for bar in app.screen.query("FilterBar, CommandBar"):
        await bar.remove()
    app.past.moment = None
    depth = 2 if words else 1
    if app.current_mode == mode and len(app.screen_stack) == depth:
        return
    await pilot.pause()  # a screen that is only just being opened cannot be closed
    if app.current_mode != mode:
        app.go_to(mode)
        await pilot.pause()
    while len(app.screen_stack) > 1:
        app.pop_screen()
        await pilot.pause()
    if words:
        app.open(*words)
        await pilot.pause()


async def strike(pilot: Pilot[Any], *keys: str) -> None:
    """Keys as fast as fingers slip; what they set in motion is waited for by `settle`."""
    app = pilot.app
    for key in keys:
        app.simulate_key(key)
        await asyncio.sleep(0.01)


def opening(app: ShedApp) -> list[str]:
    """Those keys of OPENING that do something where the app stands."""
    found = [key for key in OPENING if key in app.screen.active_bindings]
    assert {"colon", "ctrl+t", "Y"} <= set(found), "these do something everywhere"
    return found


async def nothing_changes(make_watched: MakeApp, watched: Served, mode: str, words: tuple[str, ...]) -> None:
    alarming.write(watched)
    app = make_watched("runs")
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await stand(pilot, mode, words)
        await settle(pilot)
        revision = watched.record.revision
        alone = KEYS if THOROUGH or not words else SECOND
        for first in ["", *(KEYS if THOROUGH else opening(app))]:
            for second in SECOND if first else alone:
                await strike(pilot, *filter(None, (first, second)))
                if first in OPENING:  # or the plan that a slow daemon makes opens under the next pair
                    await settle(pilot)
                await stand(pilot, mode, words)
            await settle(pilot)
            assert watched.record.revision == revision, f"{first} and then another key"


@pytest.mark.parametrize("mode", MODES)
async def test_keys_and_pairs_of_keys_change_nothing(make_watched: MakeApp, watched: Served, mode: str) -> None:
    await nothing_changes(make_watched, watched, mode, ())


@pytest.mark.parametrize("kind", DETAILS)
async def test_nor_on_the_screens_of_one_object(make_watched: MakeApp, watched: Served, kind: str) -> None:
    if kind == "experiment":
        begin(watched, name="late_2", version=2, settings={"metric": "correct"})
    await nothing_changes(make_watched, watched, "runs", DETAILS[kind])
