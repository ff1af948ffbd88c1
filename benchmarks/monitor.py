"""What a window of the prediction log costs a monitor: CPU and memory to profile it, to find it again, to judge it.

Prints one JSON object. `first`: the window's requests, as JSON in the lake, into profiles that are kept; `again`: the
kept profiles of three such windows read; `verdict`: of these, each column against the reference, with everything that a
report tells. `stream`: 100,000 of the first window's rows, whose labels have all come, into its stream of errors.

    python benchmarks/monitor.py [--rows 200000] [--columns 20]
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.labels.ingest import SCHEMA as LABELS
from pipeline.predictions.ingest import SCHEMA
from pipeline.versions.signature import FeatureKind, InputColumn, Signature
from pipeline.watching.errorstream import begun, fed
from pipeline.watching.judged import judged
from pipeline.watching.labelled import labelled_rows
from pipeline.watching.logged import OUTPUT
from pipeline.watching.logtable import LogTable
from pipeline.watching.making import window_profile
from pipeline.watching.profile import Profiles, cells_of, fit, profile
from pipeline.watching.stored import Shelf
from pipeline.watching.verdict import Rules
from pipeline.watching.windows import HOUR_US, Window

PER = 20
"""Rows of a request."""
WINDOWS = 3
SIGNATURE = Signature(inputs=[InputColumn(name="c0", kind="numeric")], task="regression", label="y")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=200_000, help="of a window")
    parser.add_argument("--columns", type=int, default=20)
    asked = parser.parse_args()
    kinds: dict[str, FeatureKind] = dict.fromkeys([*(f"c{n}" for n in range(asked.columns)), OUTPUT], "numeric")
    sample = table(kinds, 100_000, 0)
    before = profile(fit(sample, kinds), sample.to_batches())
    with tempfile.TemporaryDirectory() as place:
        # In processes of their own, whose memory is not this one's.
        with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as other:
            made = [other.submit(written, Path(place) / f"{n}.parquet", kinds, asked.rows, n) for n in range(WINDOWS)]
            files = [one.result() for one in made]
        found = measured(LogTable(files, 1, kinds, "score"), Shelf(Path(place) / "kept", cells_of(before)), before)
    print(json.dumps({"rows": asked.rows, "columns": asked.columns, **found}, indent=2))


def measured(log: LogTable, shelf: Shelf, before: Profiles) -> dict[str, Any]:
    began = time.process_time()
    rows = labelled_rows(
        log.files[:1],
        [labelled(log.files[0])],
        1,
        SIGNATURE,
        asked_us=0,
        since_us=0,
        until_us=HOUR_US * WINDOWS,
    )
    read = time.process_time() - began
    fed(begun("regression", rows.scores), rows, HOUR_US * WINDOWS, 0.02)
    stream = {"rows": len(rows.at), "read_cpu_s": round(read, 2)}
    stream["fed_cpu_s"] = round(time.process_time() - began - read, 2)
    windows = [Window(n * HOUR_US, (n + 1) * HOUR_US) for n in range(WINDOWS)]
    first, again, verdict = [], [], []
    for one in windows:
        began = time.process_time()
        window_profile(shelf, log, 1, one, {one: "t"}, "t")
        first.append(time.process_time() - began)
    for _ in range(5):
        began = time.process_time()
        kept = [shelf.get(1, one, "t") for one in windows]
        again.append(time.process_time() - began)
        pairs = [(before, one.columns) for one in kept if one is not None]
        began = time.process_time()
        columns = judged(pairs, Rules(), "score")
        verdict.append(time.process_time() - began)
    return {
        "stream": stream,
        "first_cpu_s": round(statistics.median(first), 2),
        "again_cpu_ms": round(statistics.median(again) * 1e3, 1),
        "verdict_cpu_ms": round(statistics.median(verdict) * 1e3, 1),
        "peak_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3),
        "kept_bytes": sum(file.stat().st_size for file in shelf.files()) // WINDOWS,
        "drifted": sum(one["state"] == "drifted" for one in columns),
    }


def labelled(log: Path) -> Path:
    """A label for each request of the log, as the daemon reads them into the lake."""
    requests = pq.read_table(log, columns=["request"]).column(0).to_pylist()
    plain: dict[str, Any] = {"name": "label", "arrived": HOUR_US * 2, "restates": False, "post": "", "segment": "l"}
    lines = [
        {**plain, "key": one, "request": one, "value": json.dumps([0.5] * PER), "offset": place}
        for place, one in enumerate(requests)
    ]
    file = log.with_suffix(".labels.parquet")
    pq.write_table(pa.Table.from_pylist(lines, LABELS), file, compression="zstd")
    return file


def table(kinds: dict[str, FeatureKind], rows: int, seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    return pa.table({name: rng.standard_normal(rows).astype(np.float32) for name in kinds})


def written(file: Path, kinds: dict[str, FeatureKind], rows: int, hour: int) -> Path:
    """An hour of requests, as the daemon reads them into the lake."""
    made = table(kinds, rows, hour + 1)
    lines = []
    for begin in range(0, rows, PER):
        part = {
            name: column.to_pylist()
            for name, column in zip(made.column_names, made.slice(begin, PER).columns, strict=True)
        }
        score = part.pop(OUTPUT)
        line = dict.fromkeys(SCHEMA.names) | {"request": f"r{begin}", "model": "late", "version": 1, "why": "no unit"}
        line |= {
            "at": hour * HOUR_US + begin,
            "epoch": 1,
            "latency_us": 900,
            "status": 200,
            "segment": "s",
            "offset": begin,
        }
        lines.append(line | {"inputs": json.dumps(part), "outputs": json.dumps({"score": score})})
    pq.write_table(pa.Table.from_pylist(lines, SCHEMA), file, compression="zstd")
    return file


if __name__ == "__main__":
    main()
