"""A shed in which fifty trainings run, without fifty processes: the real record and API, and their news once a second.

    python benchmarks/busy.py DIR [--runs 50] [--seconds 60] [--every 1.0] [--tell]

Serves DIR/.trainshed/trainshed.sock and says `ready`. From the first line on standard input on, each run reports two
metrics and its progress once a second, as their workers would; then it ends. `--tell` says when each was committed.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import os
import sys
import threading
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from daemon import definitions
from daemon.api.app import create_app
from daemon.api.server import ControlServer
from daemon.api.shed import Identity, Shed
from daemon.core import Daemon
from daemon.service import bind_socket, prepare_home
from pipeline.config.load import load_project
from store import lifecycle, metrics, progress, queue
from store.home import Home
from store.metrics import Chunk
from store.queue import NewRun
from store.times import system_clock

PROJECT = """
[project]
name = "busy"
[sources.numbers]
kind = "file"
path = "numbers.csv"
format = "csv"
[datasets.numbers]
source = "numbers"
key = ["id"]
[models.late]
task = "binary"
dataset = "numbers"
label = "late"
key = ["id"]
numeric = ["id"]
"""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--every", type=float, default=1.0)
    parser.add_argument("--tell", action="store_true")
    asked = parser.parse_args()
    folder: Path = asked.folder
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "trainshed.toml").write_text(PROJECT)
    (folder / "numbers.csv").write_text("id,late\n1,0\n2,1\n")
    home = Home(folder / ".trainshed")
    prepare_home(home)
    daemon = Daemon(home, load_project(folder), system_clock)
    runs = start_runs(daemon, asked.runs)
    identity = Identity(folder=folder, release="0", pid=os.getpid(), started_at=system_clock())
    app = create_app(Shed(daemon, identity, lambda drain: None))
    told = (asked.seconds, asked.every, asked.tell)
    threading.Thread(target=speak, args=(daemon, runs, *told), daemon=True).start()
    asyncio.run(ControlServer(app).serve_when(lambda: print("ready", flush=True), [bind_socket(home.socket)]))


def start_runs(daemon: Daemon, count: int) -> list[int]:
    """Runs that have just begun."""
    with daemon.record.transaction() as tx:
        definitions.sync(tx, daemon.project, daemon.jobs)
        new = NewRun(job="train:late", kind="train", target="late", trigger="manual", actor="ann")
        runs = queue.submit(tx, [new] * count)
        for run in runs:
            attempt = lifecycle.start_attempt(tx, run, "n" * 32)
            lifecycle.mark_running(tx, run, attempt.number)
    return runs


def speak(daemon: Daemon, runs: list[int], seconds: int, every: float, tell: bool) -> None:
    """One transaction each `every` seconds, as the daemon's ingest makes one of all spools."""
    sys.stdin.readline()
    for second in range(1, seconds + 1):
        with daemon.record.transaction() as tx:
            for run in runs:
                loss = 0.7 * math.exp(-second / 30) + 0.01 * math.sin(run + second)
                values = {"train/loss": [loss], "validation/auc": [1 - loss]}
                metrics.add_points(tx, [Chunk(run, tx.now, [second], values)])
                progress.report_progress(
                    tx,
                    run,
                    done=second,
                    total=seconds,
                    unit="steps",
                    message=f"loss {loss:.4f}",
                    eta_s=seconds - second,
                )
        if tell:
            print(time.perf_counter(), flush=True)
        time.sleep(every)


if __name__ == "__main__":
    main()
