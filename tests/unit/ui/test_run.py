"""One run on screen: curves that grow with the record, panes, keys that propose."""

from __future__ import annotations

import pytest

from store import metrics, progress, queue
from store.metrics import Chunk
from tests.unit.ui.acting import press, settle, shown, until
from tests.unit.ui.conftest import MakeApp, Served
from tests.unit.ui.history import LIVING
from tui.charts.widget import Curves
from tui.plan import PlanBox
from tui.screens.run import RunScreen


async def test_the_objective_is_drawn_first_with_everything_beside_it(make_app: MakeApp) -> None:
    app = make_app("runs")
    async with app.run_test(size=(160, 45)) as pilot:
        await settle(pilot)
        await press(pilot, "down", "down", "enter")
        text = shown(pilot)
    for words in (
        "▶ running",
        "● validation/auc 0.77",
        "CPU %",
        "memory MB",
        "step     1,200",
        "signal 9",
        "run.retry",
    ):
        assert words in text, words


async def test_new_points_lengthen_the_curve_without_reading_it_again(make_app: MakeApp, shed: Served) -> None:
    app = make_app("runs")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        app.open("run", str(LIVING))
        await settle(pilot)
        curves = pilot.app.screen.query_one("#curves", Curves)
        before = list(curves.curves[0].steps)
        with shed.record.transaction() as tx:
            metrics.add_points(tx, [Chunk(LIVING, tx.now, [1_500], {"validation/auc": [0.81]})])
            progress.report_progress(
                tx, LIVING, done=1_500, total=2_000, unit="steps", message="validation auc 0.81", eta_s=600.0
            )
        await until(lambda: len(curves.curves[0].steps) > len(before), "the curve did not grow")
        await settle(pilot)
        assert curves.curves[0].steps == [*before, 1_500]
        assert "1,500/2,000 steps" in shown(pilot)
        assert "validation/auc 0.81" in shown(pilot)


async def test_the_curves_are_chosen_from_a_list(make_app: MakeApp) -> None:
    app = make_app("runs")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        app.open("run", str(LIVING))
        await settle(pilot)
        # u takes the mark of the objective away; train/loss and validation/loss are marked instead
        await press(pilot, "a", "u", "down", "space", "down", "space", "enter")
        screen = pilot.app.screen
        assert isinstance(screen, RunScreen)
        assert screen.chosen == ["train/loss", "validation/loss"]
        assert "▲ validation/loss" in shown(pilot)


async def test_the_crosshair_log_scale_and_time_axis_are_keys(make_app: MakeApp) -> None:
    app = make_app("runs")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        app.open("run", str(LIVING))
        await settle(pilot)
        await press(pilot, "left", "left")
        assert "┊ step" in shown(pilot)
        await press(pilot, "s", "m", "t")
        curves = pilot.app.screen.query_one("#curves", Curves)
        assert (curves.look.log, curves.look.smooth, curves.look.by_time, curves.look.cross) == (True, 1, True, None)


async def test_a_narrow_screen_shows_one_pane_and_tab_the_next(make_app: MakeApp) -> None:
    app = make_app("runs")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        app.open("run", str(LIVING))
        await settle(pilot)
        assert "validation/auc" in shown(pilot)
        seen = []
        for _ in range(3):
            await press(pilot, "tab")
            seen.append(shown(pilot))
        assert "attempts" in seen[0]
        assert "memory MB" in seen[1]
        assert "run.queued" in seen[2]


async def test_a_run_without_metrics_opens_on_its_facts(make_app: MakeApp) -> None:
    app = make_app("runs")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        app.open("run", "5")
        await settle(pilot)
        assert "orders@1" in shown(pilot)


@pytest.mark.parametrize(("key", "run", "state"), [("K", LIVING, "running"), ("R", 8, "failed")])
async def test_what_changes_a_run_is_proposed_first(
    make_app: MakeApp, shed: Served, key: str, run: int, state: str
) -> None:
    app = make_app("runs")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        app.open("run", str(run))
        await settle(pilot)
        await press(pilot, key)
        assert pilot.app.screen.query(PlanBox)
        await press(pilot, "escape")
    with shed.record.read() as session:
        assert queue.get_run(session, run).state == state


async def test_lineage_leads_to_the_run_before(make_app: MakeApp) -> None:
    app = make_app("runs")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        app.open("run", "12")
        await settle(pilot)
        await press(pilot, "i", "enter")
        screen = pilot.app.screen
        assert isinstance(screen, RunScreen)
        assert screen.run_id == 11
