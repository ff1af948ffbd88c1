"""Endpoints and predictions as text: what answers, what does not and why, what a row came to."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from rich.console import Console, RenderableType

from store.wire import (
    AliasEventView,
    EndpointsView,
    EndpointView,
    ServedView,
    ServingHistoryView,
    ServingPoint,
    ServingSeries,
    ServingWorkerView,
)
from tui.draw.endpoints import cold_start, endpoints, history, predictions
from tui.verbs.promotion import _moved


def text(drawn: RenderableType) -> str:
    console = Console(width=200, no_color=True)
    with console.capture() as captured:
        console.print(drawn)
    return captured.get()


def view(**changes: Any) -> EndpointsView:
    plain: dict[str, Any] = {
        "wanted": True,
        "asked_by": None,
        "running": True,
        "pid": 7,
        "url": "http://127.0.0.1:8080",
        "grpc": "127.0.0.1:8081",
        "epoch": 5,
        "restarts": 0,
        "compilations": 0,
        "workers": [
            ServingWorkerView(number=1, pid=11, state="accepting", epoch=5, missing={}),
            ServingWorkerView(number=2, pid=12, state="ready", epoch=5, missing={}),
        ],
        "endpoints": [line(), line(model="rain", ready=False, reason="the golden rows do not come back", rps=None)],
        "phase": None,
        "problem": None,
    }
    return EndpointsView(**{**plain, **changes})


def line(**changes: Any) -> EndpointView:
    plain: dict[str, Any] = {
        "model": "late",
        "version": 3,
        "previous": 2,
        "ready": True,
        "requests": 12_345,
        "errors": 0,
        "rps": 41.25,
        "batch_rows": 1.5,
        "p50_ms": 0.8,
        "p95_ms": 1.2,
        "p99_ms": 4.0,
        "logged": 12_000,
        "dropped": 345,
    }
    return EndpointView(**{**plain, **changes})


def test_a_model_that_was_woken_says_how_often_and_how_long_that_took() -> None:
    assert cold_start(line()) == ""
    assert cold_start(line(cold_starts=1, cold_ms=212.4)) == "late: 1 cold start, answered after 212 ms"
    several = "late: 3 cold starts, the last one answered after 212 ms"
    assert cold_start(line(cold_starts=3, cold_ms=212.4)) == several


def test_what_answers_has_its_version_state_and_numbers() -> None:
    said = text(endpoints(view()))
    assert "http://127.0.0.1:8080, gRPC 127.0.0.1:8081, epoch 5" in said
    assert "late   v3       v2        ✔ ready" in said
    assert "12,345" in said
    assert "12,000      345" in said
    assert "✘ the golden rows do not come back" in said
    assert "spare, warm" in said


def test_trouble_and_what_a_promotion_is_doing_stand_above() -> None:
    said = text(endpoints(view(problem="late 4 cannot be served: golden", phase="late 5: verified", compilations=2)))
    assert "! late 4 cannot be served: golden" in said
    assert "… late 5: verified" in said
    assert "! 2 programs were compiled while serving" in said


def test_what_is_off_says_how_to_switch_it_on_and_who_switched_it_off() -> None:
    said = text(endpoints(view(wanted=False, running=False, asked_by="ada")))
    assert "off, as ada asked: `trainshed endpoints start` serves what is in production" in said
    assert "are being started" in text(endpoints(view(running=False)))


def test_a_prediction_is_its_label_with_the_likeliest_shares_first_or_its_value() -> None:
    answer = {
        "model": "late",
        "version": 3,
        "predictions": [{"label": "true", "probabilities": {"false": 0.25, "true": 0.75}}, {"value": 12.3456789}],
    }
    said = text(predictions(answer))
    assert "late, version 3" in said
    assert "true 0.7500  false 0.2500" in said
    assert "12.3457" in said


def test_a_promotion_says_what_each_phase_took() -> None:
    event: dict[str, Any] = {
        "id": 1,
        "model": "late",
        "alias": "production",
        "action": "promote",
        "from_version": 1,
        "to_version": 2,
        "actor": "ada",
        "reason": "",
        "overridden": False,
        "at": "2026-01-01T00:00:00Z",
    }
    served = ServedView(epoch=4, workers=2, compiled=5, pressed_s=3.2, loaded_s=0.012, switched_s=0.0021)
    said = _moved(AliasEventView(**event, served=served), "trainshed rollback late --to 1")
    assert "verified in 3.2 s, 5 programs compiled; loaded and compared with its golden rows in 12 ms" in said
    assert "answers in 2 processes after 2.1 ms, epoch 4" in said
    warm = served.model_copy(update={"pressed_s": 0.0, "compiled": 0})
    assert "was warm already" in _moved(AliasEventView(**event, served=warm), "")
    assert "processes" not in _moved(AliasEventView(**event), "")


def test_the_history_has_a_line_for_each_version_and_stretch_and_says_when_there_is_none() -> None:
    at = datetime(2026, 6, 15, 12, tzinfo=UTC)
    busy = ServingPoint(
        at=at,
        seconds=30.0,
        requests=3_000,
        rps=100.0,
        errors=2,
        refused=1,
        p50_ms=0.81,
        p95_ms=1.9,
        p99_ms=4.24,
        queued_ms=0.3,
        waiting=12,
        batch_rows=2.5,
        dropped=0,
        compilations=0,
    )
    quiet = busy.model_copy(update={"requests": 0, "rps": 0.0, "p50_ms": None, "p95_ms": None, "p99_ms": None})
    late = ServingSeries(model="late", version=2, points=[busy, quiet], lately=None)
    nobody = ServingSeries(model=None, version=None, points=[quiet], lately=None)
    said = text(history(ServingHistoryView(since=at, step_seconds=30.0, series=[late, nobody]))).splitlines()
    assert "2026-06-15 12:00:00Z" in said[1]
    assert "late" in said[1]
    assert "v2" in said[1]
    assert said[1].split()[-10:] == ["100.0", "0.8", "1.9", "4.2", "2", "1", "12", "2.5", "0", "0"]
    assert "0.0       -" in said[2]
    assert "the processes" in said[3]
    empty = text(history(ServingHistoryView(since=at, step_seconds=30.0, series=[])))
    assert "nothing was answered in this time" in empty
