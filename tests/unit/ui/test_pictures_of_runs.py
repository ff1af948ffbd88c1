"""Pictures of the screens about runs, on the fixed history: small and large, dark and light, and without luck."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from textual.pilot import Pilot

from tests.unit.ui.acting import press, settle, until
from tests.unit.ui.conftest import MakeApp, Served
from tests.unit.ui.history import LIVING
from tui.app import ShedApp
from tui.bars.notice import Notice
from tui.screens.compare import Compare

Snap = Callable[..., bool]
Way = Callable[[Pilot[Any]], Awaitable[None]]
SIZES = [(80, 24), (160, 45)]
every_look = pytest.mark.parametrize("theme", ["dark", "light"])
every_size = pytest.mark.parametrize("size", SIZES, ids=["80x24", "160x45"])


def _open(kind: str, *words: str) -> Way:
    async def go(pilot: Pilot[Any]) -> None:
        await settle(pilot)
        pilot.app.open(kind, *words)  # type: ignore[attr-defined]
        await settle(pilot)

    return go


async def _runs(pilot: Pilot[Any]) -> None:
    await settle(pilot)
    await press(pilot, "down", "down", "space")


async def _compared(pilot: Pilot[Any]) -> None:
    await settle(pilot)
    pilot.app.push_screen(Compare([7, 3, 13, 8]))
    await settle(pilot)


@every_look
@every_size
def test_runs(snap_compare: Snap, make_app: MakeApp, size: tuple[int, int], theme: str) -> None:
    assert snap_compare(make_app("runs", theme=theme), terminal_size=size, run_before=_runs)


@every_look
@every_size
def test_a_living_run(snap_compare: Snap, make_app: MakeApp, size: tuple[int, int], theme: str) -> None:
    assert snap_compare(make_app("runs", theme=theme), terminal_size=size, run_before=_open("run", str(LIVING)))


@every_look
@every_size
def test_a_log(snap_compare: Snap, make_app: MakeApp, size: tuple[int, int], theme: str) -> None:
    assert snap_compare(
        make_app("runs", theme=theme), terminal_size=size, run_before=_open("log", str(LIVING), "2", "stderr")
    )


@every_look
@every_size
def test_runs_compared(snap_compare: Snap, make_app: MakeApp, size: tuple[int, int], theme: str) -> None:
    assert snap_compare(make_app("runs", theme=theme), terminal_size=size, run_before=_compared)


@every_size
def test_a_failed_run(snap_compare: Snap, make_app: MakeApp, size: tuple[int, int]) -> None:
    assert snap_compare(make_app("runs"), terminal_size=size, run_before=_open("run", "8"))


def test_a_run_on_a_slow_link(snap_compare: Snap, make_app: MakeApp) -> None:
    assert snap_compare(make_app("runs", lite=True), terminal_size=(80, 24), run_before=_open("run", str(LIVING)))


def test_a_run_without_unicode(snap_compare: Snap, make_app: MakeApp) -> None:
    app = make_app("runs", environ={"LANG": "C"})
    assert snap_compare(app, terminal_size=(80, 24), run_before=_open("run", str(LIVING)))


def test_no_runs_yet(snap_compare: Snap, make_empty_app: MakeApp) -> None:
    assert snap_compare(make_empty_app("runs"), terminal_size=(80, 24), run_before=settle)


def test_a_run_that_is_not_there(snap_compare: Snap, make_app: MakeApp) -> None:
    assert snap_compare(make_app("runs"), terminal_size=(80, 24), run_before=_open("run", "99"))


def test_a_log_that_is_not_there(snap_compare: Snap, make_app: MakeApp) -> None:
    assert snap_compare(make_app("runs"), terminal_size=(80, 24), run_before=_open("log", "99"))


@every_size
def test_a_run_when_the_daemon_has_gone(
    snap_compare: Snap, make_app: MakeApp, shed: Served, size: tuple[int, int]
) -> None:
    async def go(pilot: Pilot[Any]) -> None:
        await _open("run", str(LIVING))(pilot)
        shed.stop()
        app = pilot.app
        assert isinstance(app, ShedApp)
        await until(lambda: app.cut is not None and "no daemon is running" in app.cut.what)
        pilot.app.screen.query_one(Notice).hush()  # it names a temporary folder
        await settle(pilot)

    assert snap_compare(make_app("runs"), terminal_size=size, run_before=go)
