"""Three times what a server can answer: how those fare whom it takes, how soon the others hear so, and its memory.

The real supervisor and one worker, on a core of their own (`serving.cores`), and the client on another: else the client
has the processor while the server should have it, and what it asks is never three times what the server can answer.
With a single core, or `--together`, they share what there is. First the capacity: the most that closed loops of 16, 64
and 256 connections get answered, each of which asks again once it has its answer. Then open loops, which ask at a fixed
rate with exponential gaps whatever becomes of it: at the capacity, at three times it, and at a half to see that nothing
stays behind. Three kinds of request:

    row      a row as JSON; the kernel's reading and writing take most of it
    rows     64 rows as JSON; the event loop is what is full
    model    a row for a model that takes its time; the computing thread is what is full

Times are of the server: from before a request is written to the moment at which the kernel had its answer at the
client (`made/flood.py`). What the client is late by itself is beside them: `late_p99_ms` behind its own plan with
writing, `read_late_p99_ms` with reading an answer that is there. Where `elsewhere` (the share of the server's core that
others had) is large, the box was busy with something else, and each of its turns is a time here: nothing is answered
before the server has the processor again.

For each kind: `capacity_s` with `closed`, and of each open loop the rates that were `asked_s` and `answered_s`,
`p99_ms` of the answered and `refused_p99_ms`, both also `settled_…`: of what was asked after the first second, in which
an overload begins (until the first is refused it is a burst, and connections are made by hundreds). `refused_in_10_ms`:
share of the refused. `p99_ratio`: of the answered at three times to those at capacity (goal: 2 at most),
`settled_ratio` the same without the first second. `rss_growth_mb`: of the worker, from the end of the loop at capacity
to the highest in the overload (goal: < 20). `cpu`: seconds of the processor that the worker had in each second.

    python benchmarks/overload.py [--seconds 8] [--kinds row rows model] [--together]
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import jax
import numpy as np
import psutil

from benchmarks.made import flood
from benchmarks.made.net import apply
from benchmarks.serving import Serving, as_json
from store.home import Home

CLOSED = (16, 64, 256)
CLOSED_S = 3.0
SETTLED_S = 1.0
SOON_S = 0.010
TURNS = 300


@dataclass(frozen=True)
class Places:
    """Cores of the server and of its client; None: any."""

    server: int | None
    client: int | None

    @classmethod
    def apart(cls) -> Places:
        first, *others = sorted(os.sched_getaffinity(0))
        return cls(first, others[0]) if others else cls(None, None)


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
    parser.add_argument("--together", action="store_true", help="Server and client share the cores.")
    given = parser.parse_args()
    places = Places(None, None) if given.together else Places.apart()
    report: dict[str, Any] = {"cores": asdict(places)}
    for kind in given.kinds:
        with tempfile.TemporaryDirectory() as folder:
            home = Home(Path(folder))
            home.serving.root.mkdir(parents=True)
            cores = [] if places.server is None else [places.server]
            server = Serving(home, function=slow if kind == "model" else apply, cores=cores)
            try:
                report[kind] = measure(server, as_json(64 if kind == "rows" else 1), given.seconds, places)
            finally:
                server.stop()
    print(json.dumps(report, indent=2))


def measure(server: Serving, sent: bytes, seconds: float, places: Places) -> dict[str, Any]:
    port, worker = server.status()["port"], psutil.Process(server.pid)
    closed = {number: closed_loop(port, number, sent, places.client) for number in CLOSED}
    capacity = max(found["requests_s"] for found in closed.values())
    loops, rss = {}, {}
    for factor in (1.0, 3.0, 0.5):
        loops[factor], rss[factor] = open_loop(port, capacity * factor, sent, seconds, worker, places)
        time.sleep(1.5)
    return {
        "capacity_s": capacity,
        "closed": closed,
        "open": loops,
        "factor": round(loops[3.0]["asked_s"] / capacity, 2),
        "p99_ratio": round(loops[3.0]["p99_ms"] / loops[1.0]["p99_ms"], 2),
        "settled_ratio": round(loops[3.0]["settled_p99_ms"] / loops[1.0]["settled_p99_ms"], 2),
        "rss_growth_mb": round((max(rss[3.0]) - rss[1.0][-1]) / 1e6, 1),
    }


def closed_loop(port: int, connections: int, sent: bytes, core: int | None) -> dict[str, Any]:
    found = json.loads(flood.start(port, 0, sent, CLOSED_S, connections=connections, core=core).communicate()[0])
    answered = found["times"].get("200", [])
    return {
        "requests_s": round(len(answered) / CLOSED_S),
        "p99_ms": milliseconds(answered, 0.99),
        "failed": sum(len(of) for status, of in found["times"].items() if status != "200"),
    }


def open_loop(
    port: int, rate: float, sent: bytes, seconds: float, worker: psutil.Process, places: Places = Places(None, None)
) -> tuple[dict[str, Any], list[int]]:
    """What the client says, and bytes of the worker's memory meanwhile."""
    cpu, core = worker.cpu_times(), busy_s(places.server)
    client, sizes = flood.start(port, rate, sent, seconds, core=places.client), []
    said: bytes | str | None = None
    while said is None:
        sizes.append(worker.memory_info().rss)
        with contextlib.suppress(subprocess.TimeoutExpired):
            said = client.communicate(timeout=0.2)[0]
    found, after, core = json.loads(said), worker.cpu_times(), busy_s(places.server) - core
    had = after.user + after.system - cpu.user - cpu.system
    return {
        **told(found, seconds),
        "cpu": round(had / seconds, 2),
        "elsewhere": None if places.server is None else round((core - had) / seconds, 2),
    }, sizes


