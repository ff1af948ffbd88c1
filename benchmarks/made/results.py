"""What an invented run leaves behind when it ends well: a version of a dataset, or metrics and a version of a model."""

from __future__ import annotations

import random
from typing import Any

from benchmarks.made.batch import Batch, History
from store.metrics import Chunk


def left_behind(batch: Batch, history: History, run: int, kind: str, target: str, at: int) -> str:
    """What a good run left behind, in the record and as its message."""
    if kind in ("etl", "features"):
        version = history.next_version(target, 0)
        batch.datasets.append(_dataset(run, target, version, at, "dataset" if kind == "etl" else "feature view"))
        return f"{target}@{version}"
    if kind == "train":
        auc = _metrics(batch, history.numbers, run, at)
        number = history.next_version(target, 1)
        batch.models.append(_model(run, target, number, at, auc))
        return f"{target} {number}"
    return "backups/nightly"


def _metrics(batch: Batch, numbers: random.Random, run: int, at: int) -> float:
    auc = round(numbers.gauss(0.74, 0.02), 6)
    steps = [100, 200, 400, 800]
    curve = [0.9 / (1 + step / 100) + numbers.random() * 0.05 for step in steps]
    values = {
        "train/loss": curve,
        "train/learning_rate": [0.001] * 4,
        "validation/loss": [value * 1.1 for value in curve],
        "validation/auc": [auc - 0.05, auc - 0.01, auc + 0.002, auc],
        "goodput": [0.9] * 4,
    }
    batch.chunks.append(Chunk(run, at, steps, values))
    return auc


def _dataset(run: int, name: str, version: int, at: int, kind: str) -> dict[str, Any]:
    return {
        "dataset": name,
        "version": version,
        "kind": kind,
        "run": run,
        "rows": 1000 * (version + 1),
        "added": 1000,
        "bytes": 50_000 * (version + 1),
        "columns": [{"name": "id", "type": "int64"}],
        "schema_changes": [],
        "inputs": {},
        "sample": [],
        "fingerprint": f"{run:064x}",
        "created_at": at,
    }


def _model(run: int, name: str, number: int, at: int, auc: float) -> dict[str, Any]:
    return {
        "model": name,
        "number": number,
        "run": run,
        "digest": f"{run:064x}",
        "path": f"versions/{run:064x}",
        "task": "binary",
        "objective": "auc",
        "metrics": {"auc": {"value": auc, "low": auc - 0.01, "high": auc + 0.01, "level": 0.95}},
        "baseline": {"auc": auc - 0.01},
        "evidence": {},
        "signature": {},
        "lineage": {},
        "training_set": f"{run:064x}",
        "fingerprint": f"{run:064x}",
        "created_at": at,
    }
