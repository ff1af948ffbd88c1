"""Boxes over a screen."""

from __future__ import annotations

from textual.widgets import Input

from tests.unit.ui.acting import press, settle
from tests.unit.ui.conftest import MakeApp, Served
from tui.box import Box
from tui.failure import Failure
from tui.plan import PlanBox


async def test_tab_goes_from_cancel_to_the_button_and_to_the_field_and_stays_in_the_box(make_app: MakeApp) -> None:
    app = make_app("overview")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "tab", "tab", "tab", "S")
        assert app.focused is not None
        assert app.focused.id == "cancel"
        await press(pilot, "tab")
        assert app.focused.id == "do"
        await press(pilot, "tab")
        assert isinstance(app.focused, Input)
        await press(pilot, "tab")
        assert app.focused.id == "cancel"


async def test_what_was_left_does_nothing_any_more_and_enter_twice_does_it_once(
    make_app: MakeApp, shed: Served
) -> None:
    app = make_app("runs")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        app.obey("filter state=running")
        await settle(pilot)
        before = shed.record.revision
        await press(pilot, "K", "y")
        for key in ("escape", "enter", "enter"):  # faster than the box can go away
            app.simulate_key(key)
        await settle(pilot)
        await press(pilot, "escape", "escape")
        assert shed.record.revision == before
        await press(pilot, "K", "y")
        app.simulate_key("enter")
        app.simulate_key("enter")
        await settle(pilot)
        assert shed.record.revision == before + 1


async def test_a_box_that_is_open_fits_a_terminal_that_becomes_smaller(make_app: MakeApp) -> None:
    app = make_app("runs")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "K")
        await pilot.resize_terminal(100, 24)
        await settle(pilot)
        await pilot.resize_terminal(80, 24)
        await settle(pilot)
        box = app.screen.query_one("#plan").region
        assert box.right <= 80
        assert box.bottom <= 24


async def test_of_two_boxes_that_are_opened_at_once_the_first_is_shown(make_app: MakeApp) -> None:
    app = make_app("runs")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        first, second = Box[None](id="plan"), Box[None](id="plan")
        app.open_box(first)
        app.open_box(second)
        await settle(pilot)
        assert list(app.screen.query(Box)) == [first]


async def test_a_plan_that_has_lost_its_parts_already_takes_an_answer_and_a_size_without_harm(
    make_app: MakeApp,
) -> None:
    app = make_app("runs")
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await press(pilot, "K")
        box = app.screen.query_one(PlanBox)
        await box.remove_children()  # as it is on its way out, and while it is made anew
        box.focus_first()
        await pilot.resize_terminal(80, 24)
        box._refused(Failure("somebody was first", remedy="look again"))
        await settle(pilot)
        assert app.is_running
        box.close()
        await settle(pilot)
        assert not app.screen.query(Box)
