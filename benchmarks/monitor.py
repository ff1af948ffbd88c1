"""What a window of the prediction log costs a monitor: CPU and memory to profile it, to find it again, to judge it.

Prints one JSON object. `first`: the window's requests, as JSON in the lake, into profiles that are kept. What follows
is measured from files, each time anew, with nothing of the time before in memory:

- `reference`: what the version learned from, read.
- `window`: the kept profile of one window, read.
- `newest`: reference and newest window read, and the window judged: each column against the reference.
- `report`: reference and three windows read, and judged together, with everything that a report tells of columns.
  `judging`: of that, what is left without reading.
- `stream`: 100,000 of the first window's rows, whose labels have all come, into its stream of errors.

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
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.labels.ingest import SCHEMA as LABELS
from pipeline.predictions.ingest import SCHEMA
from pipeline.versions.signature import FeatureKind, InputColumn, Signature
from pipeline.watching.errorstream import begun, fed
from pipeline.watching.judged import Compared, judged
from pipeline.watching.labelled import labelled_rows
from pipeline.watching.logged import OUTPUT
from pipeline.watching.logtable import LogTable
from pipeline.watching.making import window_profile
from pipeline.watching.measures import all_measures
from pipeline.watching.profile import Profiles, cells_of, digest_of, fit, from_document, profile, to_document
from pipeline.watching.stored import Shelf
from pipeline.watching.verdict import Rules
from pipeline.watching.windows import HOUR_US, Window

PER = 20
"""Rows of a request."""
WINDOWS = 3
TIMES = 9
SIGNATURE = Signature(inputs=[InputColumn(name="c0", kind="numeric")], task="regression", label="y")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rows", type=int, default=200_000, help="of a window")
    parser.add_argument("--columns", type=int, default=20)
    asked = parser.parse_args()
    kinds: dict[str, FeatureKind] = dict.fromkeys([*(f"c{n}" for n in range(asked.columns)), OUTPUT], "numeric")
    sample = table(kinds, 100_000, 0)
    before = profile(fit(sample, kinds), sample.to_batches())
    del sample
    with tempfile.TemporaryDirectory() as place:
        # In processes of their own, whose memory is not this one's.
        with ProcessPoolExecutor(1, get_context("spawn"), max_tasks_per_child=1) as other:
            made = [other.submit(written, Path(place) / f"{n}.parquet", kinds, asked.rows, n) for n in range(WINDOWS)]
            files = [one.result() for one in made]
        found = measured(LogTable(files, 1, kinds, "score"), Shelf(Path(place) / "kept", cells_of(before)), before)
    print(json.dumps({"rows": asked.rows, "columns": asked.columns, **found}, indent=2))


def measured(log: LogTable, shelf: Shelf, before: Profiles) -> dict[str, Any]:
    windows = [Window(n * HOUR_US, (n + 1) * HOUR_US) for n in range(WINDOWS)]
    first = [seconds(partial(window_profile, shelf, log, 1, one, {one: "t"}, "t")) for one in windows]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    document = orjson.dumps(to_document(before))
    digest = digest_of(cells_of(before))

    def read(some: Sequence[Window]) -> list[Compared]:
        """As a monitor's run does, whose reference says which cells it is over."""
        known = from_document(orjson.loads(document))
        kept = [Shelf(shelf.folder.parent, cells_of(known), digest).get(1, one, "t") for one in some]
        return [(known, one.columns) for one in kept if one is not None]

    def report() -> list[dict[str, Any]]:
        return judged(read(windows), Rules(), "score")

    measured = {
        "reference": lambda: from_document(orjson.loads(document)),
        "window": lambda: shelf.get(1, windows[0], "t"),
        "newest": lambda: all_measures(*read(windows[-1:])[0]),
        "report": report,
        "reading": lambda: read(windows),
    }
    cpu = {name: 1e3 * statistics.median(seconds(each) for _ in range(TIMES)) for name, each in measured.items()}
    cpu["judging"] = cpu["report"] - cpu.pop("reading")
    return {
        "stream": stream(log.files[0]),
        "first_cpu_s": round(statistics.median(first), 2),
        **{f"{name}_cpu_ms": round(one, 1) for name, one in cpu.items()},
        "peak_mb": round(peak),
        "kept_bytes": sum(file.stat().st_size for file in shelf.files()) // WINDOWS,
        "drifted": sum(one["state"] == "drifted" for one in report()),
    }


def stream(log: Path) -> dict[str, Any]:
    said = [labelled(log)]
    end_us = HOUR_US * WINDOWS
    began = time.process_time()
    rows = labelled_rows([log], said, 1, SIGNATURE, asked_us=0, since_us=0, until_us=end_us)
    read = time.process_time() - began
    fed_s = seconds(lambda: fed(begun("regression", rows.scores), rows, end_us, 0.02))
    return {"rows": len(rows.at), "read_cpu_s": round(read, 2), "fed_cpu_s": round(fed_s, 2)}


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


def seconds(does: Callable[[], Any]) -> float:
    """Of CPU."""
    began = time.process_time()
    does()
    return time.process_time() - began


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