def told(found: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Figures of what a flood has said."""
    times, asked_at = by_status(found, "times"), by_status(found, "asked_at")
    late, refused, first = found["late_s"], _refused(times), _refused(by_status(found, "first_times"))
    settled = {
        status: [took for took, asked in zip(of, asked_at[status], strict=True) if asked > SETTLED_S]
        for status, of in times.items()
    }
    return {
        "asked_s": round(len(late) / seconds),
        "answered_s": round(len(times.get(200, [])) / seconds),
        "p50_ms": milliseconds(times.get(200, []), 0.5),
        "p99_ms": milliseconds(times.get(200, []), 0.99),
        "settled_p99_ms": milliseconds(settled.get(200, []), 0.99),
        "refused_p50_ms": milliseconds(refused, 0.5),
        "refused_p99_ms": milliseconds(refused, 0.99),
        "settled_refused_p99_ms": milliseconds(_refused(settled), 0.99),
        "refused_in_10_ms": round(float(np.mean(np.array(refused) < SOON_S)), 4) if refused else None,
        "refused_first": len(first),
        "refused_first_p99_ms": milliseconds(first, 0.99),
        "statuses": {status: len(of) for status, of in sorted(times.items())},
        "late_p99_ms": milliseconds(late, 0.99),
        "read_late_p99_ms": milliseconds(found["read_late_s"], 0.99),
        **{name: found[name] for name in ("unsent", "broken", "connections", "without_retry_after", "unanswered")},
    }


def by_status(found: dict[str, Any], name: str) -> dict[int, list[float]]:
    return {int(status): of for status, of in found[name].items()}


def busy_s(core: int | None) -> float:
    """Seconds in which somebody had the core, since the machine started; 0 for none."""
    if core is None:
        return 0.0
    times = psutil.cpu_times(percpu=True)[core]
    return float(sum(times) - times.idle - times.iowait - times.guest - times.guest_nice)


def _refused(times: dict[int, list[float]]) -> list[float]:
    return [*times.get(429, []), *times.get(503, [])]


def milliseconds(seconds: list[float], share: float) -> float | None:
    return round(float(np.quantile(seconds, share)) * 1e3, 2) if seconds else None


if __name__ == "__main__":
    main()
