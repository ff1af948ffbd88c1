"""The machine room over the real API."""

from __future__ import annotations

from datetime import UTC, datetime

from store.wire import ProcessView, SystemView
from tests.unit.ui.acting import press, settle, shown
from tests.unit.ui.conftest import MakeApp
from tests.unit.ui.history import LIVING
from tui.client import Client
from tui.plan import PlanBox
from tui.screens.system import System


def _with_a_worker(view: SystemView) -> SystemView:
    worker = ProcessView(
        what="attempt",
        name="train:late",
        pid=4_711,
        run=LIVING,
        attempt=2,
        state="running",
        rss=1_200_000_000,
        cpu_percent=187.0,
        cpu_seconds=301.0,
        processes=3,
        started_at=datetime(2026, 6, 15, 11, 24, tzinfo=UTC),
    )
    return view.model_copy(update={"processes": [worker]})


async def test_it_shows_the_daemon_its_record_its_processes_and_what_can_be_taken(make_app: MakeApp) -> None:
    async with make_app("system").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        text = shown(pilot)
        for words in ("daemon   0.1.0, pid", "record", "there is none yet", "pool default", "network"):
            assert words in text, words


async def test_enter_on_a_process_opens_its_run_and_k_proposes_to_stop_it(make_app: MakeApp, client: Client) -> None:
    app = make_app("system")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        screen = app.screen
        assert isinstance(screen, System)
        screen._show(_with_a_worker(client.system()))
        await press(pilot, "K")
        assert app.screen.query_one(PlanBox).proposal.title == f"Stop run {LIVING}"
        await press(pilot, "escape", "enter")
        assert type(app.screen).__name__ == "RunScreen"


async def test_the_daemon_itself_cannot_be_stopped_from_here(make_app: MakeApp) -> None:
    app = make_app("system")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "K")
        assert not app.screen.query("Box")


async def test_d_shows_the_doctors_findings_the_worst_first_with_their_remedies(make_app: MakeApp) -> None:
    app = make_app("system")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "d")
        text = shown(pilot)
        assert "System  ›  doctor" in text
        assert "✔ ok" in text
        first_ok = text.index("✔ ok")
        assert "✘ broken" not in text[first_ok:]
