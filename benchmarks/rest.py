"""The daemon at rest: how soon it is ready, what it costs to have it.

Starts the real daemon on a project with twenty schedules that are not due, and prints one JSON object:

    ready_s       from the start of the process until a first write over the API was answered (median of 5), its CPU
                  seconds `ready_cpu_s` beside it: on a busy box the wall time is not the daemon's
    rss_mb, pss_mb, cpu_percent (over 20 s), threads, files      at rest

Goals: rss ≤ 150 MB, cpu ≤ 0.5 %, ready ≤ 1.5 s.

    python benchmarks/rest.py
"""

from __future__ import annotations

import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx
import psutil

from store.home import Home

REST_S = 20.0
STARTS = 5
PROJECT = """
[project]
name = "rest"
[sources.numbers]
kind = "python"
function = "work.py:rows"
[datasets.numbers]
source = "numbers"
""" + "".join(f'[schedules.s{n}]\njob = "etl:numbers"\ncron = "{n} 4 1 1 *"\n' for n in range(20))


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "trainshed.toml").write_text(PROJECT)
        starts = [measure_start(Path(folder)) for _ in range(STARTS)]
        report = {
            "ready_s": round(statistics.median(wall for wall, _ in starts), 3),
            "ready_cpu_s": round(statistics.median(cpu for _, cpu in starts), 3),
            **measure_rest(Path(folder)),
        }
    print(json.dumps(report))


def measure_start(folder: Path) -> tuple[float, float]:
    """Seconds until the first write was answered, and the CPU seconds it took."""
    began = time.perf_counter()
    process = start(folder)
    try:
        write_when_possible(Home.of_project(folder).socket)
        wall = time.perf_counter() - began
        times = psutil.Process(process.pid).cpu_times()
        return wall, times.user + times.system
    finally:
        stop(process)


def measure_rest(folder: Path) -> dict[str, Any]:
    process = start(folder)
    try:
        write_when_possible(Home.of_project(folder).socket)
        time.sleep(3)  # the work of starting is over
        daemon = psutil.Process(process.pid)
        before = daemon.cpu_times()
        time.sleep(REST_S)
        after = daemon.cpu_times()
        memory = daemon.memory_full_info()
        spent = after.user + after.system - before.user - before.system
        return {
            "rss_mb": round(memory.rss / 1e6, 1),
            "pss_mb": round(memory.pss / 1e6, 1),
            "cpu_percent": round(100 * spent / REST_S, 3),
            "threads": daemon.num_threads(),
            "files": daemon.num_fds(),
        }
    finally:
        stop(process)


def start(folder: Path) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "daemon.main", "--project", str(folder)], stdout=subprocess.DEVNULL
    )


def stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    process.wait(20)


def write_when_possible(path: Path) -> None:
    """Pauses and resumes a schedule: a row is changed, durably."""
    while True:
        with socket.socket(socket.AF_UNIX) as probe:
            if probe.connect_ex(str(path)) == 0:
                break
        time.sleep(0.005)
    with httpx.Client(transport=httpx.HTTPTransport(uds=str(path)), base_url="http://shed", timeout=20) as client:
        client.post("/v1/schedules/s0/pause").raise_for_status()
        client.post("/v1/schedules/s0/resume").raise_for_status()


if __name__ == "__main__":
    main()
