"""Runs side by side."""

from __future__ import annotations

from tests.unit.ui.acting import press, settle, shown, until
from tests.unit.ui.conftest import MakeApp, Served
from tui.charts.widget import Curves
from tui.client import Client
from tui.rows.compare import Row, better, cell, ordered, rows
from tui.screens.compare import Compare
from tui.table.column import Cell


def test_only_what_differs_has_a_row_and_the_baseline_comes_first(client: Client) -> None:
    found = client.compare([3, 7, 13])
    made = {row.name: row for row in rows(found, [7, 3, 13], "validation/auc", {}, everything=False)}
    assert made["training.seed"].values == (2, 1, 3)
    assert "training.batch" not in made
    assert "validation/auc, best" not in made, "it is not known yet"
    known = {3: (0.5, 0.74), 7: (0.5, 0.76), 13: (0.5, 0.77)}
    first = rows(found, [7, 3, 13], "validation/auc", known, everything=True)[0]
    assert (first.name, first.values) == ("validation/auc, best", (0.76, 0.74, 0.77))


def test_after_the_baseline_come_the_best_in_what_is_drawn_and_those_without_a_value_last(client: Client) -> None:
    found = client.compare([3, 7, 13]).model_copy(
        update={"metrics": {"validation/auc": [0.7, None, 0.8], "validation/loss": [0.5, 0.7, 0.6], "x": [1, 2, 3]}}
    )
    assert ordered(found, 3, "validation/auc") == [3, 13, 7]
    assert ordered(found, 7, "validation/auc") == [7, 13, 3]
    assert ordered(found, 7, "validation/loss") == [7, 3, 13], "less of it is better"
    assert ordered(found, 7, "x") == [7, 3, 13], "nobody can say: as they were chosen"
    assert ordered(found, 13, "nothing") == [13, 3, 7]


def test_a_metric_shows_its_difference_and_whether_that_is_good() -> None:
    row = Row("validation/loss", (0.5, 0.4, 0.6, None), True, better("validation/loss"))
    assert [cell(row, n) for n in range(4)] == [
        Cell("0.5", "strong"),
        Cell("0.4       -0.1", "good"),
        Cell("0.6       +0.1", "warn"),
        Cell("-", ""),
    ]
    assert better("train/learning_rate") == 0
    assert cell(Row("a", (1, 2), False), 1) == Cell("2", "mark")


async def test_marked_runs_are_laid_over_each_other(make_app: MakeApp) -> None:
    app = make_app("runs")
    async with app.run_test(size=(120, 36)) as pilot:
        await settle(pilot)
        # Runs 13 and 8 and 7, by marks from the top of the list; of the last two, 7 is the better one
        await press(pilot, "down", "down", "space", "down", "down", "down", "down", "space", "space", "c")
        screen = pilot.app.screen
        assert isinstance(screen, Compare)
        text = shown(pilot)
        assert all(words in text for words in ("● run 13", "▲ run 7", "■ run 8", "★ run 13 ▶", "training.seed"))
        await press(pilot, "asterisk")
        assert "★ run 8 ✘" in shown(pilot)
        await press(pilot, "d")
        assert "training.batch" not in shown(pilot), "what is the same in all is not sent"


async def test_enter_on_a_metric_draws_it(make_app: MakeApp) -> None:
    app = make_app("runs")
    async with app.run_test(size=(120, 36)) as pilot:
        await settle(pilot)
        app.push_screen(Compare([3, 7]))
        await settle(pilot)
        # Two rows of validation/auc, then train/loss: the learning rates end alike
        await press(pilot, "g", "down", "down", "enter")
        screen = pilot.app.screen
        assert isinstance(screen, Compare)
        assert screen.metric == "train/loss"
        assert len(screen.query_one("#overlay", Curves).curves[0].steps) > 100


async def test_fewer_than_two_runs_are_not_compared(make_app: MakeApp) -> None:
    app = make_app("runs")
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await press(pilot, "c")
        assert "mark two runs or more" in shown(pilot)


async def test_keys_of_a_table_whose_columns_are_still_asked_for_do_nothing(make_app: MakeApp, shed: Served) -> None:
    app = make_app("runs")
    async with app.run_test(size=(120, 36)) as pilot:
        await settle(pilot)
        shed.slow.holds = True
        app.push_screen(Compare([3, 7]))
        await until(lambda: not app.idle)
        await pilot.pause()
        for key in ("less_than_sign", "greater_than_sign", "right_curly_bracket", "left_curly_bracket", "o", "enter"):
            await pilot.press(key)
        shed.slow.holds = False
        await settle(pilot)
        assert "training.seed" in shown(pilot)
