"""Runs that retention has removed: screens that lead to one say so, lists let go of it."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text

from store import removal
from store.times import from_us
from tests.unit.ui.acting import press, settle, shown, until
from tests.unit.ui.conftest import MakeApp, Served
from tests.unit.ui.test_replay import _to as to
from tui.screens.run import RunScreen

DAY: Final = 86_400_000_000


def remove(shed: Served, *runs: int) -> None:
    with shed.record.transaction() as tx:
        removal.remove(tx, runs)
        removal.settle(tx, dict.fromkeys(runs, 1000))
        removal.tell(tx, "daemon", "daemon.keep_runs is 1d")


def ended_without_result(shed: Served) -> int:
    """The oldest run that made nothing for ever."""
    query = "SELECT min(id) FROM run WHERE ended_at IS NOT NULL AND id NOT IN (SELECT run FROM model_version)"
    with shed.record.read() as session:
        return int(session.connection().execute(text(query)).scalar() or 0)


async def test_the_screen_of_a_run_that_is_gone_says_when_it_was_removed(make_app: MakeApp, shed: Served) -> None:
    run = ended_without_result(shed)
    remove(shed, run)
    app = make_app("runs")
    async with app.run_test(size=(160, 40)) as pilot:
        await settle(pilot)
        app.open("run", str(run))
        await settle(pilot)
        words = shown(pilot)
        assert f"run {run} (" in words
        assert "was removed on 2026-06-15 by retention" in words
        await press(pilot, "i", "X", "R")  # what needs a run does nothing
        assert isinstance(app.screen, RunScreen)
        app.open("log", str(run))
        await settle(pilot)
        assert "was removed on 2026-06-15 by retention" in shown(pilot)


async def test_a_run_that_is_removed_while_it_is_shown_says_so(make_app: MakeApp, shed: Served) -> None:
    run = ended_without_result(shed)
    app = make_app("runs")
    async with app.run_test(size=(160, 40)) as pilot:
        await settle(pilot)
        app.open("run", str(run))
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, RunScreen)
        assert screen.detail is not None
        remove(shed, run)
        await until(lambda: screen.detail is None, "the screen goes on showing it")
        await settle(pilot)
        assert "was removed on 2026-06-15 by retention" in shown(pilot)


async def test_the_list_of_runs_lets_go_of_those_that_are_removed(make_app: MakeApp, shed: Served) -> None:
    run = ended_without_result(shed)
    app = make_app("runs")
    async with app.run_test(size=(160, 40)) as pilot:
        await settle(pilot)

        def numbers() -> list[int]:
            table = app.screen.table  # type: ignore[attr-defined]
            return [one.id for one in table.pages.here(range(table.pages.total or 0))]

        assert run in numbers()
        remove(shed, run)
        await until(lambda: run not in numbers(), "the list did not let go of it")


async def test_at_a_time_in_the_past_the_overview_says_how_many_runs_of_then_are_gone(
    make_app: MakeApp, shed: Served
) -> None:
    run = ended_without_result(shed)
    with shed.record.transaction() as tx:  # it ran for two days
        began = tx.now - 5 * DAY
        statement = text("UPDATE run SET created_at = :began, ended_at = :ended WHERE id = :run")
        tx.connection.execute(statement, {"began": began, "ended": began + 2 * DAY, "run": run})
    remove(shed, run)
    app = make_app("overview")
    async with app.run_test(size=(160, 40)) as pilot:
        await settle(pilot)
        await to(app, pilot, f"{from_us(began + DAY):%Y-%m-%d %H:%M}")
        assert "a run that ran or waited then was removed since by retention" in shown(pilot)
        await press(pilot, "escape")
        assert "removed since by retention" not in shown(pilot)
