"""What is on screen is so: after other screens, after an error, after the picture was held, whatever was filtered."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable
from typing import Any

import pytest
from textual.events import Key
from textual.keys import _character_to_key
from textual.pilot import Pilot
from textual.widgets import Input

from store import events
from store.wire import RunRequest
from tests.unit.ui import alarming
from tests.unit.ui.acting import press, settle, shown, until
from tests.unit.ui.conftest import MakeApp, Served
from tests.unit.ui.shop import no_file
from tui.bars.notice import Notice
from tui.charts.widget import Curves
from tui.client import Client
from tui.pane import Pane
from tui.screens.alerts import Alerts
from tui.screens.compare import Compare
from tui.screens.doctor import DoctorScreen
from tui.screens.events import Events
from tui.screens.run import RunScreen
from tui.screens.runs import Runs
from tui.table import Table
from tui.text import line

pytestmark = pytest.mark.anyio
LISTS = ["overview", "runs", "models", "data", "serving", "drift", "jobs", "system", "events", "alerts"]


def top_line(pilot: Pilot[Any]) -> str:
    return shown(pilot).split("\n")[0]


async def type_filter(pilot: Pilot[Any], text: str) -> None:
    await press(pilot, "slash")
    pilot.app.screen.query_one(Input).value = text
    await settle(pilot)


async def goes_on(client: Client, heard: Callable[[], object]) -> int:
    """A run is asked for; its number, once the UI has heard of it."""
    run = client.submit(RunRequest(job="etl:orders"))
    await until(lambda: bool(heard()))
    return run.id


# ---- filters ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", LISTS)
async def test_a_filter_that_means_nothing_is_told_with_its_remedy(make_app: MakeApp, mode: str) -> None:
    """In lists that are filtered here it ended the UI; in those of the daemon all rows stood as if they fitted."""
    async with make_app(mode).run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        if not pilot.app.screen.query_one(Table).pages.total:
            pytest.skip("nothing stands in it that could be filtered")
        await type_filter(pilot, "<5")
        assert "<5 compares nothing that has a name" in shown(pilot)
        assert "write a field or a metric before the sign" in shown(pilot)
        pilot.app.screen.query_one(Input).value = ""
        await settle(pilot)
        assert "compares nothing" not in shown(pilot)


async def test_a_filter_in_a_box_that_means_nothing_does_not_end_the_ui(make_app: MakeApp) -> None:
    async with make_app("runs").run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await press(pilot, "question_mark")
        await type_filter(pilot, 'a"b')
        assert "goes on after its end" in shown(pilot)


async def test_what_is_said_of_a_filter_stands_above_the_line_that_it_is_typed_into(make_app: MakeApp) -> None:
    async with make_app("jobs").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await type_filter(pilot, "<5")
        assert "quote what is searched" in " ".join(shown(pilot).split())
        assert shown(pilot).rstrip().endswith("<5")
        await press(pilot, "enter")
        assert not pilot.app.screen.query_one(Notice).has_class("-above")


async def test_a_list_of_which_rows_are_left_out_says_so_on_the_first_line(make_app: MakeApp) -> None:
    """Whoever came back saw two failed runs, and took them for all there are."""
    async with make_app("runs").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "exclamation_mark")
        assert "Runs  ›  /state=failed,lost" in top_line(pilot)
        await press(pilot, "escape")
        assert "/" not in top_line(pilot)
        await press(pilot, "7")
        await type_filter(pilot, "train")
        await press(pilot, "enter")
        assert "Jobs  ›  /train" in top_line(pilot)


async def test_a_sample_that_was_sorted_by_a_column_is_shown_of_a_version_without_it(make_app: MakeApp) -> None:
    """The column by which it was sorted was looked for in vain, which ended the UI."""
    app = make_app("data")
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        app.open("dataset", "orders", "sample")
        await settle(pilot)
        table = app.screen.query_one("#list-sample", Table)
        await press(pilot, "o")
        assert table.query_.sort
        table.reshape(table.columns[1:])
        table.show(table.source.rows)  # type: ignore[attr-defined]
        await settle(pilot)
        assert table.pages.total


# ---- where keys lead -------------------------------------------------------------------------------------------------


async def test_e_leads_to_the_events_of_a_run_that_was_opened_from_the_history(make_app: MakeApp) -> None:
    app = make_app("events")
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        app.open("run", "8")
        await settle(pilot)
        await press(pilot, "e")
        assert isinstance(app.screen, Events)
        assert app.screen.table.query_.filter == 'subject="run 8"'


@pytest.mark.parametrize("start", ["alerts", "runs"])
async def test_x_leads_from_a_monitor_to_its_alerts_though_one_is_open_there(
    make_watched: MakeApp, watched: Served, start: str
) -> None:
    """The columns of the monitor, or what had happened to the alert, were filtered by its name instead."""
    alarming.write(watched)
    app = make_watched("alerts")
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await press(pilot, "enter")
        app.go_to(start)
        await settle(pilot)
        app.open("monitor", "late")
        await settle(pilot)
        await press(pilot, "x")
        await until(lambda: isinstance(app.screen, Alerts) and bool(app.screen.filter))
        assert app.screen.query_one(Table).query_.filter == "source=monitor:late"


async def test_the_number_of_a_screen_leads_back_to_it_from_what_was_opened_there(make_app: MakeApp) -> None:
    app = make_app("runs")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "enter", "l", "2")
        assert isinstance(app.screen, Runs)
        await press(pilot, "enter", "7", "2")
        assert isinstance(app.screen, RunScreen), "from another screen it is as it was left"


async def test_what_is_typed_faster_than_the_line_for_it_comes_is_typed_into_it(make_app: MakeApp) -> None:
    """Its letters were the keys of the list: `/late` opened the log of a run, over a slow link or on a busy box."""
    app = make_app("runs")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        for key in "/late 8":
            app.post_message(Key(_character_to_key(key), key))
        await settle(pilot)
        assert isinstance(app.screen, Runs)
        assert app.screen.query_one(Input).value == "late 8"
        await press(pilot, "enter")
        assert app.screen.query_one(Table).query_.filter == "late 8"
        for key in ":at 12:00":
            app.post_message(Key(_character_to_key(key), key))
        await settle(pilot)
        assert app.screen.query_one(Input).value == "at 12:00"


async def test_enter_on_an_event_of_endpoints_leads_to_serving(make_app: MakeApp, shed: Served) -> None:
    with shed.record.transaction() as tx:
        events.append(tx, actor="ann", kind="endpoint.started", subject="endpoints", message="they answer")
    app = make_app("events")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "enter")
        assert app.current_mode == "serving"


async def test_why_a_run_failed_and_what_to_do_is_read_in_full_on_a_narrow_screen(make_app: MakeApp) -> None:
    """Its head has a line for both, which was cut before the remedy; and there is no pane beside the list."""
    app = make_app("runs")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        app.open("run", "11")
        await settle(pilot)
        await until(lambda: "why it failed" in shown(pilot))
        assert no_file().remedy in " ".join(shown(pilot).split())


async def test_a_pane_that_had_news_while_it_was_hidden_shows_them_however_it_comes_to_be_seen(
    make_app: MakeApp,
) -> None:
    """Where its place was asked for before the layout that shows it, it never heard of its size, and stayed empty."""
    app = make_app("runs")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        app.open("run", "15")
        await settle(pilot)
        pane = app.screen.query_one("#about", Pane)
        assert not pane.region
        pane.show([line("the news")])
        for column in app.screen.query(".run-column"):
            column.styles.display = "block"
        pane.styles.display = "block"
        while not pane.region:
            await asyncio.sleep(0)
            app.screen._compositor.update_widgets({pane})  # as Textual does when there is news of a hidden part
        await settle(pilot)
        assert "the news" in shown(pilot)


async def test_what_is_drawn_over_the_day_has_no_steps_to_be_drawn_along(make_app: MakeApp) -> None:
    """`t` drew the requests of an endpoint along the seconds of the day, as steps, until the next figures came."""
    app = make_app("serving")
    async with app.run_test(size=(160, 45)) as pilot:
        await settle(pilot)
        app.open("endpoint", "late")
        await settle(pilot)
        rates = app.screen.query_one("#rates", Curves)
        rates.focus()
        await press(pilot, "t")
        assert rates.look.by_time


async def test_f_stays_with_the_newest_event_and_not_with_the_oldest(make_app: MakeApp) -> None:
    app = make_app("events")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "G", "f")
        assert app.screen.query_one(Table).cursor == 0


# ---- news ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["runs", "events"])
async def test_a_list_that_was_left_has_what_happened_meanwhile(make_app: MakeApp, client: Client, mode: str) -> None:
    """It stood there as it was left, a run that had failed since still running, until the next thing happened."""
    app = make_app(mode)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "8")
        run = await goes_on(client, lambda: any(screen._outdated for screen in app.open_screens()))
        app.go_to(mode)
        await settle(pilot)
        newest: Any = app.screen.query_one(Table).pages[0]
        assert run == newest.id if mode == "runs" else newest.subject == f"run {run}"


async def test_what_happened_while_the_picture_was_held_is_on_every_screen(make_app: MakeApp, client: Client) -> None:
    app = make_app("runs")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "8", "p")
        run = await goes_on(client, lambda: app.held_back)
        await press(pilot, "p", "2")
        newest: Any = app.screen.query_one(Table).pages[0]
        assert newest.id == run


async def test_rows_that_are_marked_up_to_the_cursor_are_those_in_between_though_newer_ones_came(
    make_app: MakeApp, client: Client
) -> None:
    app = make_app("runs")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "j", "space")
        table: Table[Any] = app.screen.query_one(Table)
        marked = table.marks.copy()
        run = await goes_on(client, lambda: table.pages[0] is not None and table.pages[0].id > 15)
        await settle(pilot)
        await press(pilot, "v")
        assert set(table.marks) == {run - 3, run - 2}
        assert set(marked) == {run - 2}


# ---- the past --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("typed", ["2030-01-01", "0001-01-01", "99999999d"])
async def test_a_time_of_which_nothing_is_known_is_refused(make_app: MakeApp, typed: str) -> None:
    """Of the year 1 the runs of today were shown, under `as of 1-01-01`."""
    app = make_app("runs")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        app.obey(f"at {typed}")
        await settle(pilot)
        assert app.moment is None
        assert typed in shown(pilot)


async def test_what_stands_as_it_is_now_says_so_in_the_past(make_app: MakeApp) -> None:
    app = make_app("runs")
    async with app.run_test(size=(120, 30)) as pilot:
        await settle(pilot)
        app.obey("at 11:30")
        await settle(pilot)
        app.push_screen(Compare([13, 7]))
        await settle(pilot)
        assert "Side by side, runs stand as they are now" in shown(pilot)
        app.push_screen(DoctorScreen())
        await settle(pilot)
        assert "The doctor looks at what is so now" in shown(pilot)


# ---- days ------------------------------------------------------------------------------------------------------------


async def test_a_screen_that_was_closed_is_let_go_of(make_app: MakeApp) -> None:
    """The application held every list and page that was ever opened, to restyle them: a log of a gigabyte too."""
    app = make_app("runs")
    async with app.run_test(size=(160, 45)) as pilot:
        await settle(pilot)
        for _ in range(3):
            app.open("run", "15")
            await settle(pilot)
            await press(pilot, "l", "escape", "escape")
        assert isinstance(app.screen, Runs)
        gc.collect()
        assert not [one for one in gc.get_objects() if isinstance(one, RunScreen)]
