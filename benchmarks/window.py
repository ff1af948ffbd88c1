"""Lists by position through the real daemon, over its unix socket, at 1,000, 100,000 and 1,000,000 runs.

    python benchmarks/window.py [--runs 1000 100000 1000000] [--long 10000000] [--keep DIR] [--repeat 20]

Each history is made by fill.py (with --keep: kept in DIR, and used again), and served by a daemon of its own. Every
question is asked `repeat` times on one connection. `p50_ms` and `p95_ms` are wall times at the client; `cpu_ms` is what
the daemon spent for one answer, which is the figure to trust on a busy machine. `gone_ms`: from the moment at which the
client closes its connection until the daemon answers the next question, while it counts what takes long.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import httpx
import psutil

from benchmarks.fill import fill
from store.home import Home

PAGE: Final = 128
LOG_BYTES: Final = 1_000_000_000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, nargs="+", default=[1000, 100_000, 1_000_000])
    parser.add_argument("--long", type=int, default=10_000_000)
    parser.add_argument("--keep", type=Path)
    parser.add_argument("--repeat", type=int, default=20)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = given.keep or Path(folder)
        largest = max(given.runs)
        report = {
            str(count): measure(root / str(count), count, given.long if count == largest else 0, given.repeat)
            for count in given.runs
        }
    print(json.dumps(report, indent=2))


def measure(folder: Path, count: int, long: int, repeat: int) -> dict[str, Any]:
    made = {} if Home.of_project(folder, {}).database.exists() else {"fill": fill(folder, count, long)}
    with _daemon(folder) as (client, process):
        ask = Asker(client, process, repeat)
        events = client.get("/v1/events/window", params={"limit": 1}).json()["total"]
        ids = _visible_trainings(client)
        answers: dict[str, Any] = {
            name: ask(path, query) for name, (path, query) in _questions(count, events, ids).items()
        }
        if long:
            answers[f"metric of {long:,} points"] = ask(f"/v1/runs/{max(ids)}/metrics/train/loss", {"points": 500})
        answers |= _logs(ask, folder, client)
        answers["gone_ms"] = _gone(folder, client)
    return {**made, **answers}


def _questions(count: int, events: int, ids: list[int]) -> dict[str, tuple[str, dict[str, Any]]]:
    """Name → path and query."""

    def runs(q: str = "", sort: str = "-id", offset: int = 0) -> tuple[str, dict[str, Any]]:
        return "/v1/runs/window", {"q": q, "sort": sort, "offset": offset, "limit": PAGE}

    def history(q: str = "", offset: int = 0) -> tuple[str, dict[str, Any]]:
        return "/v1/events/window", {"q": q, "offset": offset, "limit": PAGE}

    half, last = count // 2, count - PAGE
    return {
        "first page": runs(),
        "deep page": runs(offset=half),
        "last page": runs(offset=last),
        "by job, deep": runs(sort="job", offset=half),
        "by took, first": runs(sort="-took"),
        "by took, deep": runs(sort="-took", offset=half),
        "by metric, first": runs(sort="-metric:validation/auc"),
        "by metric, deep": runs(sort="-metric:validation/auc", offset=count // 8),
        "state=failed": runs("state=failed"),
        "state=failed, deep": runs("state=failed", offset=count // 40),
        "state=failed,lost job=train:late": runs("state=failed,lost job=train:late"),
        "actor=charlotte": runs("actor=charlotte"),
        "created<2h": runs("created<2h"),
        "took>1h": runs("took>1h"),
        "took>10m by took": runs("took>10m", "-took"),
        "auc>0.77": runs("auc>0.77"),
        "auc>0.77 by auc": runs("auc>0.77", "-metric:validation/auc"),
        "word: flights": runs("flights"),
        "words: disk full": runs("disk full"),
        "word nowhere": runs("zzz"),
        "word nowhere, by took": runs("zzz", "-took"),
        "count": ("/v1/runs/count", {}),
        "count state=succeeded": ("/v1/runs/count", {"q": "state=succeeded"}),
        "count word: flights": ("/v1/runs/count", {"q": "flights"}),
        "sparks of 50": ("/v1/runs/sparks", {"ids": ids, "points": 16}),
        "events, first page": history(),
        "events, deep page": history(offset=events // 2),
        "events kind=run.failed": history("kind=run.failed"),
        "events word: disk": history("disk"),
        "events word nowhere": history("zzz"),
        "metric of 10,000 points": (f"/v1/runs/{min(ids)}/metrics/train/loss", {"points": 500}),
    }


class Asker:
    """One question, many times."""

    def __init__(self, client: httpx.Client, process: psutil.Process, repeat: int) -> None:
        self._client, self.process, self._repeat = client, process, repeat

    def __call__(self, path: str, query: dict[str, Any]) -> dict[str, float]:
        self._client.get(path, params=query).raise_for_status()
        before, walls = self._cpu(), []
        for _ in range(self._repeat):
            began = time.perf_counter()
            self._client.get(path, params=query).raise_for_status()
            walls.append(1000 * (time.perf_counter() - began))
        cpu = 1000 * (self._cpu() - before) / self._repeat
        p95 = statistics.quantiles(walls, n=20)[-1]
        return {"p50_ms": round(statistics.median(walls), 1), "p95_ms": round(p95, 1), "cpu_ms": round(cpu, 1)}

    def _cpu(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system)


def _visible_trainings(client: httpx.Client) -> list[int]:
    """The newest 50 that have metrics: those with curves of 10,000 points."""
    query: dict[str, Any] = {"q": 'train/loss>=0 state=succeeded validation/auc!=""', "limit": 50}
    return [run["id"] for run in client.get("/v1/runs/window", params=query).json()["items"]]


def _logs(ask: Asker, folder: Path, client: httpx.Client) -> dict[str, Any]:
    """A gigabyte whose last line alone holds what is looked for."""
    run = _visible_trainings(client)[0]
    log = Home.of_project(folder, {}).attempt(run, 1).stdout
    log.parent.mkdir(parents=True, exist_ok=True)
    block = b"epoch 12 step 3456 loss 0.4321 rate 0.001 grad 1.25 ok\n" * 20_000
    with log.open("wb") as file:
        for _ in range(LOG_BYTES // len(block)):
            file.write(block)
        file.write(b"the needle\n")
    path = f"/v1/runs/{run}/logs/stdout/search"
    few = Asker(client, ask.process, 3)
    found = {
        "log of 1 GB, to its end": few(path, {"text": "needle"}),
        "log of 1 GB, whatever case": few(path, {"text": "NEEDLE", "ignore_case": True}),
        "log of 1 GB, backward": few(path, {"text": "needle", "direction": "backward"}),
        "log of 1 GB, a pattern": few(path, {"text": r"the n\w+|loss (nan|inf)", "regex": True}),
        "log of 1 GB, a hard pattern": few(path, {"text": r"(\w+\s?)+ needle$", "regex": True}),
    }
    log.unlink()
    return found


def _gone(folder: Path, client: httpx.Client) -> float:
    times = []
    for _ in range(10):
        with _client(folder) as other, suppress(httpx.ReadTimeout):
            other.get("/v1/events/count", params={"q": "zzz !yyy !xxx"}, timeout=0.02)
        began = time.perf_counter()
        client.get("/v1/runs/window", params={"limit": 1}).raise_for_status()
        times.append(1000 * (time.perf_counter() - began))
    return round(statistics.median(times), 1)


def _client(folder: Path) -> httpx.Client:
    socket = Home.of_project(folder, {}).socket
    return httpx.Client(transport=httpx.HTTPTransport(uds=str(socket)), base_url="http://shed", timeout=120)


@contextmanager
def _daemon(folder: Path) -> Iterator[tuple[httpx.Client, psutil.Process]]:
    command = [sys.executable, "-P", "-m", "daemon.main", "--project", str(folder)]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)}
    process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE)
    try:
        assert process.stdout is not None
        process.stdout.readline()  # said when it is ready
        with _client(folder) as client:
            yield client, psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(60)


if __name__ == "__main__":
    main()
