"""Drift and one monitor: what they say of columns and answers, and what their keys propose, open and draw."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot

from daemon.definitions import sync
from store import watching as record
from store.queue import NewRun, submit
from tests.unit.ui import watching
from tests.unit.ui.acting import press, settle, shown, until
from tests.unit.ui.conftest import MakeApp, Served
from tui.client import Client
from tui.pane import Pane
from tui.plan import PlanBox
from tui.screens.monitor import MonitorScreen
from tui.table import Table
from tui.text import plain

pytestmark = pytest.mark.anyio


async def standing(pilot: Pilot[Any], column: str = "") -> MonitorScreen:
    """The screen of the monitor `late`; its distributions have been read: to read one starts a process."""
    await settle(pilot)
    screen = MonitorScreen("late", column)
    watching.read_already(screen.shapes)
    pilot.app.push_screen(screen)
    await settle(pilot)
    return screen


async def test_each_monitor_stands_with_the_columns_that_moved_and_says_why(make_watched: MakeApp) -> None:
    async with make_watched("drift").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        text = shown(pilot)
        late = next(line for line in text.split("\n") if "late" in line and "drifted" in line)
        assert "███" in late
        assert "auc 0.7013" in late
        amount = next(line for line in text.split("\n") if "amount" in line and "drifted" in line)
        assert "psi 0.31 ≥ 0.2" in amount
        assert "… 9 more" in text
        assert "· unseen" in next(line for line in text.split("\n") if "fresh" in line)
        assert "1 of 12 columns has drifted: amount" in text
        await press(pilot, "j")
        assert "its mean went from 18.2 to 24.9" in " ".join(shown(pilot).split())


async def test_what_is_longer_than_its_pane_is_wrapped_beside_the_bar_to_scroll_with(make_watched: MakeApp) -> None:
    async with make_watched("drift").run_test(size=(160, 16)) as pilot:
        await settle(pilot)
        pane = pilot.app.screen.query_one("#facts", Pane)
        assert pane.show_vertical_scrollbar
        room = pane.scrollable_content_region.width
        assert room < pane.content_region.width
        assert max(len(plain([one])) for one in pane._wrapped) <= room


async def test_only_faults_and_a_filter_leave_what_drifted(make_watched: MakeApp) -> None:
    app = make_watched("drift")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "exclamation_mark")
        assert app.screen.query_one(Table).pages.total == 2
        app.obey("filter name~orders")
        await settle(pilot)
        assert "late" not in shown(pilot).split("\n")[2]


async def test_enter_on_a_column_opens_its_monitor_there(make_watched: MakeApp) -> None:
    app = make_watched("drift")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "j", "j", "enter")
        screen = app.screen
        assert isinstance(screen, MonitorScreen)
        assert screen.column is not None
        assert screen.column.name == "orders_7d"
        text = shown(pilot)
        assert "Drift  ›  late" in text
        assert "missing of orders_7d" in text
        assert "v1 went live" in text


async def test_a_draws_another_measure_and_keeps_it_for_the_next_column(make_watched: MakeApp) -> None:
    app = make_watched("drift")
    async with app.run_test(size=(80, 24)) as pilot:
        await standing(pilot)
        assert "psi of amount" in shown(pilot)
        assert "limit 0.2" in shown(pilot)
        await press(pilot, "a", "j", "enter")
        assert "ks of amount" in shown(pilot)
        await press(pilot, "j")
        assert "ks of orders_7d" in shown(pilot)


async def test_tab_turns_the_panes_and_the_cursor_stays_until_enter_goes_in_and_escape_out(
    make_watched: MakeApp,
) -> None:
    app = make_watched("drift")
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await standing(pilot)
        for pane, words in {
            "distribution": ["% of the window", "% of the reference", "632 rows", "missing  1% before 0.4%"],
            "accuracy": ["auc by labels", "auc without", "when it was judged", "labelled", "so now -0.05"],
            "slices": ["kind = shop", "to all"],
            "service": ["p99 ms"],
            "findings": ["column coupon is gone", "amount has drifted"],
            "reports": ["none of 2 columns has drifted"],
        }.items():
            await press(pilot, "tab")
            assert screen.panes.here == pane
            assert screen.focused is screen.table
            for one in words:
                assert one in shown(pilot), (pane, one)
        await press(pilot, "enter")
        assert screen.focused is not screen.table
        await press(pilot, "escape")
        assert screen.focused is screen.table
        await press(pilot, "shift+tab")
        assert screen.panes.here == "findings"
        await press(pilot, "escape")
        assert not isinstance(app.screen, MonitorScreen)


async def test_comma_and_full_stop_walk_through_the_windows_and_all_panes_go_with_them(make_watched: MakeApp) -> None:
    async with make_watched("drift").run_test(size=(100, 30)) as pilot:
        screen = await standing(pilot)
        before = watching.amounts().model_copy(
            update={"start": watching.start(watching.WINDOWS - 2), "end": watching.start(watching.WINDOWS - 1)}
        )
        screen.shapes.keep(before.model_copy(update={"rows": 611}))
        await press(pilot, "tab")
        assert "632 rows, Jun 15 10:00 to 12:00" in shown(pilot)
        await press(pilot, "full_stop")
        assert "there is no newer window yet" in shown(pilot)
        await press(pilot, "comma")
        assert "1 window before the newest: Jun 15 08:00 to 10:00" in shown(pilot)
        assert "611 rows, Jun 15 08:00 to 10:00" in shown(pilot)
        assert "psi 0.25 ≥ 0.2" in shown(pilot)
        await press(pilot, *["comma"] * 4, "tab")
        assert "until 02:00:00" in shown(pilot)
        await press(pilot, "tab")
        assert "in the window until 02:00:00" in shown(pilot)
        await press(pilot, "tab", "tab", "tab", "tab")
        assert "┊ Jun 15 02:00" in shown(pilot)
        await press(pilot, *["full_stop"] * 5)
        assert "the newest window" in shown(pilot)
        assert "┊" not in shown(pilot)


async def test_a_window_that_is_looked_at_stays_when_a_newer_one_comes(make_watched: MakeApp, watched: Served) -> None:
    async with make_watched("drift").run_test(size=(100, 30)) as pilot:
        screen = await standing(pilot)
        await press(pilot, "comma", "comma")
        chosen, many = screen._windows[screen.place].start, len(screen._windows)
        newer = watching._late(range(watching.WINDOWS, watching.WINDOWS + 1))
        with watched.record.transaction() as tx:
            record.put_windows(tx, "late", newer)
        await until(lambda: len(screen._windows) > many)
        await settle(pilot)
        assert screen._windows[screen.place].start == chosen
        await press(pilot, *["comma"] * 60)
        assert screen.place == 0
        assert "there is no older window" in shown(pilot)


async def test_what_its_rule_decided_is_among_the_findings(make_watched: MakeApp) -> None:
    async with make_watched("drift").run_test(size=(160, 45)) as pilot:
        await standing(pilot)
        await press(pilot, *["tab"] * 4)
        text = shown(pilot)
        for words in ("what its rule decided", "1 of 2 reports in a row asks for it", "version 1 is 2 days old"):
            assert words in text, words


async def test_question_mark_says_why_it_alarmed_with_its_numbers(make_watched: MakeApp) -> None:
    async with make_watched("drift").run_test(size=(100, 30)) as pilot:
        await standing(pilot)
        await press(pilot, "question_mark")
        text = " ".join(shown(pilot).replace("│", " ").split())
        assert "psi 0.314 in the newest window, and in 3 of 3 windows at or above 0.2" in text
        assert "What is possible here" in text


async def test_t_plans_a_look_now_and_queues_it_when_confirmed(make_watched: MakeApp, watched: Served) -> None:
    app = make_watched("drift")
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await press(pilot, "T", "enter")
        box = app.screen.query_one(PlanBox)
        assert box.proposal.title == "Run monitor:late now"
        assert app.focused is not None
        assert app.focused.id == "cancel"
        await press(pilot, "y", "enter")
        with Client(watched.socket) as client:
            assert any(run.job == "monitor:late" for run in client.status().waiting)
        assert app.done[-1][1] == "trainshed run monitor:late"


async def test_s_pauses_the_schedule_by_which_it_looks(make_watched: MakeApp) -> None:
    app = make_watched("drift")
    async with app.run_test(size=(100, 30)) as pilot:
        await standing(pilot)
        await press(pilot, "S")
        assert app.screen.query_one(PlanBox).proposal.title == "Pause schedule monitor_late"
        await press(pilot, "y", "enter")
        assert "next look paused" in shown(pilot)


async def test_keys_lead_to_its_run_its_version_and_its_alerts(make_watched: MakeApp) -> None:
    app = make_watched("drift")
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await press(pilot, "l")
        assert "Drift  ›  Run 18" in shown(pilot)
        await press(pilot, "escape", "i")
        assert "Drift  ›  v1" in shown(pilot)
        await press(pilot, "escape", "x")
        assert app.current_mode == "alerts"
        assert app.screen.query_one(Table).query_.filter == "source=monitor:late"


async def test_it_can_be_named_after_a_colon_and_copied(make_watched: MakeApp) -> None:
    app = make_watched("overview")
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        app.obey("monitor orders")
        await settle(pilot)
        assert "Overview  ›  orders" in shown(pilot)
        await press(pilot, "Y")
        assert "trainshed monitors show orders --column" in shown(pilot)
        await press(pilot, "escape")
        app.obey("drift")
        await settle(pilot)
        assert "to its limits" in shown(pilot)


async def test_a_new_report_is_there_at_once(make_watched: MakeApp, watched: Served) -> None:
    app = make_watched("drift")
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        assert "fresh" in shown(pilot)
        with watched.record.transaction() as tx:
            job = NewRun(job="monitor:fresh", kind="monitor", target="fresh", trigger="manual", actor="ann")
            run = submit(tx, [job])[0]
            record.put_report(tx, run, watching._steady("orders", 0).model_copy(update={"monitor": "fresh"}))
        await until(lambda: "unseen" not in shown(pilot))


async def test_at_a_time_in_the_past_windows_and_verdict_are_those_of_then(make_watched: MakeApp) -> None:
    app = make_watched("drift")
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        app.past.show("2026-06-15 09:00")
        await settle(pilot)
        text = shown(pilot)
        assert "drifted" not in text.split("calm")[0]
        assert "none of 2 columns has drifted" in text
        assert "what a monitor is, from the file of now" in " ".join(text.split())
        await press(pilot, "T", "S")
        assert not app.screen.query("Box")
        app.past.show("2026-06-14 09:00")
        await settle(pilot)
        assert "unseen" in shown(pilot)


async def test_read_only_has_no_key_that_runs_or_pauses(make_watched: MakeApp) -> None:
    app = make_watched("drift", read_only=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "T", "S")
        assert not app.screen.query("Box")
        assert "look now" not in shown(pilot)


async def test_a_monitor_that_is_not_there_is_said_to_be_none(make_watched: MakeApp) -> None:
    app = make_watched("drift")
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        app.open("monitor", "lat")
        await settle(pilot)
        assert "there is no monitor 'lat'" in shown(pilot)
        assert "did you mean" in shown(pilot)


async def test_a_distribution_that_cannot_be_read_says_why(make_watched: MakeApp) -> None:
    """The versions of the tests' history have no files, so its profiles cannot be read."""
    app = make_watched("drift")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        app.open("monitor", "late")
        await settle(pilot)
        await press(pilot, "tab")
        assert "✘" in shown(pilot).split("distribution")[1]


async def test_a_project_without_monitors_says_how_to_have_one(make_empty_app: MakeApp, empty_shed: Served) -> None:
    with empty_shed.record.transaction() as tx:
        sync(tx, empty_shed.daemon.project, empty_shed.daemon.jobs)
    async with make_empty_app("drift").run_test(size=(100, 24)) as pilot:
        await settle(pilot)
        assert "[monitors.NAME] in trainshed.toml watches" in shown(pilot)
