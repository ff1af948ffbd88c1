"""Alerts and one of them: what they say, and what their keys propose and do."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import Input

from store import outbox
from store.alerts import acknowledge, observe
from store.times import to_us
from store.wire import NeedView
from tests.unit.ui import alarming
from tests.unit.ui.acting import press, settle, shown, until
from tests.unit.ui.conftest import MakeApp, Served
from tests.unit.ui.moments import NOW
from tui.client import Client
from tui.plan import PlanBox
from tui.screens.alert import AlertScreen
from tui.table import Table

pytestmark = pytest.mark.anyio


def plan(pilot: Pilot[Any]) -> PlanBox:
    return pilot.app.screen.query_one(PlanBox)


async def test_what_nobody_knows_of_comes_first_and_what_is_over_last(make_app: MakeApp, shed: Served) -> None:
    alarming.write(shed)
    async with make_app("alerts").run_test(size=(100, 24)) as pilot:
        await settle(pilot)
        rows = [line for line in shown(pilot).split("\n") if "critical" in line or "warning" in line or "info" in line]
        titles = ["auc of late", "amount has", "orders_7d has", "version 1 of late is old", "channel mail"]
        assert [title for row in rows for title in titles if title in row] == titles
        assert "✘ critical" in rows[0]
        assert "◐ acknowledged" in rows[2]
        assert "✔ resolved" in rows[4]


async def test_a_filter_and_the_key_of_faults_leave_what_is_wanted(make_app: MakeApp, shed: Served) -> None:
    alarming.write(shed)
    app = make_app("alerts")
    async with app.run_test(size=(100, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "exclamation_mark")
        assert app.screen.query_one(Table).pages.total == 3
        await press(pilot, "escape")
        app.obey("filter severity=critical state=open")
        await settle(pilot)
        assert app.screen.query_one(Table).pages.total == 1
        assert "auc of late" in shown(pilot)


async def test_a_acknowledges_with_a_note_behind_a_box_whose_cancel_has_the_focus(
    make_app: MakeApp, shed: Served, client: Client
) -> None:
    alarming.write(shed)
    number = alarming.number(shed, alarming.AUC)
    app = make_app("alerts")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "A")
        assert plan(pilot).proposal.title == f"Acknowledge alert {number}"
        assert app.focused is not None
        assert app.focused.id == "cancel"
        await press(pilot, "enter")
        assert client.alert(number).alert.state == "open"
        await press(pilot, "A", "tab", "tab")
        app.screen.query_one(Input).value = "tonight's training has it"
        await press(pilot, "enter", "enter")
        found = client.alert(number).alert
        assert (found.state, found.note) == ("acknowledged", "tonight's training has it")
        assert app.done[-1][1] == f"trainshed alerts ack {number} --note 'tonight'\"'\"'s training has it'"
        assert f"alert {number} is acknowledged" in shown(pilot)


async def test_what_is_marked_is_acknowledged_together(make_app: MakeApp, shed: Served, client: Client) -> None:
    alarming.write(shed)
    app = make_app("alerts")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "space", "space", "space", "A")
        assert plan(pilot).proposal.title == "Acknowledge 2 alerts"  # of the three one is acknowledged already
        assert "amount has drifted" in shown(pilot)
        await press(pilot, "y", "enter")
        assert all(alert.state == "acknowledged" for alert in client.alerts().items)
        numbers = [alarming.number(shed, found) for found in (alarming.AUC, alarming.AMOUNT)]
        assert app.done[-1][1] == f"trainshed alerts ack {numbers[0]} {numbers[1]}"


async def test_several_alerts_of_one_look_are_a_need_that_opens_the_list(make_app: MakeApp, shed: Served) -> None:
    alarming.write(shed)
    with shed.record.transaction() as tx:
        more = [replace(alarming.AMOUNT, subject=name, title=f"{name} has drifted") for name in ("a", "b")]
        observe(tx, "monitor:late", more, to_us(NOW), covered={}, policy=alarming.POLICY)
    app = make_app("overview")
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        table: Table[NeedView] = app.screen.query_one("#needs", Table)
        while table.row is not None and not table.row.subject.startswith("alerts of"):
            await press(pilot, "j")
        await press(pilot, "enter")
        assert app.current_mode == "alerts"


async def test_r_resolves_and_what_is_over_has_neither_key(make_app: MakeApp, shed: Served, client: Client) -> None:
    alarming.write(shed)
    number = alarming.number(shed, alarming.HABIT)
    app = make_app("alerts")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        app.open("alert", str(number))
        await settle(pilot)
        await press(pilot, "A")
        assert not app.screen.query(PlanBox), "it is acknowledged already"
        await press(pilot, "R", "y", "enter")
        found = client.alert(number).alert
        assert found.state == "resolved"
        assert app.done[-1][1] == f"trainshed alerts resolve {number}"
        assert "✔ resolved" in shown(pilot)
        await press(pilot, "R")
        assert not app.screen.query(PlanBox)


async def test_enter_opens_its_evidence_who_was_told_and_its_history(
    make_app: MakeApp, shed: Served, client: Client
) -> None:
    alarming.write(shed)
    app = make_app("alerts")
    async with app.run_test(size=(160, 45)) as pilot:
        await settle(pilot)
        await press(pilot, "enter")
        assert isinstance(app.screen, AlertScreen)
        text = shown(pilot)
        for words in (
            "Alerts  ›  alert",
            "0.041 below the 0.753",
            "→ train it again",
            "reference  0.753",
            "alert.opened",
        ):
            assert words in text, words
        assert "… is to be told" in text
        app.screen.show(alarming.told(client, alarming.number(shed, alarming.AUC)), [])
        await settle(pilot)
        assert "✘ given up" in shown(pilot)
        assert "! failed 2 times" in shown(pilot)


async def test_a_message_that_is_made_tried_and_sent_is_there_at_once(make_app: MakeApp, shed: Served) -> None:
    alarming.write(shed)
    app = make_app("alerts")
    async with app.run_test(size=(160, 45)) as pilot:
        await settle(pilot)
        await press(pilot, "enter")
        assert "… is to be told" in shown(pilot)
        with shed.record.transaction() as tx:
            waits = [one.id for one in outbox.waiting(tx.session, tx.now) if one.channel == "ops"]
            number = outbox.bind(tx, waits, "ops", "key", {"alerts": [], "more": 0}).id or 0
        with shed.record.transaction() as tx:
            outbox.failed(tx, number, "503 away", tx.now)
        await until(lambda: "! failed once" in shown(pilot))
        with shed.record.transaction() as tx:
            outbox.sent(tx, number)
        await until(lambda: "✔ sent" in shown(pilot))


async def test_question_mark_says_why_it_alarmed_with_its_numbers(make_app: MakeApp, shed: Served) -> None:
    alarming.write(shed)
    async with make_app("alerts").run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        await press(pilot, "question_mark")
        assert "0.041 below the 0.753" in shown(pilot)
        assert "What is possible here" in shown(pilot)


async def test_an_action_of_a_screen_that_was_left_meanwhile_is_not_done(make_app: MakeApp, shed: Served) -> None:
    """`?`, Enter and Esc in one moment: the pane that the menu would turn is gone."""
    alarming.write(shed)
    app = make_app("alerts")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "enter")
        left = app.screen
        await app.pop_screen()
        app.run_binding("screen.next_pane", left)
        await settle(pilot)
        assert app.crash_report is None
        assert "Alerts  ›  alert" not in shown(pilot)


async def test_the_overview_opens_an_alert_and_acknowledges_it(make_app: MakeApp, shed: Served) -> None:
    alarming.write(shed)
    app = make_app("overview")
    async with app.run_test(size=(100, 30)) as pilot:
        await settle(pilot)
        table: Table[NeedView] = app.screen.query_one("#needs", Table)
        while table.row is not None and not table.row.subject.startswith("alert"):
            await press(pilot, "j")
        assert table.row is not None
        subject = table.row.subject
        await press(pilot, "enter")
        assert isinstance(app.screen, AlertScreen)
        assert subject in shown(pilot)
        await press(pilot, "escape", "A")
        assert plan(pilot).proposal.title.startswith("Acknowledge alert")


async def test_an_alert_that_opens_is_there_at_once(make_app: MakeApp, shed: Served) -> None:
    app = make_app("alerts")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        assert "nothing has ever wanted you" in shown(pilot)
        alarming.write(shed)
        await until(lambda: "auc of late has fallen" in shown(pilot))


async def test_a_state_that_somebody_else_changed_is_refused_with_the_reason(make_app: MakeApp, shed: Served) -> None:
    alarming.write(shed)
    number = alarming.number(shed, alarming.AMOUNT)
    app = make_app("alerts")
    async with app.run_test(size=(100, 24)) as pilot:
        await settle(pilot)
        app.open("alert", str(number))
        await settle(pilot)
        await press(pilot, "A")
        with shed.record.transaction() as tx:
            acknowledge(tx, number, "bob")
        await press(pilot, "y", "enter")
        assert "is acknowledged already, by bob" in shown(pilot)


async def test_read_only_has_no_key_that_changes_one(make_app: MakeApp, shed: Served) -> None:
    alarming.write(shed)
    app = make_app("alerts", read_only=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "A", "R")
        assert not app.screen.query(PlanBox)
        assert "acknowledge" not in shown(pilot).split("\n")[-1]


async def test_at_a_time_in_the_past_they_stand_as_they_stood(make_app: MakeApp, shed: Served) -> None:
    alarming.write(shed)
    app = make_app("alerts")
    async with app.run_test(size=(100, 24)) as pilot:
        await settle(pilot)
        app.past.show("2026-06-15 03:30")
        await settle(pilot)
        text = shown(pilot)
        assert "orders_7d has drifted" in text
        assert "● open" in text
        assert "auc of late" not in text
        assert "words and counts are of now" in text
        await press(pilot, "A")
        assert not app.screen.query(PlanBox)
        app.open("alert", str(alarming.number(shed, alarming.AUC)))
        await settle(pilot)
        assert "it was not there yet" in shown(pilot)


async def test_it_can_be_copied_and_named_after_a_colon(make_app: MakeApp, shed: Served) -> None:
    alarming.write(shed)
    number = alarming.number(shed, alarming.AUC)
    app = make_app("overview")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        app.obey(f"alert {number}")
        await settle(pilot)
        assert f"Overview  ›  alert {number}" in shown(pilot)
        await press(pilot, "Y")
        assert f"trainshed alerts show {number}" in shown(pilot)
        await press(pilot, "escape")
        app.obey("alerts severity=info")
        await settle(pilot)
        assert app.screen.query_one(Table).pages.total == 1
