"""The list of runs over the real API."""

from __future__ import annotations

from store.wire import RunView
from tests.unit.ui.acting import press, settle, shown, until
from tests.unit.ui.conftest import MakeApp
from tui.pane import Pane
from tui.table import Table


async def test_runs_are_listed_newest_first_with_their_objective(make_app: MakeApp) -> None:
    app = make_app("runs")
    async with app.run_test(size=(160, 45)) as pilot:
        await settle(pilot)
        text = shown(pilot)
        print(text)
        assert "waits for a free slot" in text


async def test_the_facts_follow_the_cursor_once_it_lies_still_or_its_list_is_left(make_app: MakeApp) -> None:
    app = make_app("runs")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        table, facts = app.screen.query_one(Table), app.screen.query_one("#facts", Pane)
        first = said(facts)
        table.rest.seconds = 60.0
        for _ in range(5):  # a key that is held down
            app.simulate_key("j")
        await until(lambda: table.cursor == 5)
        await pilot.pause()
        assert said(facts) == first
        assert not app.idle
        table.rest.arrive()
        await settle(pilot)
        assert said(facts) == under_the_cursor(table)
        app.simulate_key("j")
        await pilot.pause()
        app.simulate_key("K")  # the focus goes into a box
        await settle(pilot)
        assert said(facts) == under_the_cursor(table)


def under_the_cursor(table: Table[RunView]) -> str:
    assert table.row is not None
    return f"run {table.row.id}"


def said(facts: Pane) -> str:
    """The run that a pane is about."""
    return facts.render_line(0).text.split("  ")[0].strip()


async def test_a_column_that_was_made_wider_is_as_wide_the_next_time(make_app: MakeApp) -> None:
    app = make_app("runs")
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        before = app.screen.query_one(Table)._placed[0].width
        await press(pilot, "right_curly_bracket")
        kept = app.widths
    again = make_app("runs", widths=kept)
    async with again.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        assert again.screen.query_one(Table)._placed[0].width == before + 2
