"""Experiments on screen: what their keys propose, from an endpoint and from their own screen."""

from __future__ import annotations

from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from store import comparisons
from tests.unit.ui import answering, trying
from tests.unit.ui.acting import press, settle, shown
from tests.unit.ui.conftest import MakeApp, Served
from tests.unit.ui.test_serving import plan, stand
from tests.unit.ui.trying import begin
from tui.app import ShedApp
from tui.commandline import change_command as command
from tui.failure import Usage
from tui.plan import PlanBox
from tui.rows.serving import endpoints_of
from tui.screens.experiment import ExperimentScreen
from tui.screens.parting import AskExperiment

pytestmark = pytest.mark.anyio
SETTINGS = {"metric": "correct", "window": "2d"}


async def open_it(pilot: Pilot[Any], name: str) -> ExperimentScreen:
    app = pilot.app
    assert isinstance(app, ShedApp)
    await settle(pilot)
    app.open("experiment", name)
    await settle(pilot)
    assert isinstance(app.screen, ExperimentScreen)
    return app.screen


async def test_x_on_an_endpoint_asks_and_shows_the_plan_with_cancel_focused(make_app: MakeApp, shed: Served) -> None:
    app = make_app("serving")
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, answering.CALM)
        await press(pilot, "X")
        assert "An experiment of late" in shown(pilot)
        app.screen.query_one(Input).value = "2 correct window=2d share=20% guardrail=errors=0.01"
        before = shed.record.revision
        await press(pilot, "enter")
        proposal = plan(pilot).proposal
        assert proposal.title == "Begin an experiment of late"
        assert proposal.typed == "late"
        assert app.focused is not None
        assert app.focused.id == "cancel"
        wanted = "trainshed experiment start late 2 --guardrail errors=0.01 --metric correct --window 2d --share 20%"
        assert proposal.command == wanted
        await press(pilot, "enter")  # on Cancel
        assert not app.screen.query(PlanBox)
        assert shed.record.revision == before


async def test_what_cannot_be_read_is_said_in_the_box(make_app: MakeApp) -> None:
    app = make_app("serving")
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, answering.CALM)
        await press(pilot, "X")
        app.screen.query_one(Input).value = "2 correct sometimes=yes"
        await press(pilot, "enter")
        assert "'sometimes' is no setting" in shown(pilot)


async def test_x_ends_the_one_that_runs_once_its_model_was_typed(make_app: MakeApp, shed: Served) -> None:
    begin(shed, name="fresh", version=2, settings=SETTINGS)
    app = make_app("serving")
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, answering.CALM)
        await press(pilot, "X")
        assert plan(pilot).proposal.title == "End the comparison of late"
        assert plan(pilot).proposal.command == "trainshed experiment stop fresh"
        await press(pilot, "escape")
        await open_it(pilot, "fresh")
        await press(pilot, "X")
        await press(pilot, "tab", "tab", *"late", "enter")
        with shed.record.read() as session:
            assert comparisons.of_name(session, "fresh")[0].status == "stopped"
        assert "stopped" in shown(pilot)


async def test_d_opens_the_experiment_of_the_endpoint(make_app: MakeApp, shed: Served) -> None:
    app = make_app("serving")
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, answering.CALM)
        await press(pilot, "d")
        assert "late has no experiment: X plans to begin one" in shown(pilot)
        begin(shed, name="fresh", version=2, settings=SETTINGS)
        await press(pilot, "d")
        assert isinstance(app.screen, ExperimentScreen)
        text = shown(pilot)
        for words in ("v2 against v1", "running", "nobody has looked yet", "correct, higher is better"):
            assert words in text, words


async def test_p_plans_to_promote_the_version_that_is_tried(make_app: MakeApp, shed: Served) -> None:
    begin(shed, name="fresh", version=2, settings=SETTINGS)
    app = make_app("serving")
    async with app.run_test(size=(80, 24)) as pilot:
        await open_it(pilot, "fresh")
        await press(pilot, "P")
        assert plan(pilot).proposal.title == "Promote late v2 to production"
        assert plan(pilot).proposal.typed == "late"


async def test_one_that_has_ended_is_not_promoted_and_one_that_is_not_there_is_said_so(make_app: MakeApp) -> None:
    app = make_app("serving")
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_it(pilot, "nobody")
        assert "there is no experiment 'nobody'" in shown(pilot)
        assert screen.check_action("experiment", ()) is False
        screen.show(trying.LOST)
        await press(pilot, "P")
        assert not app.screen.query(PlanBox)


async def test_tab_shows_where_it_stands_and_the_picture_fits_when_the_screen_does_not(make_app: MakeApp) -> None:
    app = make_app("serving")
    async with app.run_test(size=(80, 24)) as pilot:
        screen = await open_it(pilot, "nobody")
        screen.show(trying.WON)
        await settle(pilot)
        assert "▔" in shown(pilot)
        await press(pilot, "tab")
        assert "✔ promote" in shown(pilot)
        await press(pilot, "tab")
        await pilot.resize_terminal(160, 45)
        await settle(pilot)
        text = shown(pilot)
        assert "▔" in text
        assert "✔ promote" in text


async def test_it_is_reached_by_its_name_and_told_of_the_past(make_app: MakeApp, shed: Served) -> None:
    begin(shed, name="fresh", version=2, settings=SETTINGS)
    app = make_app("overview")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        app.obey("experiment fresh")
        await settle(pilot)
        assert isinstance(app.screen, ExperimentScreen)
        app.past.show("11:30:05")
        await settle(pilot)
        assert "Of an experiment its intervals are kept over time" in shown(pilot)
        await press(pilot, "X")
        assert not app.screen.query(PlanBox)


def box() -> AskExperiment:
    return AskExperiment(endpoints_of(*answering.CALM)[0], ["fresh_model"])


def test_one_of_the_project_file_is_named_alone() -> None:
    change = box().read(["fresh_model"])
    assert (change.name, change.version) == ("fresh_model", None)
    assert command("late", change) == "trainshed experiment start fresh_model"


def test_settings_go_as_they_are_written() -> None:
    change = box().read(["v3", "revenue", "least_units=100", "guardrail=errors=0.005", "guardrail=latency_ms=5"])
    assert (change.name, change.version) == ("late_3", 3)
    assert change.settings == {
        "metric": "revenue",
        "least_units": "100",
        "guardrails": [{"metric": "errors", "margin": 0.005}, {"metric": "latency_ms", "margin": 5.0}],
    }


@pytest.mark.parametrize(
    "words",
    [[], ["fresh_model", "more"], ["Fresh"], ["3", "correct", "share"], ["3", "guardrail=errors"], ["3", "x=1"]],
)
def test_what_means_nothing_is_refused_with_what_there_is(words: list[str]) -> None:
    with pytest.raises(Usage):
        box().read(words)
