"""The whole UI at a time in the past."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from textual.widgets import Input

from store.engine import Record
from store.moment import step
from store.times import to_us
from tests.unit.ui.acting import press, settle, shown
from tests.unit.ui.conftest import MakeApp, Served
from tests.unit.ui.moments import NOW
from tui.app import ShedApp
from tui.client import Client
from tui.screens.run import RunScreen


async def _to(pilot_app: ShedApp, pilot: object, text: str) -> None:
    await press(pilot, "ctrl+t")  # type: ignore[arg-type]
    pilot_app.screen.query_one(Input).value = text
    await press(pilot, "enter")  # type: ignore[arg-type]


async def test_ctrl_t_shows_what_ran_was_live_and_needed_somebody_then_and_escape_returns(make_app: MakeApp) -> None:
    app = make_app("overview")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await _to(app, pilot, "11:30")
        text = shown(pilot)
        assert "◀ as of 2026-06-15 11:30:00" in text
        assert "etl:orders failed: orders.csv is not there" in text
        assert "train:late        13       ▶ running" in text
        assert "etl:orders        14" not in text
        await press(pilot, "escape")
        assert "● live" in shown(pilot)
        assert "version 2 waits" in shown(pilot)


async def test_before_the_first_version_nothing_was_in_production(make_app: MakeApp) -> None:
    app = make_app("overview")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await _to(app, pilot, "2026-06-13 05:50")
        assert "no version is in production yet" in shown(pilot)


async def test_brackets_step_from_event_to_event(make_app: MakeApp) -> None:
    app = make_app("overview")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await _to(app, pilot, "11:30")
        await press(pilot, "left_square_bracket")
        assert app.moment == datetime(2026, 6, 15, 11, 24, 2, tzinfo=UTC)
        await press(pilot, "right_square_bracket")
        assert app.moment == datetime(2026, 6, 15, 11, 59, tzinfo=UTC)


async def test_in_the_past_no_key_changes_anything(make_app: MakeApp) -> None:
    app = make_app("overview")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await _to(app, pilot, "11:30")
        for key in ("R", "tab", "B", "tab", "K", "7", "T", "S", "F"):
            await press(pilot, key)
            assert not app.screen.query("Box"), key


async def test_events_end_at_the_moment(make_app: MakeApp) -> None:
    app = make_app("events")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await _to(app, pilot, "10:00:03")
        assert "train:late upstream failed" in shown(pilot).split("\n")[2]


async def test_runs_are_those_that_had_been_asked_for_in_the_state_that_they_were_in(make_app: MakeApp) -> None:
    app = make_app("runs")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await _to(app, pilot, "04:10")
        lines = shown(pilot).split("\n")
        assert "10" in lines[2]
        assert "▶ running" in lines[2]
        assert "15" not in lines[2]


async def test_jobs_have_the_runs_that_they_had_had_then(make_app: MakeApp) -> None:
    app = make_app("jobs")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await _to(app, pilot, "04:10")
        text = shown(pilot)
        assert "✔✔✘▶" in text
        assert "nothing waits" in text


async def test_of_the_machine_room_the_box_is_as_it_was_and_the_rest_is_said_not_to_be_kept(make_app: MakeApp) -> None:
    app = make_app("system")
    async with app.run_test(size=(110, 24)) as pilot:
        await settle(pilot)
        await _to(app, pilot, "11:30")
        text = shown(pilot)
        assert "Of the machine room only the box is recorded over time" in text
        assert "pool default" not in text
        await _to(app, pilot, "04:10")
        assert "no measurement of then is left" in shown(pilot)
        await press(pilot, "escape")
        assert "pool default" in shown(pilot)
        assert "recorded over time" not in shown(pilot)


async def test_a_run_has_the_tries_and_events_that_it_had_then(make_app: MakeApp) -> None:
    app = make_app("runs")
    async with app.run_test(size=(120, 30)) as pilot:
        await settle(pilot)
        app.open("run", "13")
        await settle(pilot)
        await _to(app, pilot, "11:22")
        text = shown(pilot)
        assert "▶ running   train:late   try 1 of 3" in text
        assert "1  ▶ running  11:19:01" in text
        assert "its process is gone" not in text
        assert "no metric yet" in text
        assert "How far it was then, and why, is not kept" in text
        await _to(app, pilot, "11:30")
        assert "1  ? lost" in shown(pilot)
        assert "try 2 of 3" in shown(pilot)
        await _to(app, pilot, "2026-06-14 10:00")
        assert "run 13 had not been asked for by 2026-06-14 10:00:00 UTC" in shown(pilot)
        await press(pilot, "escape", "escape")  # what was said, then the run
        assert "1,400" not in shown(pilot), "the list under it is as of then, too"
        await press(pilot, "escape")
        assert "1,400" in shown(pilot)
        assert "is not kept" not in shown(pilot)


async def test_curves_end_at_the_moment_also_when_it_moves_back(make_app: MakeApp, client: Client) -> None:
    app = make_app("runs")
    async with app.run_test(size=(120, 30)) as pilot:
        await settle(pilot)
        app.open("run", "13")
        await settle(pilot)
        for at, steps in (("11:53", 7), ("11:45", 5), ("11:50", 6)):
            await _to(app, pilot, at)
            screen = app.screen
            assert isinstance(screen, RunScreen)
            (name,) = screen.chosen
            found = client.metric(13, name, at=app.moment)
            assert screen._curves[name].steps == [point.step for point in found.points]
            assert all(point.at <= app.moment for point in found.points if app.moment is not None)
            assert len(found.points) <= steps


async def test_a_job_and_its_schedule_have_the_runs_and_the_pause_of_then(make_app: MakeApp) -> None:
    app = make_app("jobs")
    async with app.run_test(size=(120, 30)) as pilot:
        await settle(pilot)
        app.open("job", "etl:orders")
        await settle(pilot)
        assert "■ paused" in shown(pilot)
        await _to(app, pilot, "2026-06-14 10:00")
        text = shown(pilot)
        assert "schedule hourly  ▶ on" in text
        assert "2026-06-14 11:00:00 UTC" in text
        assert "orders.csv is not there" not in text
        assert "What a job is comes from the project file of now" in text
        app.open("schedule", "hourly")
        await settle(pilot)
        assert "schedule hourly  ▶ on" in shown(pilot)
        assert "not the last time" in shown(pilot)
        await _to(app, pilot, "2026-06-01 10:00")
        assert "there was no such schedule then" in shown(pilot)


async def test_what_wanted_somebody_then_are_also_checks_candidates_and_pauses(make_app: MakeApp) -> None:
    app = make_app("overview")
    async with app.run_test(size=(120, 30)) as pilot:
        await settle(pilot)
        await _to(app, pilot, "2026-06-14 07:05")
        text = shown(pilot)
        assert "orders: range(amount)" in text
        assert "waits as candidate" not in text
        assert "hourly" in text, "what was to come then"
        await _to(app, pilot, "2026-06-14 09:00")
        assert "version 2 waits as candidate" in shown(pilot)


def test_the_event_beside_a_moment_is_one_search_of_an_index(shed: Served, client: Client) -> None:
    moment = NOW - timedelta(minutes=30)
    assert client.step(moment, later=False) == datetime(2026, 6, 15, 11, 24, 2, tzinfo=UTC)
    assert client.step(moment, later=True) == datetime(2026, 6, 15, 11, 59, tzinfo=UTC)
    assert client.step(NOW, later=True) is None
    assert _scans(shed.record, moment) == []


def _scans(record: Record, moment: datetime) -> list[str]:
    """Steps of both questions that look at a whole table."""
    asked: list[str] = []
    with record.read() as session:
        connection = session.connection().connection.driver_connection
        assert connection is not None
        connection.set_trace_callback(asked.append)
        for later in (False, True):
            step(session, to_us(moment), later=later)
        connection.set_trace_callback(None)
        plans = [connection.execute(f"EXPLAIN QUERY PLAN {sql}").fetchall() for sql in asked if "event" in sql]
    return [row[3] for plan in plans for row in plan if row[3].startswith("SCAN")]
