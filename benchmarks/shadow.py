"""What a slow shadow costs those who ask: one server, with and without a shadow that is ten times slower, in turn.

The shadow gets a copy of every request. Windows alternate in one run; each `…_ratio` is the median of the quotients of
neighbouring windows, with over without. Of the copies: how many were answered, and how many found no room. Two kinds of
client:

    closed      connections that each ask again once they have their answer: full load, so what the shadow takes of the
                processor shows as requests that are not asked (`requests_ratio`)
    fixed_rate  an open loop with exponential gaps, at a share of what the closed loop got answered without a shadow:
                requests come as if nothing were wrong, so what the shadow takes shows as time (`p99_ratio`, goal: 1.05)

`p99_noise` is the ratio of two windows without a shadow: on a busy box a ratio is worth no more than that. `cpu`:
seconds of the processor that the worker had in each second, the shadow's thread included. `late_p99_ms`: by which the
client itself was late.

    python benchmarks/shadow.py [--windows 9] [--connections 4] [--load 0.25] [--seconds 4]
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import jax
import numpy as np
import psutil
import pyarrow as pa

from benchmarks.made.net import apply, parameters
from benchmarks.overload import open_loop
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
    parser.add_argument("--load", type=float, default=0.25, help="Of the closed loop's requests a second.")
    parser.add_argument("--seconds", type=float, default=4.0, help="Of a window at the fixed rate.")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        home.serving.root.mkdir(parents=True)
        server = Serving(home)
        try:
            digest = slow_version(home)
            ask(home.serving.control, "prepare", 300, model="net", version=3, digest=digest)
            shadow = Arm(version=3, digest=digest)
            sent, port, worker = as_json(1), server.status()["port"], psutil.Process(server.pid)
            closed = in_turn(server, shadow, given.windows, lambda: measure(port, worker.pid, given.connections, sent))
            rate = given.load * median(one["requests_s"] for one in closed.windows["without"])
            fixed = in_turn(
                server, shadow, given.windows, lambda: figures(open_loop(port, rate, sent, given.seconds, worker)[0])
            )
            report = {
                "closed": {**compared(closed), "requests_ratio": ratio(closed, "requests_s")},
                "fixed_rate": {"rate": round(rate), **compared(fixed)},
            }
            print(json.dumps(report, indent=2))
        finally:
            server.stop()


@dataclass(frozen=True)
class InTurn:
    windows: dict[str, list[dict[str, float]]]
    """`without` and `with` a shadow."""
    copies: dict[str, int]
    """What became of them."""


def in_turn(server: Serving, shadow: Arm, windows: int, window: Callable[[], dict[str, float]]) -> InTurn:
    found: dict[str, list[dict[str, float]]] = {"without": [], "with": []}
    before = copies_of(server)
    for _ in range(windows):
        for on in found:
            publish(server, shadow if on == "with" else None)
            found[on].append(window())
    return InTurn(found, {outcome: count - before.get(outcome, 0) for outcome, count in copies_of(server).items()})


def figures(said: dict[str, Any]) -> dict[str, float]:
    assert set(said["statuses"]) == {200}, said["statuses"]
    return {name: said[name] for name in ("answered_s", "p50_ms", "p99_ms", "cpu", "late_p99_ms")}


def copies_of(server: Serving) -> dict[str, int]:
    facts = ask(server.home.serving.control, "facts", 30)["workers"]
    return {outcome: count for one in facts for *_, outcome, count in one["shadows"]}


def compared(found: InTurn) -> dict[str, Any]:
    pairs = [sorted((one["p99_ms"], other["p99_ms"])) for one, other in pairwise(found.windows["without"])]
    middle = {on: {key: median(one[key] for one in of) for key in of[0]} for on, of in found.windows.items()}
    return {
        **middle,
        "p50_ratio": ratio(found, "p50_ms"),
        "p99_ratio": ratio(found, "p99_ms"),
        "p99_noise": round(median(high / low for low, high in pairs), 3),
        "copies": found.copies,
    }


def ratio(found: InTurn, key: str) -> float:
    pairs = zip(found.windows["with"], found.windows["without"], strict=True)
    return round(median(one[key] / other[key] for one, other in pairs), 3)


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
