"""Boxes over a screen."""

from __future__ import annotations

from textual.widgets import Input

from tests.unit.ui.acting import press, settle
from tests.unit.ui.conftest import MakeApp


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
