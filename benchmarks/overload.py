"""Three times what a server can answer: how those fare whom it takes, how soon the others hear so, and its memory.

The real supervisor and one worker. First its capacity: the most that closed loops of 4, 16, 64 and 256 connections get
answered, each of which asks again once it has its answer. Then open loops from a process of their own, which ask at a
fixed rate with exponential gaps whatever becomes of it: at the capacity, at three times it, and at a half to see that
nothing stays behind. Three kinds of request:

    row      a row as JSON; reading and writing take most of it. The client cannot always make three times of these:
             `factor` says how many it made
    rows     64 rows as JSON; the event loop is what is full
    model    a row for a model that takes its time; the computing thread is what is full

For each: `capacity_s` with `closed`, and of each open loop the rates that were `asked_s` and `answered_s`, `p99_ms` of
the answered, `refused_p99_ms` (`refused_again_p99_ms`: without the first of each connection, which has to be taken in
before it can be heard; hundreds come at once), statuses. `p99_ratio`: of the answered at three times to those at
capacity (goal: 2 at most). `rss_growth_mb`: of the worker, from the end of the loop at capacity to the highest in the
overload (goal: < 20). `late_p99_ms`: by which the client itself was late, `cpu`: seconds of the processor that the
worker had in each second; where the one is of the size of a time, or the other far below 1 in an overload, the box was
busy with something else.

    python benchmarks/overload.py [--seconds 8] [--kinds row rows model]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import jax
import numpy as np
import psutil

from benchmarks.made import flood, load
from benchmarks.made.net import apply
from benchmarks.serving import Serving, as_json
from store.home import Home

CLOSED = (4, 16, 64, 256)
CLOSED_S = 3.0
TURNS = 300


def slow(params: dict[str, jax.Array], numeric: jax.Array, categorical: jax.Array) -> jax.Array:
    """The same network, over and over: each turn needs the one before."""

    def again(_: int, found: jax.Array) -> jax.Array:
        return apply(params, numeric + 1e-9 * found[:, None], categorical)

    found: jax.Array = jax.lax.fori_loop(0, TURNS, again, numeric[:, 0])
    return found


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=float, default=8.0)
    parser.add_argument("--kinds", nargs="+", default=["row", "rows", "model"], choices=["row", "rows", "model"])
    given = parser.parse_args()
    report = {}
    for kind in given.kinds:
        with tempfile.TemporaryDirectory() as folder:
            home = Home(Path(folder))
            home.serving.root.mkdir(parents=True)
            server = Serving(home, function=slow if kind == "model" else apply)
            try:
                report[kind] = measure(server, as_json(64 if kind == "rows" else 1), given.seconds)
            finally:
                server.stop()
    print(json.dumps(report, indent=2))


def measure(server: Serving, sent: bytes, seconds: float) -> dict[str, Any]:
    port, worker = server.status()["port"], psutil.Process(server.pid)
    closed = {number: closed_loop(port, number, sent) for number in CLOSED}
    capacity = max(found["requests_s"] for found in closed.values())
    loops, rss = {}, {}
    for factor in (1.0, 3.0, 0.5):
        loops[factor], rss[factor] = open_loop(port, capacity * factor, sent, seconds, worker)
        time.sleep(1.0)
    return {
        "capacity_s": capacity,
        "closed": closed,
        "open": loops,
        "factor": round(loops[3.0]["asked_s"] / capacity, 2),
        "p99_ratio": round(loops[3.0]["p99_ms"] / loops[1.0]["p99_ms"], 2),
        "rss_growth_mb": round((max(rss[3.0]) - rss[1.0][-1]) / 1e6, 1),
    }


def closed_loop(port: int, connections: int, sent: bytes) -> dict[str, float]:
    found = json.loads(load.start(port, connections, sent, CLOSED_S).communicate()[0])
    answered = len(found["times"]) - found["failed"]
    return {
        "requests_s": round(answered / CLOSED_S),
        "p99_ms": milliseconds(found["times"], 0.99),
        "failed": found["failed"],
    }


def open_loop(
    port: int, rate: float, sent: bytes, seconds: float, worker: psutil.Process
) -> tuple[dict[str, Any], list[int]]:
    """What the client says, and bytes of the worker's memory meanwhile."""
    cpu = worker.cpu_times()
    client, sizes = flood.start(port, rate, sent, seconds), []
    said: bytes | str | None = None
    while said is None:
        sizes.append(worker.memory_info().rss)
        with contextlib.suppress(subprocess.TimeoutExpired):
            said = client.communicate(timeout=0.2)[0]
    found, after = json.loads(said), worker.cpu_times()
    times = {int(status): of for status, of in found.pop("times").items()}
    late, refused = found.pop("late_s"), _refused(times)
    first = _refused({int(status): of for status, of in found.pop("first_times").items()})
    return {
        "asked_s": round(len(late) / seconds),
        "answered_s": round(len(times.get(200, [])) / seconds),
        "p50_ms": milliseconds(times.get(200, []), 0.5),
        "p99_ms": milliseconds(times.get(200, []), 0.99),
        "refused_p50_ms": milliseconds(refused, 0.5),
        "refused_p99_ms": milliseconds(refused, 0.99),
        "refused_first": len(first),
        "refused_again_p99_ms": milliseconds(list((Counter(refused) - Counter(first)).elements()), 0.99),
        "statuses": {status: len(of) for status, of in sorted(times.items())},
        "cpu": round((after.user + after.system - cpu.user - cpu.system) / seconds, 2),
        "late_p99_ms": milliseconds(late, 0.99),
        **found,
    }, sizes


def _refused(times: dict[int, list[float]]) -> list[float]:
    return [*times.get(429, []), *times.get(503, [])]


def milliseconds(seconds: list[float], share: float) -> float | None:
    return round(float(np.quantile(seconds, share)) * 1e3, 2) if seconds else None


if __name__ == "__main__":
    main()
