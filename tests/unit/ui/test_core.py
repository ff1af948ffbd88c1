"""What holds on every screen: the table and its keys, boxes, commands, the link to the daemon, copies."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from textual.command import CommandList
from textual.pilot import Pilot

from store.wire import RunRequest
from tests.unit.ui.acting import press, settle, shown, until
from tests.unit.ui.conftest import MakeApp, Served
from tui.box import Box
from tui.client import Client
from tui.feed import RETRY_SECONDS
from tui.palette import ActionCommands, Palette
from tui.plan import PlanBox
from tui.screens.runs import Runs
from tui.table import Table

pytestmark = pytest.mark.anyio


def table(pilot: Pilot[Any]) -> Any:
    return pilot.app.screen.query(Table).first()


async def test_the_cursor_moves_by_the_keys_of_vi_and_of_everybody(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        total = table(pilot).pages.total
        assert total > 5
        for keys, place in (
            ("j", 1),
            ("down", 2),
            ("k", 1),
            ("G", total - 1),
            ("g", 0),
            ("end", total - 1),
            ("home", 0),
        ):
            await press(pilot, keys)
            assert table(pilot).cursor == place, keys


async def test_a_filter_narrows_with_each_letter_and_escape_shows_all_again(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        total = table(pilot).pages.total
        await press(pilot, "slash", *"state=failed")
        assert 0 < table(pilot).pages.total < total
        assert {run.state for run in table(pilot).pages.here(range(50))} == {"failed"}
        await press(pilot, "enter")
        assert pilot.app.screen.focused is table(pilot), "and the keys are the table's again"
        await press(pilot, "escape")
        assert table(pilot).pages.total == total


async def test_nothing_that_matches_is_said_with_the_way_out(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "slash", *"zzzz", "enter")
        assert "nothing matches zzzz" in shown(pilot)
        assert "Esc shows all again" in shown(pilot)


async def test_an_empty_shed_says_what_to_do_first(make_empty_app: MakeApp) -> None:
    async with make_empty_app().run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "nothing has run yet" in shown(pilot)
        assert "trainshed run JOB" in shown(pilot)


async def test_the_cursor_stays_on_its_run_when_newer_ones_come(make_app: MakeApp, client: Client) -> None:
    async with make_app().run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "j", "j")
        run = table(pilot).row.id
        total = table(pilot).pages.total
        client.submit(RunRequest(job="etl:orders"))
        await until(lambda: table(pilot).pages.total == total + 1)
        await settle(pilot)
        assert table(pilot).row.id == run
        assert table(pilot).cursor == 3


async def test_marks_are_made_one_by_one_and_by_range_and_taken_away(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "space", "j", "j", "v")
        assert len(table(pilot).marks) == 4
        assert shown(pilot).count("●") >= 4
        await press(pilot, "escape")
        assert not table(pilot).marks


async def test_sorting_goes_by_the_chosen_column_and_turns_round(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "o")
        ids = [run.id for run in table(pilot).pages.here(range(50))]
        assert ids == sorted(ids)
        assert "run↑" in shown(pilot)
        await press(pilot, "O")
        assert [run.id for run in table(pilot).pages.here(range(50))] == sorted(ids, reverse=True)


async def test_the_chosen_column_becomes_wider_and_narrower_and_the_others_make_room(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        list_ = table(pilot)
        job, why = (next(p for p in list_._placed if p.column.key == key) for key in ("job", "progress"))
        await press(pilot, "greater_than_sign", "greater_than_sign")
        await press(pilot, *["left_curly_bracket"] * 6)
        placed = {one.column.key: one for one in list_._placed}
        assert placed["job"].width == job.width - 12
        assert placed["progress"].x == why.x - 12
        assert "train…" in shown(pilot)
        await press(pilot, *["right_curly_bracket"] * 6)
        assert [one for one in list_._placed if one.column.key == "job"] == [job]


async def test_escape_takes_the_last_word_away_before_it_steps_back(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "enter")
        run = app.screen
        app.say("something happened")
        await press(pilot, "escape")
        assert app.screen is run
        assert "something happened" not in shown(pilot)
        await press(pilot, "escape")
        assert isinstance(app.screen, Runs)


async def test_no_key_gets_past_an_open_box(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "K")
        box = pilot.app.screen.query_one(PlanBox)
        before = table(pilot).cursor
        await press(pilot, "j", "G", "2", "T", "colon", "slash", "ctrl+t", "K", "R")
        assert list(pilot.app.screen.query(Box)) == [box]
        assert table(pilot).cursor == before
        await press(pilot, "escape")
        assert not pilot.app.screen.query(Box)
        assert pilot.app.screen.focused is table(pilot)


async def test_the_plan_box_has_cancel_in_focus_so_enter_changes_nothing(make_app: MakeApp, shed: Served) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        revision = shed.record.revision
        await press(pilot, "K", "enter")
        assert not app.screen.query(Box)
        assert shed.record.revision == revision


async def test_the_menu_of_actions_runs_the_one_that_is_chosen(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(80, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "question_mark", "slash", *"bottom", "enter", "enter")
        assert table(pilot).cursor == table(pilot).pages.total - 1


async def test_a_command_that_is_none_says_what_there_is(make_app: MakeApp) -> None:
    async with make_app().run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "colon", *"frobnicate", "enter")
        assert "there is no command 'frobnicate'" in shown(pilot)
        assert "there are:" in shown(pilot)


async def test_a_command_changes_the_theme(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "colon", *"theme light", "enter")
        assert app.theme == "light"


async def test_when_the_daemon_goes_the_screen_says_since_when_and_keeps_what_it_shows(
    make_app: MakeApp, shed: Served
) -> None:
    app = make_app()
    async with app.run_test(size=(100, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "j", "j")
        before = table(pilot).row
        shed.stop()
        await until(lambda: app.link.state == "cut")
        await pilot.pause()
        await until(lambda: "trainshed up --detach" in shown(pilot))
        assert "no daemon, as of" in shown(pilot)
        assert table(pilot).row == before


async def test_that_the_daemon_is_away_is_said_once_and_escape_takes_it_away(make_app: MakeApp, shed: Served) -> None:
    app = make_app()
    async with app.run_test(size=(100, 24)) as pilot:
        await settle(pilot)
        shed.stop()
        await until(lambda: app.cut is not None and "no daemon is running" in app.cut.what)
        await settle(pilot)
        assert "trainshed up --detach" in shown(pilot)
        await press(pilot, "escape")
        await asyncio.sleep(3 * RETRY_SECONDS)
        assert "trainshed up --detach" not in shown(pilot)


async def test_without_a_daemon_the_ui_opens_and_says_how_to_start_one(make_app: MakeApp, shed: Served) -> None:
    shed.stop()
    app = make_app()
    async with app.run_test(size=(100, 24)) as pilot:
        await until(lambda: app.link.state == "cut")
        await pilot.pause()
        assert "no daemon is running here" in shown(pilot)
        assert "trainshed up --detach" in shown(pilot)


async def test_read_only_leaves_nothing_that_could_change_anything(make_app: MakeApp) -> None:
    async with make_app(read_only=True).run_test(size=(100, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "K", "R")
        assert not pilot.app.screen.query(Box)
        assert "read only" in shown(pilot)
        assert "stop" not in shown(pilot).splitlines()[-1]


async def test_a_key_can_be_another_one(make_app: MakeApp) -> None:
    async with make_app(keys={"list.bottom": "e"}).run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "e")
        assert table(pilot).cursor == table(pilot).pages.total - 1


async def test_the_row_is_copied_to_a_file_where_the_terminal_cannot_take_it(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        app.copy("x" * 100_000, "much")
        await pilot.pause()
        assert "much is in" in shown(pilot)
        assert [len(file.read_text()) for file in app._copies.iterdir()] == [100_000]


async def test_held_the_picture_stays_and_let_go_it_is_up_to_date(make_app: MakeApp, client: Client) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        total = table(pilot).pages.total
        await press(pilot, "p")
        client.submit(RunRequest(job="etl:orders"))
        await until(lambda: app.held_back)
        assert table(pilot).pages.total == total
        await press(pilot, "p")
        assert table(pilot).pages.total == total + 1


async def test_moving_to_another_mode_and_back_keeps_filter_and_cursor(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "slash", *"succeeded", "enter", "j")
        runs = app.screen
        assert isinstance(runs, Runs)
        for mode in [mode for mode in app.MODES if mode != "runs"][:1]:
            app.go_to(mode)
            await settle(pilot)
            await press(pilot, "minus")
        assert app.screen is runs
        assert (table(pilot).query_.filter, table(pilot).cursor) == ("succeeded", 1)


FIRST_PICTURE = """
import sys
from pathlib import Path
from textual.drivers.headless_driver import HeadlessDriver
from tui.app import ShedApp
from tui.failure import NoDaemon
from tui.glass.driver import Sparing
from tui.settings import UiSettings

