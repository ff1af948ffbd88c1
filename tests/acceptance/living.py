"""A living daemon for tests: a project in a folder, the daemon as its own process, its API over the real socket."""

from __future__ import annotations

import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, Final

import httpx

from pipeline.process import procfs
from store.home import AttemptDir, Home

BORROWED_SPOOL = '''
import gc, os, signal, subprocess, sys, time
import pyarrow as pa

def spool():
    """The worker's own spool, to write events as a training step would."""
    from pipeline.process.spool import Spool
    return next(o for o in gc.get_objects() if isinstance(o, Spool))

def table():
    return pa.table({"a": [1, 2, 3]})
'''


def until(condition: Callable[[], Any], seconds: float = 30.0, *, pause: float = 0.25) -> Any:
    """Waits until the condition is true of the world, and returns what it gave.

    To ask costs both sides some 10 ms of computing. So it is asked less often the longer it has not been so, at last
    every `pause` seconds; what has come is seen a tenth later at most.
    """
    began = time.monotonic()
    while True:
        found = condition()
        if found:
            return found
        waited = time.monotonic() - began
        assert waited < seconds, "it did not happen in time"
        time.sleep(min(max(0.02, waited / 10), pause))


USUAL_S: Final = 0.0134
"""What `_work` takes on the quiet two-core box on which the limits were set."""


def crowd() -> float:
    """How many times longer work takes now than it did where the limits were set: what else runs here, for each core,
    times how slow a core is."""
    others = max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
    return others * max(1.0, min(_work() for _ in range(3)) / USUAL_S)


def _work() -> float:
    """Seconds for a fixed piece of work."""
    began = time.perf_counter()
    sum(number * number for number in range(300_000))
    return time.perf_counter() - began


class Living:
    """One project with its daemon, which may be killed and started again."""

    def __init__(self, folder: Path, functions: str, *, daemon: str = "", extra: str = "") -> None:
        """`functions`: Python source of the functions `rows_NAME`; each becomes a source and a dataset NAME."""
        self.folder = folder
        self.home = Home(folder / ".trainshed")
        self.process: subprocess.Popen[bytes] | None = None
        source = BORROWED_SPOOL + textwrap.dedent(functions)
        (folder / "work.py").write_text(source)
        names = [line.split("(")[0][9:] for line in source.splitlines() if line.startswith("def rows_")]
        tables = "".join(
            f'[sources.{name}]\nkind = "python"\nfunction = "work.py:rows_{name}"\n'
            f'[datasets.{name}]\nsource = "{name}"\n'
            for name in names
        )
        (folder / "trainshed.toml").write_text(
            f'[project]\nname = "living"\n[daemon]\nmin_free = "1MB"\n{daemon}\n{tables}\n{extra}'
        )

    def start(self) -> float:
        """Starts the daemon; seconds until it answered."""
        began = time.monotonic()
        self.launch()
        until(self.answers, 120)
        return time.monotonic() - began

    def launch(self) -> None:
        """Starts the daemon's process and does not wait for it."""
        command = [sys.executable, "-P", "-m", "daemon.main", "--project", str(self.folder)]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def answers(self) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, f"the daemon ended: {self.home.daemon_log.read_text()}"
        with socket.socket(socket.AF_UNIX) as probe:  # httpx leaves a refused socket to the garbage collector
            if probe.connect_ex(str(self.home.socket)) != 0:
                return False
        return bool(self.get("/v1/status")["pid"] == self.process.pid)

    def kill(self) -> None:
        """kill -9, as an OOM killer would."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        """Ends the daemon and everything it has started."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)
        for directory in self.home.runs.glob("*/*"):
            status = _status(AttemptDir(directory))
            if status is not None and procfs.start_ticks(status["pid"]) == status["created"]:
                os.kill(status["pid"], signal.SIGTERM)
                os.kill(status["pid"], signal.SIGTERM)

    # ------------------------------------------------------------------------------------------------- the API

    def get(self, path: str, **params: Any) -> Any:
        return self._ask("GET", path, params=params)

    def post(self, path: str, body: Any = None) -> Any:
        return self._ask("POST", path, json=body)

    def _ask(self, method: str, path: str, **options: Any) -> Any:
        transport = httpx.HTTPTransport(uds=str(self.home.socket), verify=False)  # reading certificates costs 25 ms
        with httpx.Client(transport=transport, base_url="http://shed") as client:
            answer = client.request(method, path, timeout=60, **options)
        assert answer.is_success, answer.text
        return answer.json()

    def submit(self, job: str, **request: Any) -> int:
        return int(self.post("/v1/runs", {"job": job, **request})["id"])

    def run(self, run: int) -> dict[str, Any]:
        found: dict[str, Any] = self.get(f"/v1/runs/{run}")
        return found

    def state(self, run: int) -> str:
        return str(self.run(run)["run"]["state"])

    def wait(self, run: int, *states: str, seconds: float = 60.0) -> dict[str, Any]:
        """Until the run is in one of the states (default: has ended)."""
        wanted = states or ("succeeded", "skipped", "failed", "cancelled", "lost", "upstream_failed")
        until(lambda: self.state(run) in wanted, seconds)
        return self.run(run)

    def history(self, kind: str) -> list[dict[str, Any]]:
        events: list[dict[str, Any]] = self.get("/v1/events", kind=kind, limit=200)["items"]
        return events

    def points(self, run: int, metric: str) -> list[tuple[int, float]]:
        """All points of a curve: the API thins long ones."""
        query = "SELECT step, value FROM metric JOIN metric_key ON id = key WHERE run = ? AND name = ? ORDER BY step"
        return self.rows(query, run, metric)

    def rows(self, query: str, *values: Any) -> list[Any]:
        """Straight from the record."""
        with closing(sqlite3.connect(f"file:{self.home.database}?mode=ro", uri=True)) as record:
            return record.execute(query, values).fetchall()

    # ---------------------------------------------------------------------------------------------- processes

    def attempt(self, run: int, number: int = 1) -> AttemptDir:
        return self.home.attempt(run, number)

    def status(self, run: int, number: int = 1) -> dict[str, Any]:
        """What the shim wrote; waits for it."""
        found: dict[str, Any] = until(lambda: _status(self.attempt(run, number)))
        return found

    def file(self, name: str) -> str:
        """Text that a job left in the project's folder; waits for it."""
        file = self.folder / name
        until(lambda: file.exists() and file.stat().st_size > 0)
        return file.read_text()


def _status(directory: AttemptDir) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(directory.status.read_bytes())
        return found
    except FileNotFoundError:
        return None
