"""Models, versions and one version: what they show, and how an alias is moved by keyboard."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Input

from store import registry, versions
from store.wire import PromoteRequest
from tests.unit.ui.acting import press, settle, shown, until
from tests.unit.ui.conftest import MakeApp, Served
from tui.client import Client
from tui.plan import PlanBox
from tui.screens.version import VersionScreen
from tui.screens.versions import Versions
from tui.table import Table

pytestmark = pytest.mark.anyio


def live(client: Client) -> int:
    return client.models()[0].aliases["production"]


async def type_name(pilot: Pilot[Any], name: str = "late") -> None:
    """From Cancel over the reason to the name, and Enter."""
    await press(pilot, "tab", "tab", *name, "enter")


async def test_models_show_what_is_live_with_its_interval(make_app: MakeApp) -> None:
    async with make_app("models").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        text = shown(pilot)
    assert "● v1" in text
    assert "auc 0.7521 [" in text
    assert "candidate v2" in text


async def test_the_versions_of_the_model_stand_beside_it_where_there_is_room(make_app: MakeApp) -> None:
    async with make_app("models").run_test(size=(160, 45)) as pilot:
        await settle(pilot)
        assert "late: versions" in shown(pilot)
        beside = pilot.app.screen.query_one("#versions", Table)
        assert [version.version for version in beside.pages.here(range(5))] == [2, 1]


async def test_enter_goes_from_models_to_versions_to_the_version_and_escape_back(make_app: MakeApp) -> None:
    async with make_app("models").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "enter")
        assert isinstance(top(pilot), Versions)
        assert "aliases, newest move first" in shown(pilot)
        await press(pilot, "enter")
        assert isinstance(top(pilot), VersionScreen)
        assert "Models  ›  late  ›  v2" in shown(pilot)
        await press(pilot, "escape", "escape")
        assert "other aliases" in shown(pilot)


async def test_the_panes_of_a_version_are_turned_by_tab(make_app: MakeApp) -> None:
    async with make_app("models").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "enter", "enter")
        assert "test rows" in shown(pilot)
        for words in ("judged", "best step", "said", "slice", "it needs", "where it comes from", "candidate"):
            await press(pilot, "tab")
            assert words in shown(pilot)
        await press(pilot, "shift+tab")
        assert "training set" in shown(pilot)


async def test_lineage_leads_from_the_version_to_the_source(make_app: MakeApp) -> None:
    async with make_app("models").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "enter", "i")
        text = shown(pilot)
    assert "run 7" in text
    assert "orders@" in text
    assert "source orders" in text


async def test_a_promotion_shows_its_plan_and_needs_the_models_name(make_app: MakeApp, client: Client) -> None:
    async with make_app("models").run_test(size=(160, 45)) as pilot:
        await settle(pilot)
        await press(pilot, "P")
        text = shown(pilot)
        assert "Promote late v2 to production" in text
        assert "v1 → v2" in text
        assert "undo  trainshed rollback late --to 1" in text
        await press(pilot, "y", "enter")
        assert live(client) == 1, "y is not enough for production"
        await type_name(pilot, "early")
        assert live(client) == 1, "another name is not enough either"
        await press(pilot, "escape", "P")
        await type_name(pilot)
        await until(lambda: live(client) == 2)
        await until(lambda: "● v2" in shown(pilot))
        assert not pilot.app.screen.query(PlanBox)
        assert "production of late: v1 → v2; Z takes it back" in shown(pilot)


async def test_z_takes_the_last_move_back_by_a_plan_of_its_own(make_app: MakeApp, client: Client) -> None:
    async with make_app("models").run_test(size=(160, 45)) as pilot:
        await settle(pilot)
        await press(pilot, "Z")
        assert "nothing was done here that can be taken back" in shown(pilot)
        await press(pilot, "P")
        await type_name(pilot)
        await until(lambda: live(client) == 2)
        await press(pilot, "Z")
        assert "Roll production of late back to v1" in shown(pilot)
        await type_name(pilot)
        await until(lambda: live(client) == 1)
        await until(lambda: "● v1" in shown(pilot))


async def test_production_is_rolled_back_in_four_keys_and_the_name(make_app: MakeApp, client: Client) -> None:
    promote(client, 2)
    async with make_app("models").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "B")
        assert "Roll production of late back to v1" in shown(pilot)
        await type_name(pilot)
        await until(lambda: live(client) == 1)
    assert client.alias_history("late")[0].action == "rollback"


async def test_a_reason_that_was_given_stays_in_the_history(make_app: MakeApp, client: Client) -> None:
    async with make_app("models").run_test(size=(160, 45)) as pilot:
        await settle(pilot)
        await press(pilot, "P", "tab", *"hot", "tab", *"late", "enter")
        await until(lambda: live(client) == 2)
    assert client.alias_history("late")[0].reason == "hot"


async def test_there_is_nothing_to_confirm_where_the_version_is_live_already(make_app: MakeApp) -> None:
    async with make_app("models").run_test(size=(160, 45)) as pilot:
        await settle(pilot)
        await press(pilot, "enter", "j", "P")
        assert "production is version 1 already" in shown(pilot)
        assert not pilot.app.screen.query(Input)


async def test_of_two_operators_the_second_is_told_who_was_first_and_may_plan_anew(
    make_app: MakeApp, client: Client
) -> None:
    promote(client, 2)
    one, other = make_app("models"), make_app("models")
    async with one.run_test(size=(160, 45)) as first, other.run_test(size=(160, 45)) as second:
        await settle(first)
        await settle(second)
        await press(first, "B")  # both look at the plan v2 → v1
        await press(second, "B")
        await type_name(first)
        await until(lambda: live(client) == 1)
        await type_name(second)
        text = shown(second)
        assert "production of late is not at version 2 any more" in text
        assert client.alias_history("late")[0].actor in text, "the winner's name"
        assert "r makes the plan anew" in text
        assert live(client) == 1
        await press(second, "r")
        assert "v1 → v2" in shown(second)
        await type_name(second)
        await until(lambda: live(client) == 2)


async def test_a_promotion_by_a_plan_that_was_overtaken_is_refused(
    make_app: MakeApp, client: Client, shed: Served
) -> None:
    async with make_app("models").run_test(size=(160, 45)) as pilot:
        await settle(pilot)
        await press(pilot, "P")
        refuse(shed, 2)  # judged again, while the plan is on screen
        await type_name(pilot)
        assert "r makes the plan anew" in shown(pilot)
        assert live(client) == 1
        await press(pilot, "r")
        assert "the gates refuse it: gap" in shown(pilot)


async def test_an_override_needs_a_reason_and_says_that_it_is_shown_for_ever(
    make_app: MakeApp, client: Client, shed: Served
) -> None:
    refuse(shed, 2)
    async with make_app("models").run_test(size=(160, 45)) as pilot:
        await settle(pilot)
        await press(pilot, "P")
        text = shown(pilot)
        assert "the gates refuse it: gap" in text
        assert "shown for ever" in text
        await press(pilot, "tab", "tab", *"late", "enter")
        assert "a reason is needed" in shown(pilot)
        assert live(client) == 1
        await press(pilot, "escape", "P", "tab", *"leaks", "tab", *"late", "enter")
        await until(lambda: live(client) == 2)
    assert client.alias_history("late")[0].overridden


async def test_read_only_and_the_past_know_no_promotion(make_app: MakeApp, client: Client) -> None:
    async with make_app("models", read_only=True).run_test(size=(160, 45)) as pilot:
        await settle(pilot)
        await press(pilot, "P", "B", "Z")
        assert not pilot.app.screen.query(PlanBox)


async def test_the_past_shows_aliases_and_versions_as_they_were(make_app: MakeApp, client: Client) -> None:
    first = client.version("late", 1).version.created_at
    app = make_app("models")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        app.past.show((first + timedelta(seconds=30)).isoformat())
        await settle(pilot)
        text = shown(pilot)
        assert "○ -" in text, "version 1 was not promoted yet"
        assert "candidate" not in text
        await press(pilot, "enter")
        table = pilot.app.screen.query_one(Table)
        assert [version.version for version in table.pages.here(range(5))] == [1]
        assert "no alias has pointed here yet" in shown(pilot)


async def test_a_project_without_versions_says_what_to_do(make_empty_app: MakeApp) -> None:
    async with make_empty_app("models").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "auc -" in shown(pilot)
        await press(pilot, "P")
        assert "`trainshed run train:late` makes one" in shown(pilot)
        await press(pilot, "enter")
        assert "late has no version yet" in shown(pilot)


def top(pilot: Pilot[Any]) -> Screen[Any]:
    return pilot.app.screen


def promote(client: Client, version: int) -> None:
    client.promote("late", PromoteRequest(version=version, override=True, reason="for the test"))


def refuse(shed: Served, version: int) -> None:
    """The version was judged again, and a gate fails."""
    gap = {"gate": "gap", "outcome": "fail", "reason": "a gap of 40 %", "value": 0.4, "limit": 0.15}
    with shed.record.transaction() as tx:
        evidence = versions.get_version(tx.session, "late", version).evidence
        verdict = {"passed": False, "gates": [gap]}
        registry.set_verdict(tx, run=1, model="late", version=version, evidence=evidence, verdict=verdict)
