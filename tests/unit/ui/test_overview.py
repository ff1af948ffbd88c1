"""The Overview: one screen that says whether anything is wrong, and what to press."""

from __future__ import annotations

from textual.widgets import Input

from tests.unit.ui.acting import press, settle, shown, until
from tests.unit.ui.conftest import MakeApp, Served
from tests.unit.ui.history import LIVING
from tui.client import Client
from tui.plan import PlanBox
from tui.screens.overview import Overview
from tui.screens.section import Section


async def test_at_80_by_24_it_shows_needs_production_what_runs_what_comes_and_the_box(make_app: MakeApp) -> None:
    async with make_app("overview").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        text = shown(pilot)
        for words in (
            "version 2 waits",
            "P promote",
            "auc 0.7521",
            "train:late        13       ▶ running",
            "nightly           Jun",
            "memory",
        ):
            assert words in text, words


async def test_when_nothing_needs_anybody_it_says_so_and_what_to_do_first(make_empty_app: MakeApp) -> None:
    async with make_empty_app("overview").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        text = shown(pilot)
        assert "✔ nothing needs you" in text
        assert "no version is in production yet: Models (3), P on a version" in text
        assert "nothing runs: Jobs (7) lists what can" in text


async def test_enter_opens_what_the_row_is_about(make_app: MakeApp) -> None:
    app = make_app("overview")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "enter")  # the table with a warning
        assert type(app.screen).__name__ == "DatasetScreen"
        await press(pilot, "escape", "j", "enter")  # the version that waits
        assert type(app.screen).__name__ == "VersionScreen"


async def test_p_on_a_version_that_waits_shows_its_plan_and_changes_nothing(make_app: MakeApp, client: Client) -> None:
    app = make_app("overview")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "j", "P")
        assert "Promote late v2 to production" in app.screen.query_one(PlanBox).proposal.title
        assert client.models()[0].aliases["production"] == 1


async def test_b_on_a_production_version_asks_the_daemon_for_the_way_back(make_app: MakeApp) -> None:
    app = make_app("overview")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "tab", "B")  # there was never another one
        assert app.screen.query(PlanBox) or "✘" in shown(pilot)


async def test_k_on_what_runs_proposes_to_stop_it_and_y_does(make_app: MakeApp, client: Client) -> None:
    app = make_app("overview")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "tab", "tab", "K")
        assert app.screen.query_one(PlanBox).proposal.title == f"Stop run {LIVING}"
        await press(pilot, "y", "enter")
        assert any(event.kind.startswith("run.cancel") for event in client.events(limit=3).items)


async def test_s_on_what_comes_pauses_it_with_a_reason(make_app: MakeApp, client: Client) -> None:
    app = make_app("overview")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "tab", "tab", "tab", "S")
        app.screen.query_one("#reason", Input).value = "the box is moved"
        await press(pilot, "y", "enter")
        paused = next(schedule for schedule in client.schedules() if schedule.name == "nightly")
        assert not paused.enabled
        assert "the box is moved" in paused.paused_reason
        assert "nothing is scheduled" in shown(pilot)
        assert app.done[-1][1] == "trainshed schedules pause nightly --reason 'the box is moved'"


async def test_t_on_what_comes_asks_how_and_shows_the_plan_with_its_command(make_app: MakeApp, client: Client) -> None:
    app = make_app("overview")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        newest = client.runs(limit=1).items[0].id
        await press(pilot, "tab", "tab", "tab", "T")
        app.screen.query_one("#settings", Input).value = "training.epochs=5"
        await press(pilot, "tab", "space", "enter")  # upstream, and on
        proposal = app.screen.query_one(PlanBox).proposal
        assert proposal.command == "trainshed run train:late --upstream --set training.epochs=5"
        assert client.runs(limit=1).items[0].id == newest
        await press(pilot, "y", "enter")
        assert client.runs(limit=1).items[0].id > newest


async def test_a_setting_that_cannot_be_read_is_refused_where_it_was_typed(make_app: MakeApp) -> None:
    app = make_app("overview")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "tab", "tab", "tab", "T")
        app.screen.query_one("#settings", Input).value = "epochs"
        await press(pilot, "enter")
        assert "'epochs' is not a setting" in shown(pilot)
        assert not app.screen.query(PlanBox)


async def test_only_keys_that_mean_something_on_the_row_are_there(make_app: MakeApp) -> None:
    app = make_app("overview")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "j")
        assert "P promote" in shown(pilot).split("\n")[-1]
        await press(pilot, "tab", "tab")
        last = shown(pilot).split("\n")[-1]
        assert "K stop" in last
        assert "promote" not in last


async def test_under_read_only_no_key_changes_anything(make_app: MakeApp) -> None:
    app = make_app("overview", read_only=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        for key in ("j", "P", "tab", "B", "tab", "K", "tab", "S", "T"):
            await press(pilot, key)
            assert not app.screen.query(PlanBox)
        assert "promote" not in shown(pilot).split("\n")[-1]


async def test_the_cursor_walks_from_one_list_into_the_next(make_app: MakeApp) -> None:
    app = make_app("overview")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        seen = [app.focused.id if app.focused else None]
        for _ in range(5):
            await press(pilot, "j")
            seen.append(app.focused.id if app.focused else None)
        assert seen == ["needs", "needs", "production", "running", "running", "next"]
        await press(pilot, "k")
        assert app.focused is not None
        assert app.focused.id == "running"


async def test_news_of_a_run_are_shown_without_a_key(make_app: MakeApp, shed: Served, client: Client) -> None:
    app = make_app("overview")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        client.pause("nightly", reason="news")
        await until(lambda: "nothing is scheduled" in shown(pilot))


async def test_a_daemon_that_is_not_there_is_said_with_its_remedy_and_found_when_it_comes(
    make_app: MakeApp, shed: Served
) -> None:
    away = shed.socket.rename(shed.socket.with_suffix(".away"))
    app = make_app("overview")
    async with app.run_test(size=(80, 24)) as pilot:
        await until(lambda: app.link.state == "cut")
        await pilot.pause()
        text = shown(pilot)
        assert "no daemon" in text.split("\n")[0]
        assert "trainshed up --detach" in text
        away.rename(shed.socket)
        await until(lambda: app.link.state == "live")
        await settle(pilot)
        assert "version 2 waits" in shown(pilot)


async def test_the_box_is_drawn_where_it_differs(make_app: MakeApp, client: Client) -> None:
    app = make_app("overview")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, Overview)
        view = client.box()
        history = client.box_history(points=10)
        screen._show_box((view.model_copy(update={"cpu_percent": 93.0, "cpu_count": 4}), history))
        await pilot.pause()
        assert "93% of 4" in shown(pilot)


async def test_wide_terminals_show_the_queue_and_the_latest_events_beside(make_app: MakeApp) -> None:
    app = make_app("overview")
    async with app.run_test(size=(160, 45)) as pilot:
        await settle(pilot)
        text = shown(pilot)
        assert "waits for a free slot" in text
        assert "attempt 2 of train:late is running" in text
        assert app.screen.query_one("#latest", Section).pages.total > 20
