"""What a training that takes the whole box costs those who ask an endpoint: p99 with it against p99 without it.

The real supervisor and one worker, started as the daemon starts them, and a client in a process of its own that asks at
a fixed rate, far below what the server can answer, with exponential gaps. Beside them, in turn: nothing; as many
processes as there are cores, each in a session of its own as runs are, that compute without end and give way as runs do
(`pipeline.process.worker.give_way`); and the same without giving way. Windows alternate; figures are medians of them.
One JSON object:

    idle, beside, rude       p50_ms, p99_ms, answered_s, statuses that are not 200, and `niceness` of the processes
    p99_ratio                beside to idle, of neighbouring windows (goal: 3 at most); `rude_p99_ratio`: not giving way
    p99_noise                of two neighbouring windows of `idle`: what the box is worth
    niceness                 of the worker

    python benchmarks/beside.py [--windows 5] [--rate 200] [--seconds 5]
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
import psutil

from benchmarks.made import flood
from benchmarks.serving import Serving, as_json
from store.home import Home

COMPUTE = """
import sys
from pathlib import Path
import numpy as np
from pipeline.process.worker import give_way
from store.home import Home
if sys.argv[1] == "beside":
    give_way(Home(Path(sys.argv[2])))
square = np.ones((300, 300), np.float32)
print("computing", flush=True)
while True:
    square = np.tanh(square @ square / 300)
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--windows", type=int, default=5)
    parser.add_argument("--rate", type=float, default=200.0)
    parser.add_argument("--seconds", type=float, default=5.0)
    given = parser.parse_args()
    found: dict[str, list[dict[str, Any]]] = {"idle": [], "beside": [], "rude": []}
    with tempfile.TemporaryDirectory() as folder:
        home = Home(Path(folder))
        home.serving.root.mkdir(parents=True)
        server = Serving(home)
        try:
            port, niceness = server.status()["port"], psutil.Process(server.pid).nice()
            for _ in range(given.windows):
                for what, windows in found.items():
                    windows.append(window(home, what, port, given.rate, given.seconds))
        finally:
            server.stop()
    print(json.dumps({**report(found), "niceness": niceness}, indent=2))


def window(home: Home, what: str, port: int, rate: float, seconds: float) -> dict[str, Any]:
    training = [] if what == "idle" else [train(home, what) for _ in range(os.cpu_count() or 1)]
    try:
        said = json.loads(flood.start(port, rate, as_json(1), seconds).communicate()[0])
        niceness = sorted({psutil.Process(one.pid).nice() for one in training})
    finally:
        for one in training:
            one.kill()
            one.communicate()
    times = said["times"]["200"]
    return {
        "p50_ms": round(float(np.quantile(times, 0.5)) * 1e3, 2),
        "p99_ms": round(float(np.quantile(times, 0.99)) * 1e3, 2),
        "answered_s": round(len(times) / seconds),
        "others": sum(len(of) for status, of in said["times"].items() if status != "200"),
        "niceness": niceness,
    }


def train(home: Home, what: str) -> subprocess.Popen[bytes]:
    """A process that computes; returns when it does."""
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    root = str(Path(__file__).resolve().parent.parent)
    command = [sys.executable, "-c", COMPUTE, what, str(home.root)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=root, env=environment, start_new_session=True)
    assert process.stdout is not None
    process.stdout.readline()
    return process


def report(found: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    def ratio(what: str) -> float:
        pairs = zip(found[what], found["idle"], strict=True)
        return round(float(median(one["p99_ms"] / other["p99_ms"] for one, other in pairs)), 2)

    middle = {
        what: {key: median(one[key] for one in of) for key in of[0] if key != "niceness"}
        | {"niceness": of[0]["niceness"]}
        for what, of in found.items()
    }
    noise = [
        max(one["p99_ms"], other["p99_ms"]) / min(one["p99_ms"], other["p99_ms"])
        for one, other in pairwise(found["idle"])
    ]
    return {
        **middle,
        "p99_ratio": ratio("beside"),
        "rude_p99_ratio": ratio("rude"),
        "p99_noise": round(median(noise), 2) if noise else None,
    }


if __name__ == "__main__":
    main()
