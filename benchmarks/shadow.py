"""What a slow shadow costs those who ask: one server, with and without a shadow that is ten times slower, in turn.

The shadow gets a copy of every request. Windows alternate in one run; `p99_ratio` and `requests_ratio` are medians of
the quotients of neighbouring windows, with over without. Of the copies: how many were answered, and how many found no
room. Goal: p99 ≤ 1.05 on a quiet box; on a busy one the ratio of two windows without a shadow (`p99_noise`) says what a
ratio is worth.

    python benchmarks/shadow.py [--windows 9] [--connections 4]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from statistics import median

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import jax
import numpy as np
import pyarrow as pa

from benchmarks.made.net import apply, parameters
from benchmarks.serving import NAMES, SIGNATURE, Serving, as_json, measure
from pipeline.judging.gates import Verdict
from pipeline.serving.control import ask
from pipeline.versions.bundle import write_bundle
from store.home import Home
from store.routing import Arm, Route, Snapshot, publish_snapshot, read_snapshot
from tests.evidence import least_evidence

SLOWER = 10


def ten_times(params: dict[str, jax.Array], numeric: jax.Array, categorical: jax.Array) -> jax.Array:
    """The same network, over and over: each turn needs the one before."""
    found: jax.Array = numeric[:, 0]
    for _ in range(SLOWER):
        found = apply(params, numeric + 1e-9 * found[:, None], categorical)
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--windows", type=int, default=9)
    parser.add_argument("--connections", type=int, default=4)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        home.serving.root.mkdir(parents=True)
        server = Serving(home)
        try:
            digest = slow_version(home)
            ask(home.serving.control, "prepare", 300, model="net", version=3, digest=digest)
            shadow = Arm(version=3, digest=digest)
            found: dict[str, list[dict[str, float]]] = {"without": [], "with": []}
            for _ in range(given.windows):
                for on in ("without", "with"):
                    publish(server, shadow if on == "with" else None)
                    found[on].append(measure(server.status()["port"], server.pid, given.connections, as_json(1)))
            facts = ask(home.serving.control, "facts", 30)["workers"]
            copies = {outcome: count for one in facts for *_, outcome, count in one["shadows"]}
            print(json.dumps({**report(found), "copies": copies}, indent=2))
        finally:
            server.stop()


def report(found: dict[str, list[dict[str, float]]]) -> dict[str, object]:
    def ratio(key: str) -> float:
        pairs = zip(found["with"], found["without"], strict=True)
        return round(median(one[key] / other[key] for one, other in pairs), 3)

    quiet = found["without"]
    pairs = [sorted((one["p99_ms"], other["p99_ms"])) for one, other in pairwise(quiet)]
    noise = [high / low for low, high in pairs]
    middle = {on: {key: median(one[key] for one in of) for key in of[0]} for on, of in found.items()}
    return {
        **middle,
        "p50_ratio": ratio("p50_ms"),
        "p99_ratio": ratio("p99_ms"),
        "requests_ratio": ratio("requests_s"),
        "p99_noise": round(median(noise), 3),
    }


def publish(server: Serving, shadow: Arm | None) -> None:
    route = server.route(1, 2)
    route = Route(arms=route.arms, previous=shadow or route.previous, shadow=shadow)
    epoch = read_snapshot(server.home.serving.routing).epoch + 1
    publish_snapshot(server.home.serving.routing, Snapshot(epoch=epoch, routes={"net": route}))
    ask(server.home.serving.control, "switch", 60)


def slow_version(home: Home) -> str:
    return write_bundle(
        home,
        apply=ten_times,
        params=parameters(3),
        signature=SIGNATURE,
        golden=pa.table({name: np.linspace(-1, 1, 8) for name in NAMES}),
        evidence=least_evidence(),
        verdict=Verdict(passed=True, gates=[]),
        lineage={},
        platforms=("cpu",),
    ).digest


if __name__ == "__main__":
    main()
