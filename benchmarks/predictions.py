"""What the prediction log costs those who answer requests, and whether it keeps up.

    python benchmarks/predictions.py [--rate 10000] [--seconds 10] [--columns 32]

One thread offers predictions at a rate, as an event loop would, with inputs and outputs that are arrays. `offer_us`:
the time of one offer, its median and 99th percentile, and the same of an empty function under `nothing_us`. `cpu_us`:
CPU of the whole process for one prediction, without what making it costs. Then the segments are read into the lake:
rows a second, and whether the numbers agree.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np

from pipeline.predictions.ingest import ingest
from pipeline.predictions.log import PredictionLog
from pipeline.predictions.record import Prediction
from pipeline.predictions.segments import segments


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rate", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--columns", type=int, default=32)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as place:
        print(json.dumps(measure(Path(place), given.rate, given.seconds, given.columns), indent=2))


def measure(place: Path, rate: int, seconds: float, columns: int) -> dict[str, Any]:
    inputs, outputs = np.random.default_rng(1).normal(size=columns).astype(np.float32), np.array([0.5], np.float32)

    def sample(number: int) -> Prediction:
        return Prediction(f"request-{number}", number, "late", 2, "assigned", "unit", 1, 250, 200, inputs, outputs)

    log = PredictionLog(place / "segments", "benchmark", now_us=lambda: time.time_ns() // 1000)
    nothing, idle = offered(lambda _one: None, sample, rate, seconds)
    times, busy = offered(log.offer, sample, rate, seconds)
    began = time.process_time()
    log.close()
    busy += time.process_time() - began
    counts, size = log.counts, sum(one.stat().st_size for one in segments(place / "segments"))
    began, rows, dropped = time.process_time(), 0, 0
    while (taken := ingest(place / "segments", place / "table")).version is not None:
        rows, dropped = rows + taken.rows, dropped + taken.dropped
    return {
        "rate": rate,
        "offered": counts.offered,
        "dropped": counts.dropped,
        "nothing_us": nothing,
        "offer_us": times,
        "cpu_us": round(1e6 * (busy - idle) / counts.offered, 1),
        "bytes_a_line": round(size / max(1, counts.written)),
        "ingested_rows_per_cpu_s": round(rows / (time.process_time() - began)),
        "agree": (rows, dropped) == (counts.written, counts.dropped),
    }


def offered(
    offer: Callable[[Prediction], object], sample: Callable[[int], Prediction], rate: int, seconds: float
) -> tuple[dict[str, float], float]:
    """µs of an offer, and CPU seconds of it all. Ten a turn, as an event loop under load takes them."""
    took, began = [], time.process_time()
    start = time.perf_counter()
    for number in range(int(rate * seconds)):
        one = sample(number)
        before = time.perf_counter_ns()
        offer(one)
        took.append(time.perf_counter_ns() - before)
        if number % 10 == 9 and (ahead := start + number / rate - time.perf_counter()) > 0:
            time.sleep(ahead)
    cuts = statistics.quantiles(took, n=100)
    return {"p50": round(cuts[49] / 1000, 2), "p99": round(cuts[98] / 1000, 2)}, time.process_time() - began


if __name__ == "__main__":
    main()
