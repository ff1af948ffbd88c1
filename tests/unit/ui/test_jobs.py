"""Jobs, schedules and the queue over the real API."""

from __future__ import annotations

from textual.widgets import Input

from tests.unit.ui.acting import press, settle, shown
from tests.unit.ui.conftest import MakeApp
from tui.client import Client
from tui.plan import PlanBox
from tui.proposals.schedules import pause


async def test_jobs_stand_with_schedule_state_next_time_in_utc_and_their_last_runs(make_app: MakeApp) -> None:
    async with make_app("jobs").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        text = shown(pilot)
        for words in ("■ paused", "▶ on", "· by hand", "00:30Z", "✔✘✔✘▹", "never run", "5m 56s"):
            assert words in text, words


async def test_the_queue_says_why_each_run_waits(make_app: MakeApp) -> None:
    async with make_app("jobs").run_test(size=(120, 30)) as pilot:
        await settle(pilot)
        assert "waits for a free slot" in shown(pilot)


async def test_beside_the_list_stand_the_facts_of_the_job_under_the_cursor(make_app: MakeApp) -> None:
    async with make_app("jobs").run_test(size=(130, 40)) as pilot:
        await settle(pilot)
        assert "the source is being moved" in shown(pilot)
        await press(pilot, "j")
        assert "builds upon   etl:orders" in shown(pilot)


async def test_s_resumes_a_paused_schedule_after_the_plan(make_app: MakeApp, client: Client) -> None:
    app = make_app("jobs")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "S")
        assert app.screen.query_one(PlanBox).proposal.command == "trainshed schedules resume hourly"
        assert "the source is being moved" in shown(pilot)
        await press(pilot, "y", "enter")
        assert next(schedule for schedule in client.schedules() if schedule.name == "hourly").enabled


async def test_the_command_of_a_pause_carries_the_reason_as_it_is_typed_and_is_kept_with_it(
    make_app: MakeApp, client: Client
) -> None:
    app = make_app("jobs")
    async with app.run_test(size=(100, 40)) as pilot:
        await settle(pilot)
        on = next(schedule.name for schedule in client.schedules() if schedule.enabled and not schedule.broken)
        app.propose(pause(next(s for s in client.schedules() if s.name == on), app.frame))
        await settle(pilot)
        assert f"$ trainshed schedules pause {on} " in shown(pilot)
        await press(pilot, "tab", "tab", *"it", "apostrophe", *"s", "space", *"hot")
        wanted = f"""trainshed schedules pause {on} --reason 'it'"'"'s hot'"""
        assert f"$ {wanted} " in shown(pilot)
        await press(pilot, "enter", "enter")
        paused = next(schedule for schedule in client.schedules() if schedule.name == on)
        assert paused.paused_reason == "it's hot"
        assert app.done[-1][1] == wanted


async def test_t_runs_a_job_with_settings_after_the_plan(make_app: MakeApp, client: Client) -> None:
    app = make_app("jobs")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "j", "T")
        await press(pilot, "tab", "tab", "space", "enter")  # run even if nothing changed
        assert app.screen.query_one(PlanBox).proposal.command == "trainshed run features:habits --force"
        await press(pilot, "y", "enter")
        assert client.runs(limit=1).items[0].job == "features:habits"


async def test_what_is_not_chosen_has_no_x(make_app: MakeApp) -> None:
    """Both had one always, and only its colour told whether it was meant."""
    app = make_app("jobs")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "j", "T", "tab", "tab", "space")
        assert "▐ ▌ bring upstream up to date first" in shown(pilot)
        assert "▐X▌ run even if nothing changed" in shown(pilot)


async def test_f_shows_the_times_of_a_backfill_before_it_queues_them(make_app: MakeApp, client: Client) -> None:
    app = make_app("jobs")
    async with app.run_test(size=(100, 40)) as pilot:
        await settle(pilot)
        await press(pilot, "j", "j", "F")
        app.screen.query_one("#start", Input).value = "3d"
        await press(pilot, "enter")
        proposal = app.screen.query_one(PlanBox).proposal
        assert proposal.command.startswith("trainshed schedules backfill nightly --from 2026-06-12T12:00:00Z")
        before = client.runs(limit=1).items[0].id
        assert "new run" in shown(pilot)
        await press(pilot, "y", "enter")
        queued = client.runs(limit=1).items[0]
        assert (queued.id > before, queued.schedule) == (True, "nightly")


async def test_a_span_that_ends_before_it_begins_is_refused_where_it_was_typed(make_app: MakeApp) -> None:
    app = make_app("jobs")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "F")
        app.screen.query_one("#start", Input).value = "1h"
        app.screen.query_one("#end", Input).value = "2h"
        await press(pilot, "enter")
        assert "the span ends before it begins" in shown(pilot)


async def test_a_job_without_a_schedule_has_no_keys_for_one(make_app: MakeApp) -> None:
    app = make_app("jobs")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "j", "S", "F")
        assert not app.screen.query("Box")


async def test_enter_opens_the_job_with_its_tree_and_its_last_runs(make_app: MakeApp) -> None:
    app = make_app("jobs")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "j", "j", "enter")
        text = shown(pilot)
        assert "Jobs  ›  train:late" in text
        assert "✘ failed" in text
        assert "the loss is not a numb" in text


async def test_a_schedule_has_a_screen_with_its_next_times(make_app: MakeApp) -> None:
    app = make_app("jobs")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        app.open("schedule", "nightly")
        await settle(pilot)
        text = shown(pilot)
        assert "30 2 * * * Europe/Berlin" in text
        assert "2026-06-16 00:30:00 UTC" in text


async def test_a_schedule_that_does_not_exist_says_so(make_app: MakeApp) -> None:
    app = make_app("jobs")
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        app.open("schedule", "yearly")
        await settle(pilot)
        assert "the project has no such schedule" in shown(pilot)


async def test_under_read_only_jobs_cannot_be_run_paused_or_backfilled(make_app: MakeApp) -> None:
    app = make_app("jobs", read_only=True)
    async with app.run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        await press(pilot, "T", "S", "F")
        assert not app.screen.query("Box")


async def test_a_project_without_a_queue_says_so(make_empty_app: MakeApp) -> None:
    async with make_empty_app("jobs").run_test(size=(80, 24)) as pilot:
        await settle(pilot)
        text = shown(pilot)
        assert "nothing waits" in text
        assert "never run" in text
