"""Data and one dataset: what they show, and the way through them by keyboard."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.unit.ui.acting import press, settle, shown
from tests.unit.ui.conftest import MakeApp
from tui.client import Client
from tui.screens.dataset import DatasetScreen
from tui.table import Table

pytestmark = pytest.mark.anyio


async def test_data_goes_from_sources_over_datasets_to_feature_views(make_app: MakeApp) -> None:
    async with make_app("data").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        table = pilot.app.screen.query_one(Table)
        assert [store.kind for store in table.pages.here(range(9))] == ["source", "dataset", "feature view"]
        text = shown(pilot)
    assert "orders@1" in text
    assert "50,279" in text
    assert "! 1 warn ✔ 1 pass" in text


async def test_what_a_table_is_made_from_and_who_uses_it_stands_beside_the_list(make_app: MakeApp) -> None:
    async with make_app("data").run_test(size=(160, 45)) as pilot:
        await settle(pilot)
        await press(pilot, "j")
        text = shown(pilot)
    assert "made from  orders" in text
    assert "used by    habits" in text


async def test_enter_on_a_source_opens_what_it_feeds(make_app: MakeApp) -> None:
    async with make_app("data").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "enter")
        assert isinstance(pilot.app.screen, DatasetScreen)
        assert "Data  ›  orders@1" in shown(pilot)


async def test_versions_say_what_came_what_went_and_how_the_schema_changed(make_app: MakeApp) -> None:
    async with make_app("data").run_test(size=(160, 45)) as pilot:
        await settle(pilot)
        await press(pilot, "j", "enter")
        text = shown(pilot)
    assert "+2,081" in text
    assert "-2" in text
    assert "61" in text
    assert "~ late: bool became int64" in text


async def test_h_shows_the_checks_with_rows_that_failed(make_app: MakeApp) -> None:
    async with make_app("data").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "j", "h", "j")
        text = shown(pilot)
    assert "range(amount)" in text
    assert "rows that failed" in text
    assert "amount -3.2" in text


async def test_a_column_is_profiled_under_the_list_of_columns(make_app: MakeApp) -> None:
    async with make_app("data").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "j", "enter", "tab", "j", "j", "j")
        text = shown(pilot)
    assert "amount  double" in text
    assert "14 of 50,279 rows" in text
    assert "-3.2 … 940.0" in text


async def test_the_panes_of_a_dataset_are_turned_by_tab(make_app: MakeApp) -> None:
    async with make_app("data").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "j", "enter")
        for words in ("distinct", "unique(id)", "no row was kept apart", "a001", "used by"):
            await press(pilot, "tab")
            assert words in shown(pilot)
        assert "late v2" in shown(pilot), "the model that was trained on it"


async def test_enter_on_an_older_version_looks_at_that_one(make_app: MakeApp) -> None:
    async with make_app("data").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "j", "enter", "j", "enter")
        assert "orders@0" in shown(pilot)


async def test_a_feature_view_says_entity_lifetime_and_features(make_app: MakeApp) -> None:
    async with make_app("data").run_test(size=(160, 45)) as pilot:
        await settle(pilot)
        await press(pilot, "G")
        text = shown(pilot)
    assert "entity" in text
    assert "customer" in text
    assert "2d" in text


async def test_the_past_shows_the_versions_that_were_made_until_then(make_app: MakeApp, client: Client) -> None:
    first = client.dataset_versions("orders").items[-1].at
    app = make_app("data")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        app.past.show((first + timedelta(seconds=30)).isoformat())
        await settle(pilot)
        assert "orders@0" in shown(pilot)
        await press(pilot, "g", "enter")
        table = pilot.app.screen.query_one("#list-versions", Table)
        assert [version.version for version in table.pages.here(range(5))] == [0]


async def test_a_dataset_that_was_never_made_says_which_job_makes_it(make_empty_app: MakeApp) -> None:
    async with make_empty_app("data").run_test(size=(160, 45)) as pilot:
        await settle(pilot)
        await press(pilot, "j")
        assert "it was never made" in shown(pilot)
        assert "`trainshed run etl:orders` makes it" in shown(pilot)
        await press(pilot, "enter")
        assert "no version yet" in shown(pilot)
