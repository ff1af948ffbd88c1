"""The plan box while a version goes into service: its phases, one after another."""

from __future__ import annotations

import threading

import pytest

from tests.unit.ui.acting import press, settle, shown, until
from tests.unit.ui.conftest import MakeApp, Served
from tui.client import Client
from tui.plan import PlanBox, Proposal
from tui.text import line

pytestmark = pytest.mark.anyio


async def test_the_box_shows_each_phase_as_the_daemon_tells_it(make_app: MakeApp, shed: Served) -> None:
    """The daemon is at it as long as the test wants."""
    go_on = threading.Semaphore(0)
    phases = shed.daemon.endpoints.phases

    def slowly(_: Client, __: str) -> str:
        with phases.of("late", 2):
            for phase in ("start", "verify", "compile"):
                phases.enter(phase)
                assert go_on.acquire(timeout=60)
        return "it answers"

    proposal = Proposal(title="Serve it", lines=[line("…")], command="true", commit=slowly, in_phases=True)
    app = make_app("models")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        app.propose(proposal)
        await settle(pilot)
        assert app.screen.query(PlanBox)
        await pilot.press("y", "enter")
        # What is asked for in time is shown; a phase may be over before that.
        for words in ("verified", "compiled"):
            go_on.release()
            await until(lambda words=words: "…       its" in shown(pilot) and words in shown(pilot))  # type: ignore[misc]
        assert "s a process that can compile is started" in shown(pilot)
        go_on.release()
        await settle(pilot)
        assert not app.screen.query(PlanBox)
        assert "it answers" in shown(pilot)


async def test_a_box_that_nobody_serves_asks_for_no_phases(make_app: MakeApp) -> None:
    app = make_app("models")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "P")
        assert not app.screen.query_one(PlanBox).proposal.in_phases
