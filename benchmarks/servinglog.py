"""What the prediction log costs a server under load: the same server with and without it, side by side in one run.

Two supervisors with a worker each answer the same requests in turn, a window each, several times; `cpu_us` is the CPU
of the worker for one request, its median over the windows, thread of the log included. `overhead` is the quotient of
the two. Of the log: lines written, dropped, and bytes a line.

    python benchmarks/servinglog.py [--windows 7] [--connections 16]
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.serving import Serving, as_bytes, as_json, measure
from pipeline.predictions.segments import segments
from pipeline.serving.control import ask
from pipeline.serving.settings import ServingSettings
from store.home import Home


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--windows", type=int, default=7)
    parser.add_argument("--connections", type=int, default=16)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        homes = {name: Home(Path(folder) / name) for name in ("with", "without")}
        for home in homes.values():
            home.serving.root.mkdir(parents=True)
        servers = {name: Serving(home) for name, home in homes.items()}
        try:
            silence(servers["without"])
            report = {
                what: compare(servers, sent, given.windows, given.connections)
                for what, sent in (("a_row_as_json", as_json(1)), ("64_rows_as_bytes", as_bytes(64)))
            }
            print(json.dumps({**report, "log": log_of(servers["with"])}, indent=2))
        finally:
            for server in servers.values():
                server.stop()


def silence(server: Serving) -> None:
    """Starts it anew without a log."""
    server.stop()
    ServingSettings(port=0, spare=True, largest_batch=256, log=False).write(server.home.serving.settings)
    command = [sys.executable, "-P", "-m", "pipeline.serving.supervisor", str(server.home.root)]
    with server.home.serving.log.open("ab") as log:
        server.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
    server.wait()


def compare(servers: dict[str, Serving], sent: bytes, windows: int, connections: int) -> dict[str, Any]:
    found: dict[str, list[dict[str, float]]] = {name: [] for name in servers}
    for _ in range(windows):
        for name, server in servers.items():
            found[name].append(measure(server.status()["port"], server.pid, connections, sent))
    middle = {name: {key: median(one[key] for one in of) for key in of[0]} for name, of in found.items()}
    return {**middle, "overhead": round(middle["with"]["cpu_us"] / middle["without"]["cpu_us"], 3)}


def log_of(server: Serving) -> dict[str, Any]:
    facts = ask(server.home.serving.control, "facts", 30)["workers"]
    counts = {outcome: count for one in facts for _, outcome, count in one["log_predictions"]}
    size = sum(one.stat().st_size for one in segments(server.home.serving.predictions("net")))
    return {**counts, "bytes_a_line": round(size / max(1, counts["written"]))}


if __name__ == "__main__":
    main()
