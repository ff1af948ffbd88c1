"""All evidence about a binary model: 30,000 test rows, 100,000 training rows, 30 features, 3 slicing columns.

    python benchmarks/evidence.py

Goal: at most 4 s of CPU for leakage alarms, intervals, paired tests, calibration and slices together. Prints one JSON
object: CPU seconds, median of several rounds.
"""

from __future__ import annotations

import json
import statistics
import time
from collections.abc import Callable

import numpy as np
import pyarrow as pa

from pipeline.judging.evaluate import ProductionScores, gather_evidence
from pipeline.judging.evidence import LeakageFacts, LearningCurve
from pipeline.judging.leakage import leakage_facts
from pipeline.versions.signature import InputColumn

TRAIN, TEST, ROUNDS = 100_000, 30_000, 3
NUMERIC, CATEGORICAL = 20, 10
FEATURES = [InputColumn(name=f"x{i}", kind="numeric") for i in range(NUMERIC)] + [
    InputColumn(name=f"c{i}", kind="categorical") for i in range(CATEGORICAL)
]
GOAL_CPU_S = 4.0


def drawn(rows: int, rng: np.random.Generator) -> tuple[pa.Table, np.ndarray, np.ndarray]:
    """(features and label, labels, calibrated scores)."""
    columns = {f"x{i}": rng.normal(size=rows) for i in range(NUMERIC)}
    words = {f"c{i}": rng.integers(0, 30, rows).astype(str) for i in range(CATEGORICAL)}
    scores = 1 / (1 + np.exp(1 - 1.2 * columns["x0"]))
    labels = (rng.random(rows) < scores).astype(np.int32)
    return pa.table({**columns, **words, "y": labels}), labels, scores


def cpu_seconds(work: Callable[[], object]) -> float:
    started = time.process_time()
    work()
    return time.process_time() - started


def main() -> None:
    rng = np.random.default_rng(0)
    train, train_labels, train_scores = drawn(TRAIN, rng)
    test, labels, scores = drawn(TEST, rng)
    worse = np.clip(scores + rng.normal(0, 0.05, TEST), 0, 1)

    def leakage() -> LeakageFacts:
        return leakage_facts(train=train, test=test, features=FEATURES, label="y", task="binary", rng=rng)

    leaks = leakage()

    def evidence() -> object:
        return gather_evidence(
            task="binary",
            objective="auc",
            labels=labels,
            scores=scores,
            baseline_scores=worse,
            production=ProductionScores(1, worse),
            slices={name: test.column(name).to_numpy() for name in ("c0", "c1", "c2")},
            parts={"train": (train_labels, train_scores), "validate": (labels, scores), "test": (labels, scores)},
            curve=LearningCurve(steps=[1], train_loss=[0.5], validation_loss=[0.5], best_step=1),
            leakage=leaks,
            rng=rng,
        )

    rounds = [(cpu_seconds(leakage), cpu_seconds(evidence)) for _ in range(ROUNDS)]
    alarms, statistics_s = (statistics.median(column) for column in zip(*rounds, strict=True))
    total = alarms + statistics_s
    figures = {"leakage_cpu_s": alarms, "evidence_cpu_s": statistics_s, "total_cpu_s": total, "goal_cpu_s": GOAL_CPU_S}
    print(json.dumps({name: round(value, 3) for name, value in figures.items()} | {"passed": total <= GOAL_CPU_S}))


if __name__ == "__main__":
    main()