class Carrying(HeadlessDriver):
    is_headless = False

    def write(self, data):
        if "Overview" in data:
            print([name for name in sys.argv[1:] if name in sys.modules], file=sys.__stdout__)
            app.exit()

    def flush(self):
        pass

class Tapped(Sparing, Carrying):
    pass

def connect():
    import httpx
    raise NoDaemon("no daemon", remedy="start it")

app = ShedApp(connect=connect, title="shop", settings=UiSettings(), environ={}, copies=Path("/nowhere"))
app.driver_class = Tapped
app.run(size=(120, 40))
"""


@pytest.mark.slow
def test_the_ui_loads_nothing_heavy_before_its_first_picture() -> None:
    import subprocess
    import sys

    heavy = "jax flax orbax sqlmodel sqlalchemy httpx numpy pyarrow polars pydantic scipy duckdb"
    command = [sys.executable, "-P", "-c", FIRST_PICTURE, *heavy.split()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[:1] == ["[]"]


@pytest.mark.parametrize("key", ["pagedown", "pageup", "down", "enter"])
async def test_keys_struck_before_the_palette_has_found_anything_do_nothing(make_app: MakeApp, key: str) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        for _ in range(5):
            app.simulate_key("ctrl+p")
            for _ in range(8):
                app.simulate_key(key)
                await asyncio.sleep(0.002)
            app.simulate_key("escape")
            await settle(pilot)


async def test_a_search_that_ends_while_the_palette_is_closed_does_no_harm(make_app: MakeApp) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        palette = Palette(providers=[ActionCommands])
        await app.push_screen(palette)
        found = palette.query_one(CommandList)
        await until(lambda: found.has_class("--visible"))
        app.simulate_key("escape")
        while palette.query(CommandList):
            await asyncio.sleep(0)
        palette._refresh_command_list(found, [], True)  # as a search says at its end that nothing matches
        palette._show_busy = not palette._show_busy
        palette._gather_commands("z")  # for a letter that was on its way
        await settle(pilot)
        assert app.screen is not palette


@pytest.mark.parametrize("kind", [("run", "15"), ("model", "late"), ("version", "late", "2"), ("dataset", "orders")])
async def test_a_screen_that_is_left_while_it_opens_is_gone_once_it_stands(
    make_app: MakeApp, kind: tuple[str, ...]
) -> None:
    app = make_app()
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        app.open(*kind)
        app.action_step_back()
        await settle(pilot)
        await until(lambda: len(app.screen_stack) == 1)
