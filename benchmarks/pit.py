"""The point-in-time join of 1M labels against 10M feature rows of 100k entities.

    python benchmarks/pit.py

Goal: at most 5 s of CPU and 1 GB resident for the plain join; the second case adds created times, of which one of
twenty is up to three days late, and a TTL. Prints one JSON object; each run has a process of its own, so that the
memory of one does not count for another.
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
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import pyarrow.dataset as pads

from pipeline.config.datasets import FeatureView
from pipeline.features.pit import Lookup, point_in_time
from pipeline.tables.duck import connect

LABELS, ROWS, ENTITIES = 1_000_000, 10_000_000, 100_000
GOAL = {"cpu_seconds": 5.0, "peak_rss_gb": 1.0}
VIEWS = {
    "event time": FeatureView(inputs=["rows"], entity=["entity"], time="event", columns=["f1", "f2"]),
    "event time, created, ttl": FeatureView(
        inputs=["rows"],
        entity=["entity"],
        time="event",
        created="created",
        ttl=timedelta(days=30),
        columns=["f1", "f2"],
    ),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--case", choices=VIEWS, help="run one case in this process")
    parser.add_argument("--data", type=Path, help="folder with the tables")
    arguments = parser.parse_args()
    if arguments.case:
        print(json.dumps(measure(arguments.data, VIEWS[arguments.case])))
        return
    with tempfile.TemporaryDirectory() as folder:
        make_tables(Path(folder))
        results = {name: median([run_alone(name, folder) for _ in range(arguments.repeat)]) for name in VIEWS}
    met = all(results["event time"][key] <= limit for key, limit in GOAL.items())
    sizes = {"labels": LABELS, "feature_rows": ROWS, "entities": ENTITIES}
    print(json.dumps({"benchmark": "pit", **sizes, "cases": results, "goal": GOAL, "met": met}, indent=1))


def make_tables(folder: Path) -> None:
    """Rows in no order; one of twenty is known up to three days late, the others a minute after they happen."""
    with duckdb.connect() as connection:
        connection.sql("SELECT setseed(0.5)").fetchall()
        moment = "to_timestamp(1356998400 + random() * 31536000)"
        late = "to_seconds(if(random() < 0.05, random() * 259200, 60)::INT)"
        connection.sql(
            f"""COPY (SELECT *, event + {late} AS created FROM (
                    SELECT (random() * {ENTITIES})::INT AS entity, {moment} AS event, random() AS f1, random() AS f2
                    FROM range({ROWS}))) TO '{folder}/rows.parquet'"""
        )
        connection.sql(
            f"""COPY (SELECT i AS n, (random() * {ENTITIES})::INT AS entity, {moment} AS moment
                    FROM range({LABELS}) t(i)) TO '{folder}/labels.parquet'"""
        )


def run_alone(case: str, folder: str) -> dict[str, Any]:
    command = [sys.executable, __file__, "--case", case, "--data", folder]
    answer: dict[str, Any] = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return answer


def measure(data: Path, view: FeatureView) -> dict[str, Any]:
    """Parquet in, Parquet out."""
    connection = connect(memory=700_000_000)  # what does not fit is spilled
    plain = pads.ParquetFileFormat(pre_buffer=False)  # as the lake reads its tables
    connection.register("rows", pads.dataset(data / "rows.parquet", format=plain))
    connection.register("labels", pads.dataset(data / "labels.parquet", format=plain))
    lookup = Lookup(
        view=view,
        rows="rows",
        examples="labels",
        row="n",
        at="moment",
        on={"entity": "entity"},
        features={column: column for column in view.columns},
        where="benchmark",
    )
    began, started = time.process_time(), time.perf_counter()
    point_in_time(connection, lookup, "answer")
    connection.sql(f"COPY (FROM answer ORDER BY n) TO '{data}/answer.parquet'")
    spent, waited = time.process_time() - began, time.perf_counter() - started
    ((rows, matched),) = connection.sql("SELECT count(*), count(f1) FROM answer").fetchall()
    assert rows == LABELS
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9
    return {
        "cpu_seconds": round(spent, 2),
        "wall_seconds": round(waited, 2),
        "peak_rss_gb": round(peak, 2),
        "rows": rows,
        "rows_matched": matched,
    }


def median(results: list[dict[str, Any]]) -> dict[str, Any]:
    return {key: statistics.median(result[key] for result in results) for key in results[0]}


if __name__ == "__main__":
    main()
