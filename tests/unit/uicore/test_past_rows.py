"""Runs as they were at a moment, from what is known of them now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from store.wire import MomentView, RunThenView, RunView
from tui.rows import past
from tui.rows.needs import act, opens

T = datetime(2026, 6, 15, 12, tzinfo=UTC)


def _run(**more: object) -> RunView:
    return RunView.model_validate(
        {
            **{"id": 7, "job": "train:late", "kind": "train", "target": "late", "state": "failed", "trigger": "manual"},
            **{"actor": "ann", "priority": 0, "pool": "default", "attempt": 1, "max_attempts": 1, "rev": 1},
            **{"reason": "no rows", "created_at": T, "started_at": T + timedelta(minutes=1)},
            "ended_at": T + timedelta(minutes=5),
            **more,
        }
    )


def test_a_run_goes_through_its_life() -> None:
    run = _run()
    assert past.state_at(run, T - timedelta(seconds=1)) is None
    assert [
        (then.state, then.reason)
        for minutes in (0, 1, 4, 5, 60)
        if (then := past.state_at(run, T + timedelta(minutes=minutes)))
    ] == [("queued", ""), ("running", ""), ("running", ""), ("failed", "no rows"), ("failed", "no rows")]


def test_a_run_that_goes_on_now_went_on_then_without_the_progress_of_now() -> None:
    then = past.state_at(_run(state="running", ended_at=None, done=5, total=9), T + timedelta(minutes=2))
    assert then is not None
    assert (then.state, then.done, then.total) == ("running", None, None)


def test_a_filter_for_the_past_says_up_to_when_to_the_microsecond() -> None:
    moment = datetime(2026, 6, 15, 14, 0, 0, 5, tzinfo=UTC)
    assert past.created_by("state=failed", moment) == "state=failed created<=2026-06-15T14:00:00.000005Z"
    assert past.created_by("state=failed", None) == "state=failed"


def _then(id: int, job: str, state: str) -> RunThenView:
    return RunThenView.model_validate(
        {
            **{"id": id, "job": job, "state": state, "since": T, "attempt": 1, "trigger": "manual", "actor": "ann"},
            **{"message": f"{job} {state}", "created_at": T},
        }
    )


def test_what_needed_somebody_then_is_the_last_run_of_a_job_that_had_failed() -> None:
    moment = MomentView(
        at=T, aliases=[], running=[], queued=[], last=[_then(3, "etl:a", "failed"), _then(4, "etl:b", "succeeded")]
    )
    (need,) = past.needs_then(moment)
    assert (need.subject, need.message) == ("run 3", "etl:a failed")
    assert opens(need) == ("run", "3")
    assert (act(need).key, need.severity) == ("R", "fail")
