"""The history over the real API."""

from __future__ import annotations

from tests.unit.ui.acting import press, settle, shown, until
from tests.unit.ui.conftest import MakeApp
from tui.client import Client
from tui.rows import events as rows
from tui.screens.events import Events


async def test_the_newest_event_stands_first_and_in_full_below(make_app: MakeApp) -> None:
    async with make_app("events").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        lines = shown(pilot).split("\n")
        assert "run 15" in lines[2]
        assert any("nothing → queued" in line for line in lines)


async def test_beside_the_list_a_move_stands_as_before_and_after_with_its_reason(make_app: MakeApp) -> None:
    app = make_app("events")
    async with app.run_test(size=(120, 30)) as pilot:
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, Events)
        screen.only("late 1")
        await settle(pilot)
        text = shown(pilot)
        assert "nothing → 1" in text
        assert "the first that beats the baseline" in text
        assert 'Events  ›  /subject="late 1"' in text


async def test_a_filter_is_answered_by_the_daemon(make_app: MakeApp) -> None:
    app = make_app("events")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "slash", *"actor=bob", "enter")
        await until(lambda: "daemon" not in shown(pilot).split("\n")[3])
        assert "bob" in shown(pilot)


async def test_faults_are_one_key(make_app: MakeApp) -> None:
    app = make_app("events")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "exclamation_mark")
        text = shown(pilot)
        assert "etl:orders failed: orders.csv" in text
        assert "succeeded" not in text


async def test_enter_opens_what_an_event_is_about(make_app: MakeApp) -> None:
    app = make_app("events")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "enter")
        assert type(app.screen).__name__ == "RunScreen"


async def test_e_on_another_screen_shows_the_events_of_what_the_cursor_is_on(make_app: MakeApp) -> None:
    app = make_app("runs")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "j", "j", "e")
        text = shown(pilot)
        assert app.current_mode == "events"
        assert 'subject="run 13"' in text
        assert "attempt 2 of train:late is running" in text


async def test_a_new_event_comes_to_the_top_and_the_cursor_stays_on_its_own(make_app: MakeApp, client: Client) -> None:
    app = make_app("events")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "j")
        screen = app.screen
        assert isinstance(screen, Events)
        before = screen.table.row
        client.pause("nightly", reason="news")
        await until(lambda: "nightly is paused" in shown(pilot))
        await settle(pilot)
        assert screen.table.row == before


async def test_an_empty_history_says_so(make_empty_app: MakeApp) -> None:
    async with make_empty_app("events").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "nothing has happened yet" in shown(pilot)


def test_values_of_an_event_are_words() -> None:
    assert rows.said({"rows": 50_279, "inputs": ["a", "b"], "whole": True, "none": None}) == (
        "rows 50,279, inputs a, b, whole yes, none -"
    )
    assert rows.moved({"from": None, "to": 2}) == "nothing → 2"
