"""A look at a large experiment: CPU seconds and memory of the program that reads the logs and reckons.

    python benchmarks/experimentlook.py [UNITS]

UNITS (default 1,000,000) with one request and one label each in the lake; prints one JSON object.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pyarrow as pa

from pipeline.config.experiments import ExperimentSection
from pipeline.experiments.questions import Asked, question_document
from pipeline.labels.ingest import SCHEMA as LABELS
from pipeline.predictions.ingest import SCHEMA as PREDICTIONS
from store import lake
from store.home import Home
from store.times import to_us

PROGRAM = """
import sys
from pathlib import Path
from pipeline.experiments.report import main
main(sys.argv[1:])
said = Path("/proc/self/status").read_text().splitlines()
print(next(line for line in said if line.startswith("VmHWM")), file=sys.stderr)
"""
"""The report, and then its own peak: what `getrusage` says of a child begins with the memory of its parent."""
START = datetime(2026, 3, 1, tzinfo=UTC)


def write(home: Home, units: int) -> None:
    rng = np.random.default_rng(1)
    at = to_us(START) + rng.integers(0, 7 * 86_400_000_000, units)
    ids = [f"customer-{number}" for number in range(units)]
    requests = [f"order-{number}" for number in range(units)]
    offsets, ones = np.arange(units), np.ones(units, dtype=np.int64)
    logged = {
        "request": requests,
        "at": pa.array(at, pa.int64()).cast(pa.timestamp("us", "UTC")),
        "model": ["late"] * units,
        "version": rng.integers(1, 3, units),
        "why": ["assigned"] * units,
        "unit": ids,
        "epoch": ones,
        "latency_us": ones * 1000,
        "status": ones * 200,
        "inputs": [None] * units,
        "outputs": ['{"score":[0.7],"label":["true"]}'] * units,
        "segment": ["w.1"] * units,
        "offset": offsets,
    }
    known = {
        "key": [f'["label","{request}"]' for request in requests],
        "name": ["label"] * units,
        "request": requests,
        "unit": [None] * units,
        "at": [None] * units,
        "value": np.where(rng.random(units) < 0.8, "true", "false"),
        "arrived": pa.array(at + 3_600_000_000, pa.int64()).cast(pa.timestamp("us", "UTC")),
        "restates": [False] * units,
        "post": [""] * units,
        "segment": ["l.1"] * units,
        "offset": offsets,
    }
    for folder, columns, schema in (
        (home.predictions("late"), logged, PREDICTIONS),
        (home.labels("late"), known, LABELS),
    ):
        rows = pa.table(columns, schema=schema).to_reader()
        lake.commit(folder, rows, mode="append", metadata={}, expected=None)


def look(home: Home, metric: str) -> dict[str, float]:
    section = ExperimentSection.model_validate({"model": "late", "metric": metric, "window": "2h"})
    now = to_us(START + timedelta(days=8))
    asked = Asked(
        control=1,
        treatment=2,
        share=0.5,
        began=to_us(START),
        until=now,
        now=now,
        question=question_document(section, ["false", "true"]),
    )
    command = [sys.executable, "-P", "-c", PROGRAM, str(home.root), "late", json.dumps(asked)]
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    said, peak = json.loads(done.stdout), int(done.stderr.split()[-2])
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {
        "units": sum(arm["units"] for arm in said["arms"]),
        "cpu_s": round(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, 2),
        "wall_s": round(time.perf_counter() - began, 2),
        "peak_mb": round(peak / 1000),
    }


def main() -> None:
    units = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    with tempfile.TemporaryDirectory() as folder:
        empty, full = Home(Path(folder) / "empty"), Home(Path(folder) / "full")
        write(full, units)
        looks = {
            "nothing_logged": look(empty, "correct"),
            "errors": look(full, "errors"),
            "correct": look(full, "correct"),
        }
        print(json.dumps({"units": units, **looks}))


if __name__ == "__main__":
    main()
