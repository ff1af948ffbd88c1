"""Serving and one endpoint: what they say, and what their keys propose."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from store import servingsamples
from store.servingsamples import Counted
from store.wire import EndpointsView, ServingHistoryView
from tests.unit.ui import answering
from tests.unit.ui.acting import press, settle, shown
from tests.unit.ui.conftest import MakeApp, Served
from tests.unit.ui.moments import NOW
from tui.client import Client
from tui.plan import PlanBox
from tui.rows import traffic
from tui.rows.serving import Endpoint, state
from tui.screens.answers import Answers
from tui.screens.endpoint import EndpointScreen
from tui.table.column import Frame

pytestmark = pytest.mark.anyio
Found = tuple[EndpointsView, ServingHistoryView]


async def stand(pilot: Pilot[Any], found: Found) -> None:
    """The screen shows this, and reads nothing else."""
    await settle(pilot)
    screen = pilot.app.screen
    assert isinstance(screen, Answers)
    screen.rhythm.pause()
    screen.show(*found)
    await settle(pilot)


def plan(pilot: Pilot[Any]) -> PlanBox:
    return pilot.app.screen.query_one(PlanBox)


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (answering.OFF, ["nothing answers requests: S starts endpoints"]),
        (answering.STARTING, ["endpoints are being started, or their supervisor does not answer"]),
        (answering.DEAD, ["port 8080 is taken", "it is tried again", "serving.log has the last words"]),
        (answering.BROKEN, ["late v1 does not answer", "B goes back to v3", "its programs are compiled"]),
        (answering.CALM, ["http://127.0.0.1:8080, gRPC 127.0.0.1:8081", "● v1", "spare, warm", "✔ ready"]),
        (answering.PARTED, ["v1+", "canary"]),
    ],
    ids=["off", "starting", "dead", "broken", "calm", "parted"],
)
async def test_it_says_how_it_stands_and_what_to_do(make_app: MakeApp, found: Found, words: list[str]) -> None:
    async with make_app("serving").run_test(size=(80, 24)) as pilot:
        await stand(pilot, found)
        text = shown(pilot)
        for one in words:
            assert one in text, text


async def test_s_plans_to_start_what_is_in_production_and_then_to_stop_it(make_app: MakeApp, client: Client) -> None:
    app = make_app("serving")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "nothing answers requests" in shown(pilot)
        await press(pilot, "S")
        assert plan(pilot).proposal.title == "Start endpoints"
        assert "late v1" in shown(pilot)
        await press(pilot, "y", "enter")
        assert client.endpoints().wanted
        assert "endpoints are being started" in shown(pilot)
        await press(pilot, "S")
        assert plan(pilot).proposal.typed == "endpoints"
        await press(pilot, "tab", *"endpoints", "enter")
        assert not client.endpoints().wanted


async def test_enter_opens_the_endpoint_and_tab_goes_over_its_panes(make_app: MakeApp) -> None:
    app = make_app("serving")
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, answering.PARTED)
        await press(pilot, "enter")
        assert isinstance(app.screen, EndpointScreen)
        await stand(pilot, answering.PARTED)
        assert "Serving  ›  late" in shown(pilot)
        assert "v1 req/s" in shown(pilot)
        await press(pilot, "tab")
        text = shown(pilot)
        for words in ("control", "treatment", "stage  2 of 4", "waits", "412 of 500 requests", "shadow v2"):
            assert words in text, words
        await press(pilot, "tab", "escape")
        assert "processes" in shown(pilot)


def test_a_shadow_that_does_not_run_says_so_and_why() -> None:
    broken = answering.SHADOW.model_copy(update={"ready": False, "why_not": "golden.npz has changed"})
    lines = ["".join(cell.text for cell in one) for one in traffic.shadow(broken, Frame(NOW, UTC))]
    assert lines[0].startswith("shadow v2  ✘ does not run")
    assert lines[1] == "  it gets no copies: golden.npz has changed"
    listed = state(Endpoint("late", answering.endpoint(shadow=broken), ()))
    assert listed.text == "! shadow v2 does not run: golden.npz has changed"


async def test_what_was_done_to_its_versions_is_on_the_screen_of_an_endpoint(make_app: MakeApp) -> None:
    app = make_app("serving")
    async with app.run_test(size=(160, 45)) as pilot:
        await settle(pilot)
        app.open("endpoint", "late")
        await settle(pilot)
        assert "alias.promote" in shown(pilot)
        assert "version.added" in shown(pilot)
        app.open("endpoint", "ate")  # late ends like it
        await settle(pilot)
        assert "nothing has happened to it yet" in shown(pilot)


async def test_w_asks_for_shares_and_says_what_cannot_be_read(make_app: MakeApp) -> None:
    app = make_app("serving")
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, answering.CALM)
        await press(pilot, "W")
        assert "now: v1 100%" in shown(pilot)
        await press(pilot, *"2x", "enter")
        assert "'2x' is no VERSION=SHARE" in shown(pilot)
        app.screen.query_one(Input).value = "2=10%"
        await press(pilot, "enter")
        assert plan(pilot).proposal.title == "Part the traffic of late"
        assert plan(pilot).proposal.typed == "late"
        assert app.focused is not None
        assert app.focused.id == "cancel"


async def test_c_asks_which_version_goes_up_and_ends_the_canary_that_runs(make_app: MakeApp) -> None:
    app = make_app("serving")
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, answering.CALM)
        await press(pilot, "C", "2", "enter")
        assert plan(pilot).proposal.command.startswith("trainshed canary late 2")
        await press(pilot, "escape")
        await stand(pilot, answering.PARTED)
        await press(pilot, "C")
        assert "✘" in shown(pilot)  # what stands still here is not in the record, and the daemon says so
        assert not app.screen.query(PlanBox)


async def test_h_asks_who_gets_copies_and_how_many(make_app: MakeApp) -> None:
    app = make_app("serving")
    async with app.run_test(size=(80, 24)) as pilot:
        await stand(pilot, answering.CALM)
        await press(pilot, "H")
        app.screen.query_one(Input).value = "2 10%"
        await press(pilot, "enter")
        assert plan(pilot).proposal.command == "trainshed shadow late 2 --share 10%"


async def test_h_looks_further_back(make_app: MakeApp) -> None:
    app = make_app("serving")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "h")
        assert "the last 6 hours" in shown(pilot)


async def test_at_a_time_in_the_past_it_shows_what_was_counted_then(make_app: MakeApp, shed: Served) -> None:
    shed.clock.back(minutes=30)
    counted = Counted(model="late", version=1, seconds=10.0, requests=70, rows=70, runs=70, latency=((9, 70),))
    with shed.record.transaction() as tx:
        servingsamples.add(tx, [counted])
    shed.clock.back(seconds=0)
    app = make_app("serving")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        app.past.show("11:30:05")
        await settle(pilot)
        text = shown(pilot)
        assert "these answered then" in text
        assert "late" in text
        await press(pilot, "S")
        assert not app.screen.query(PlanBox)
