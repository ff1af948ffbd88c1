"""A retrained version against the live one on what neither has learned from: real log, real labels, a real version."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from daemon.program import ask_program
from pipeline.judging.evidence import Comparison
from pipeline.judging.gates import beats_on_unseen
from pipeline.judging.unseen import Question, compared, last_learned
from pipeline.serving.starting import computing_environment
from pipeline.trainingset.files import write_set
from pipeline.versions.bundle import load_bundle
from store.home import Home
from store.times import to_us
from tests.unit.serving.bench import Bench
from tests.unit.watching.log import START, label, line, log

pytestmark = pytest.mark.slow  # a version is made with JAX
HOUR = 3_600_000_000
ROWS = 400


def training_set(home: Home, time: str | None, ends: dict[str, datetime] | None = None) -> str:
    """As `build_training_set` records them; `ends`: part → its last moment."""

    def part(name: str) -> pa.RecordBatchReader:
        last = (ends or {}).get(name, datetime(2026, 2, 1, tzinfo=UTC))
        at = [last - timedelta(hours=back) for back in range(4, -1, -1)]
        columns = {"id": range(5), "at": pa.array(at, pa.timestamp("us", "UTC")), "late": [True] * 5}
        return pa.table(columns).to_reader()

    def manifest(counts: Any, row_hash: str) -> dict[str, Any]:
        known = {"task": "binary", "label": "late", "key": ["id"], "time": time, "query": "", "row_hash": row_hash}
        left = dict.fromkeys(("dropped_unlabelled", "dropped_untimed", "left_in_gap"), 0)
        return {**known, **left, "slices": [], "inputs": {}, "rows": dict(counts), "features": []}

    return write_set(home.training_sets, part, manifest)


class Field:
    """Three hours of a log that version 3 answered; what came true follows its answers, or those of the new version."""

    def __init__(self, folder: Path, *, new_is_right: bool, without: str = "") -> None:
        self.home = Home(folder)
        bench = Bench(self.home)
        self.candidate, self.live = bench.version(0.5), bench.version()
        rng = np.random.default_rng(7)
        asked = {
            "distance": rng.normal(500, 150, 3 * ROWS),
            "carrier": rng.choice(["AA", "UA"], 3 * ROWS),
            "hour": rng.integers(0, 24, 3 * ROWS).astype(float),
        }
        answered = rng.uniform(0.05, 0.95, 3 * ROWS)
        right = load_bundle(self.home.bundle(self.candidate)).predict(pa.table(asked)) if new_is_right else answered
        truths = rng.uniform(size=3 * ROWS) < right
        seconds = np.arange(3 * ROWS) * 3600 / ROWS
        columns = {name: values.tolist() for name, values in asked.items() if name != without}
        lines = [
            line(f"r{row}", seconds[row], [float(answered[row])], {name: [one[row]] for name, one in columns.items()})
            for row in range(3 * ROWS)
        ]
        log(self.home, lines)
        label(self.home, [{"request": f"r{row}", "value": bool(truths[row])} for row in range(3 * ROWS)])

    def ask(self, *, learned_until: int, least: int = 300) -> dict[str, Any]:
        return compared(self.home, "late", self.question(learned_until, least))

    def question(self, learned_until: int, least: int = 300) -> Question:
        spans = [(START + hour * HOUR, START + (hour + 1) * HOUR) for hour in range(3)]
        return Question(
            candidate=self.candidate,
            training_set=training_set(self.home, None),
            trained_at=learned_until,
            live=self.live,
            live_version=3,
            windows=spans[::-1],
            least_rows=least,
        )


def test_one_that_is_better_on_the_newest_window_passes_its_gate_with_the_numbers(tmp_path: Path) -> None:
    field = Field(tmp_path, new_is_right=True)
    arguments = [str(field.home.root), "late", json.dumps(field.question(START - 1))]
    said = ask_program(
        "pipeline.judging.unseen", arguments, 200, computing_environment(os.environ)
    )  # as the daemon does
    assert (said["since"], said["until"], said["rows"]) == (START + 2 * HOUR, START + 3 * HOUR, ROWS)
    gate = beats_on_unseen(said["objective"], Comparison.model_validate(said["comparison"]))
    assert (gate.gate, gate.outcome, gate.limit) == ("newest labelled window", "pass", 0.0)
    assert gate.value is not None
    assert gate.value > 0
    assert "better than version 3 on the same 400 rows of the newest labelled window, at worst +" in gate.reason


def test_one_that_is_worse_does_not(tmp_path: Path) -> None:
    said = Field(tmp_path, new_is_right=False).ask(learned_until=START - 1)
    gate = beats_on_unseen(said["objective"], Comparison.model_validate(said["comparison"]))
    assert gate.outcome == "fail"
    assert "worse than version 3" in gate.reason


def test_a_window_that_it_may_have_learned_from_does_not_count(tmp_path: Path) -> None:
    field = Field(tmp_path, new_is_right=True)
    assert field.ask(learned_until=START + 2 * HOUR - 1)["since"] == START + 2 * HOUR
    waits = "no window with labels enough lies wholly after what the version has learned from"
    assert field.ask(learned_until=START + 2 * HOUR) == {"why_not": waits}
    few = field.ask(learned_until=START - 1, least=ROWS + 1)
    assert few == {"why_not": "no window since then has 401 rows whose label can be read"}


def test_a_column_that_the_log_does_not_have_is_a_reason_and_no_guess(tmp_path: Path) -> None:
    said = Field(tmp_path, new_is_right=True, without="hour").ask(learned_until=START - 1)
    gate = beats_on_unseen(said["objective"], Comparison.model_validate(said["comparison"]))
    assert gate.outcome == "fail"
    assert gate.reason.endswith("the log has no column hour, which the new version takes")


def test_what_it_has_learned_from_ends_with_the_last_row_that_trained_or_validated(tmp_path: Path) -> None:
    home, day = Home(tmp_path), datetime(2026, 2, 1, tzinfo=UTC)
    ends = {"train": day, "validate": day + timedelta(days=5), "test": day + timedelta(days=9)}
    question: dict[str, Any] = {"training_set": training_set(home, "at", ends), "trained_at": 7}
    assert last_learned(home, question) == to_us(day + timedelta(days=5))  # type: ignore[arg-type]
    question["training_set"] = training_set(home, None, ends)
    assert last_learned(home, question) == 7  # type: ignore[arg-type]
