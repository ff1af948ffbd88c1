"""What drift costs from profiles, against recomputing from both sides' rows with scipy: CPU seconds, memory, alarms.

Prints one JSON object. `profile`: a window streamed into profiles, and its verdicts from them; `rows`: the same window
held against the reference's rows, Kolmogorov-Smirnov and Wasserstein by scipy and PSI over quantiles, as tools without
kept profiles do. Of `rows` only a few columns are computed, and the rest is reckoned. `seven`: a file of seven columns,
five of numbers and two of words, read and profiled in a process of its own; `verdict`: of 200 columns, one window
from profiles that are in memory; `benchmarks/monitor.py` has what a whole report takes, reading included.

    python benchmarks/drift.py [--rows 1000000] [--columns 50] [--seven 10000000]
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import pyarrow as pa
from scipy.stats import ks_2samp, wasserstein_distance

from benchmarks.made.driftdata import write
from pipeline.stats.distances import psi
from pipeline.versions.signature import FeatureKind
from pipeline.watching.measures import all_measures
from pipeline.watching.profile import cells_of, fit, profile
from pipeline.watching.verdict import Rules, decided

BATCH = 65_536
BY_ROWS = 2


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--columns", type=int, default=50)
    parser.add_argument("--seven", type=int, default=10_000_000, help="rows of the file of seven columns")
    asked = parser.parse_args()
    names = [f"c{number}" for number in range(asked.columns)]
    cells = fit(next(batches(names, 200_000, 200_000, 0)), dict.fromkeys(names, "numeric"))
    reference = profile(cells, flat(batches(names, asked.rows, BATCH, 1)))
    made = generated(names, asked.rows)
    began = time.process_time()
    window = profile(cells, flat(batches(names, asked.rows, BATCH, 2)))
    profiled, peak = time.process_time() - began - made, megabytes()
    began = time.process_time()
    verdicts = [decided([one] * 3, Rules()) for one in all_measures(reference, window).values()]
    judged = time.process_time() - began
    by_rows = recomputed(asked.rows) * asked.columns / BY_ROWS
    found = {
        "profile_cpu_s": round(profiled, 2),
        "peak_mb": round(peak),
        "verdicts_cpu_ms": round(judged * 1e3, 1),
        "rows_cpu_s": round(by_rows, 1),
        "ratio": round(by_rows / (profiled + judged), 1),
        "false_alarms": sum(one.answer == "drifted" for one in verdicts),
    }
    more = {"seven": seven(asked.seven), "verdict": verdict(200)}
    print(json.dumps({"rows": asked.rows, "columns": asked.columns, **found, **more}, indent=2))


def seven(rows: int) -> dict[str, Any]:
    """CPU and memory of `benchmarks/made/ourdrift.py`, against a reference of a million rows."""
    with tempfile.TemporaryDirectory() as place:
        write(Path(place) / "reference.parquet", 1_000_000, 1, moved=False)
        write(Path(place) / "current.parquet", rows, 2, moved=True)
        script = Path(__file__).resolve().parent / "made" / "ourdrift.py"
        for _ in range(2):  # the second time its reference is there
            done = subprocess.run([sys.executable, str(script), place], capture_output=True, text=True, check=True)
    found: dict[str, Any] = json.loads(done.stdout)
    return {"rows": rows, **{name: found[name] for name in ("window_s", "verdict_s", "peak_mb")}}


def verdict(columns: int) -> dict[str, Any]:
    """A tenth of them words, a thousand each."""
    rng = np.random.default_rng(5)
    numbers = [f"c{number}" for number in range(columns * 9 // 10)]
    kinds: dict[str, FeatureKind] = {**dict.fromkeys(numbers, "numeric")}
    kinds |= {f"w{number}": "categorical" for number in range(columns - len(numbers))}

    def rows(count: int) -> pa.Table:
        said = {name: rng.standard_normal(count) for name in numbers}
        words = {name: np.char.add("w", rng.integers(0, 1000, count).astype(str)) for name in kinds if name not in said}
        return pa.table({**said, **words})

    known = rows(20_000)
    before = profile(fit(known, kinds), known.to_batches())
    window = profile(cells_of(before), rows(5000).to_batches())
    times = []
    for _ in range(5):
        began = time.process_time()
        found = [decided([one] * 3, Rules()) for one in all_measures(before, window).values()]
        times.append(time.process_time() - began)
    return {"columns": len(found), "cpu_ms": round(statistics.median(times) * 1e3, 1)}


def batches(names: list[str], rows: int, size: int, seed: int) -> Iterator[pa.Table]:
    rng = np.random.default_rng(seed)
    for begin in range(0, rows, size):
        yield pa.table({name: rng.standard_normal(min(size, rows - begin)) for name in names})


def flat(tables: Iterator[pa.Table]) -> Iterator[pa.RecordBatch]:
    for table in tables:
        yield from table.to_batches()


def generated(names: list[str], rows: int) -> float:
    """CPU seconds of making the window's rows alone."""
    began = time.process_time()
    for _ in batches(names, rows, BATCH, 2):
        pass
    return time.process_time() - began


def recomputed(rows: int) -> float:
    rng = np.random.default_rng(3)
    pairs = [(rng.standard_normal(rows), rng.standard_normal(rows)) for _ in range(BY_ROWS)]
    began = time.process_time()
    for one, two in pairs:
        ks_2samp(one, two, method="asymp")
        wasserstein_distance(one, two)
        edges = np.quantile(one, np.arange(1, 20) / 20)
        psi(*(np.bincount(np.searchsorted(edges, side), minlength=20) for side in (one, two)))
    return time.process_time() - began


def megabytes() -> float:
    """The most that this process had so far, libraries and a batch being made included."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3


if __name__ == "__main__":
    main()
