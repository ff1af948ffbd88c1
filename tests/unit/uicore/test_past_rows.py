"""Runs as they were at a moment, from what is known of them now."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from store.wire import BoxHistoryView, BoxPoint, BoxView, GpuView, RunView
from tui.rows import past

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


def _history(*points: BoxPoint) -> BoxHistoryView:
    return BoxHistoryView(since=T, step_seconds=60.0, points=list(points))


def test_the_box_of_then_is_its_last_measurement_on_the_machine_of_now() -> None:
    gpu = GpuView(index=0, name="A", memory_used=9, memory_total=80, utilisation=50.0)
    sizes = {"cpu_count": 8, "memory_total": 100, "disk_total": 1000}
    now = BoxView(at=T, cpu_percent=90.0, memory_used=90, disk_free=1, gpus=[gpu], **sizes)
    point = BoxPoint(
        at=T,
        cpu_percent=12.0,
        cpu_peak=20.0,
        memory_used=30,
        disk_free=400,
        received=5.0,
        sent=None,
        read=None,
        written=None,
        gpu_memory=7,
    )
    then = past.box_then(now, _history(point))
    assert then is not None
    assert (then.cpu_percent, then.memory_used, then.disk_free, then.received, then.cpu_count) == (
        12.0,
        30,
        400,
        5.0,
        8,
    )
    assert [one.memory_used for one in then.gpus] == [7]
    assert past.box_then(now, _history()) is None
