"""The list of runs over the real API."""

from __future__ import annotations

from tests.unit.ui.acting import settle, shown
from tests.unit.ui.conftest import MakeApp


async def test_runs_are_listed_newest_first_with_their_objective(make_app: MakeApp) -> None:
    app = make_app("runs")
    async with app.run_test(size=(160, 45)) as pilot:
        await settle(pilot)
        text = shown(pilot)
        print(text)
        assert "waits for a free slot" in text
