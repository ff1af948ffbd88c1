"""What a training writes into its spool."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.process.spool import Spool
from pipeline.training.steps import Trace
from pipeline.training.stopping import Evaluation
from pipeline.training.telemetry import SpoolWatcher


@pytest.fixture
def told(tmp_path: Path) -> tuple[SpoolWatcher, Path]:
    spool = Spool(tmp_path / "events.jsonl", lambda: 0.0)
    return SpoolWatcher(spool, objective="auc", total=20, steps_per_epoch=10), tmp_path / "events.jsonl"


def events(file: Path, kind: str) -> list[dict[str, Any]]:
    return [event for event in map(json.loads, file.read_text().splitlines()) if event["e"] == kind]


def trace(*losses: float) -> Trace:
    loss = np.array(losses, np.float32)
    return Trace(loss, np.full(len(loss), 0.1, np.float32), np.isfinite(loss), len(loss), 0)


def test_each_step_has_its_loss_and_rate_and_each_chunk_its_time(told: tuple[SpoolWatcher, Path]) -> None:
    watcher, file = told
    watcher.chunk(5, trace(1.0, 0.5), 0.2)
    steps, times = events(file, "metrics")
    assert steps["steps"] == [6, 7]
    assert steps["values"]["train/loss"] == [1.0, 0.5]
    assert steps["values"]["train/learning_rate"] == pytest.approx([0.1, 0.1])
    assert times["values"] == {"time/step_ms": [100.0], "time/chunk_ms": [200.0]}


def test_the_time_left_counts_evaluations_in(told: tuple[SpoolWatcher, Path]) -> None:
    watcher, file = told
    watcher.chunk(0, trace(*[1.0] * 10), 1.0)
    watcher.evaluated(Evaluation(step=10, train_loss=0.6, validation_loss=0.7, objective=0.8), True, 1.0)
    first, second = events(file, "progress")
    assert first["eta_s"] == pytest.approx(1.0)
    assert second["eta_s"] == pytest.approx(2.0)
    assert second["message"] == "epoch 1 of 2, auc 0.8000 (best)"
    values = events(file, "metrics")[-1]["values"]
    assert values["validation/auc"] == [0.8]
    assert values["validation/loss"] == [0.7]


def test_the_first_skipped_step_is_a_warning_and_its_loss_no_number(told: tuple[SpoolWatcher, Path]) -> None:
    watcher, file = told
    watcher.chunk(0, trace(1.0, float("nan"), 1.0), 0.1)
    watcher.chunk(3, trace(float("nan")), 0.1)
    (note,) = events(file, "note")
    assert (note["kind"], note["level"], note["data"]) == ("step_skipped", "warning", {"step": 2})
    assert events(file, "metrics")[0]["values"]["train/loss"] == [1.0, None, 1.0]


def test_an_empty_chunk_says_nothing(told: tuple[SpoolWatcher, Path]) -> None:
    watcher, file = told
    watcher.chunk(4, trace(), 0.1)
    assert file.read_text() == ""


def test_the_end_tells_where_the_time_went(told: tuple[SpoolWatcher, Path]) -> None:
    watcher, file = told
    watcher.ended(20, {"train": 3.0, "other": 1.0, "total": 4.0, "goodput": 0.75})
    (event,) = events(file, "metrics")
    assert event["values"] == {"goodput": [0.75], "time/train_s": [3.0], "time/other_s": [1.0], "time/total_s": [4.0]}
