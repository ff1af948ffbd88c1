"""Serving: requests a second and CPU a request, JSON against bytes, and a thousand promotions under load.

The real supervisor and one worker answer for a network 32 → 256 → 256 → 1. `peers.py` has the comparison with other
servers. One JSON object:

    ours                by connections (1, 16, 64): requests_s, cpu_us (a request, of the server), p50_ms, p99_ms
    ours_64_rows        one request of 64 rows: as JSON and as packed bytes, rows_s
    promotions          up to 1,000 under load: failed requests, epochs that went backwards, switch_ms (from the
                        published snapshot to the last worker), rollback_ms (the whole, with two syncs of the disk)
    start_s             from the start of a worker until it accepts, programs on disk; `import_s`: of `import jax` alone

Ratios and CPU seconds count; requests a second are those of a busy box with the load generator on it.

    python benchmarks/serving.py
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

os.environ["JAX_PLATFORMS"] = "cpu"

import numpy as np
import psutil
import pyarrow as pa

from benchmarks.made import load
from benchmarks.made.net import WIDTH, apply, parameters
from pipeline.judging.gates import Verdict
from pipeline.serving.control import ask
from pipeline.serving.settings import ServingSettings
from pipeline.versions.bundle import write_bundle
from pipeline.versions.signature import InputColumn, Signature
from store.home import Home
from store.routing import Arm, Route, Snapshot, publish_snapshot, read_snapshot
from tests.evidence import least_evidence

SECONDS = 4.0
PROMOTIONS = 1000
LOAD_S = 40.0
"""Under load for so long; on a busy box fewer promotions fit into it."""
NAMES = [f"x{place:02}" for place in range(WIDTH)]
SIGNATURE = Signature(inputs=[InputColumn(name=name, kind="numeric") for name in NAMES], task="regression", label="y")


def bundle(home: Home, seed: int, function: Any = apply) -> str:
    golden = pa.table({name: np.linspace(-1, 1, 8) for name in NAMES})
    return write_bundle(
        home,
        apply=function,
        params=parameters(seed),
        signature=SIGNATURE,
        golden=golden,
        evidence=least_evidence(),
        verdict=Verdict(passed=True, gates=[]),
        lineage={},
        platforms=("cpu",),
    ).digest


# ------------------------------------------------------------------------------------------------------- servers


class Serving:
    """A supervisor on a home with two versions of `net`, or of another function."""

    def __init__(self, home: Home, function: Any = apply, largest: int = 256, cores: Sequence[int] = ()) -> None:
        self.home = home
        self.digests = {number: bundle(home, number, function) for number in (1, 2)}
        publish_snapshot(home.serving.routing, Snapshot(epoch=1, routes={"net": self.route(1, 2)}))
        ServingSettings(port=0, spare=True, largest_batch=largest, cores=list(cores)).write(home.serving.settings)
        command = [sys.executable, "-P", "-m", "pipeline.serving.supervisor", str(home.root)]
        with home.serving.log.open("ab") as log:
            self.process = subprocess.Popen(command, stdout=log, stderr=log, start_new_session=True)
        self.wait()

    def route(self, now: int, before: int) -> Route:
        arm, previous = (Arm(version=number, digest=self.digests[number]) for number in (now, before))
        return Route(arms=(arm,), previous=previous)

    def status(self) -> dict[str, Any]:
        return ask(self.home.serving.control, "status", 30)

    def wait(self) -> None:
        while True:
            time.sleep(0.05)
            try:
                if sorted(worker["state"] for worker in self.status()["workers"]) == ["accepting", "ready"]:
                    return
            except Exception:
                assert self.process.poll() is None, self.home.serving.log.read_text()

    @property
    def pid(self) -> int:
        return next(int(worker["pid"]) for worker in self.status()["workers"] if worker["state"] == "accepting")

    def stop(self) -> None:
        ask(self.home.serving.control, "stop", 30)
        self.process.wait(60)


# ---------------------------------------------------------------------------------------------------------- load


def message(body: bytes, **headers: str) -> bytes:
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    head = "\r\n".join(
        [
            "POST /v2/models/net/infer HTTP/1.1",
            "Host: x",
            "Content-Type: application/json",
            f"Content-Length: {len(body)}",
            *lines,
        ]
    )
    return head.encode() + b"\r\n\r\n" + body


def measure(port: int, pid: int, connections: int, sent: bytes) -> dict[str, float]:
    cpu = psutil.Process(pid).cpu_times()
    found = json.loads(load.start(port, connections, sent, SECONDS).communicate()[0])
    after = psutil.Process(pid).cpu_times()
    spent = after.user + after.system - cpu.user - cpu.system
    times = np.array(found["times"])
    assert found["failed"] == 0
    return {
        "requests_s": round(len(times) / SECONDS),
        "cpu_us": round(spent / len(times) * 1e6, 1),
        "p50_ms": round(float(np.quantile(times, 0.5)) * 1e3, 2),
        "p99_ms": round(float(np.quantile(times, 0.99)) * 1e3, 2),
    }


def as_json(rows: int) -> bytes:
    values = np.random.default_rng(0).normal(size=rows * WIDTH).astype(np.float32).round(4).tolist()
    tensor = {"name": "numeric", "datatype": "FP32", "shape": [rows, WIDTH], "data": values}
    return message(json.dumps({"id": "1", "inputs": [tensor]}).encode())


def as_bytes(rows: int) -> bytes:
    raw = np.random.default_rng(0).normal(size=(rows, WIDTH)).astype("<f4").tobytes()
    tensor = {
        "name": "numeric",
        "datatype": "FP32",
        "shape": [rows, WIDTH],
        "parameters": {"binary_data_size": len(raw)},
    }
    text = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    return message(text + raw, Inference_Header_Content_Length=str(len(text)))


# ---------------------------------------------------------------------------------------------------- promotions


def promotions(serving: Serving, port: int) -> dict[str, Any]:
    """Versions 1 and 2 in turn, each prepared, published and in force in every worker before the next one."""
    clients = load.start(port, 8, as_json(1), LOAD_S)
    switched: list[float] = []
    whole: list[float] = []
    file = serving.home.serving.routing
    deadline = time.perf_counter() + LOAD_S - 1.0
    while len(switched) < PROMOTIONS and time.perf_counter() < deadline:
        now = 1 + len(switched) % 2
        began = time.perf_counter()
        ask(serving.home.serving.control, "prepare", 60, model="net", version=now, digest=serving.digests[now])
        epoch = read_snapshot(file).epoch + 1
        publish_snapshot(file, Snapshot(epoch=epoch, routes={"net": serving.route(now, 3 - now)}))
        done = ask(serving.home.serving.control, "switch", 60)
        whole.append(time.perf_counter() - began)
        switched.append(done["switched_s"])
    found = json.loads(clients.communicate()[0])
    facts = ask(serving.home.serving.control, "facts", 30)["workers"]
    return {
        "promotions": len(switched),
        "requests": len(found["times"]),
        "failed": found["failed"],
        "epochs_backwards": found["backwards"],
        "request_p99_ms": round(float(np.quantile(found["times"], 0.99)) * 1e3, 2),
        "switch_ms": quantiles(switched),
        "rollback_ms": quantiles(whole),
        "compilations": sum(one["compilations"] for one in facts),
    }


def quantiles(seconds: list[float]) -> dict[str, float]:
    return {f"p{share}": round(float(np.quantile(seconds, share / 100)) * 1e3, 2) for share in (50, 99)}


def start_seconds(serving: Serving) -> dict[str, float]:
    """Of a spare that replaces a killed one, against `import jax` alone."""
    status = serving.status()
    spare = next(worker for worker in status["workers"] if worker["state"] == "ready")
    began = time.perf_counter()
    os.kill(spare["pid"], 9)
    while any(worker["pid"] == spare["pid"] for worker in serving.status()["workers"]):
        time.sleep(0.005)
    serving.wait()
    started = time.perf_counter() - began
    began = time.perf_counter()
    subprocess.run([sys.executable, "-P", "-c", "import jax; jax.numpy.ones(1)"], check=True)
    return {"start_s": round(started, 2), "import_s": round(time.perf_counter() - began, 2)}


def main() -> None:
    report: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        serving = Serving(Home(Path(folder)))
        try:
            port, pid = serving.status()["port"], serving.pid
            report["ours"] = {number: measure(port, pid, number, as_json(1)) for number in (1, 16, 64)}
            for name, sent in (("json", as_json(64)), ("bytes", as_bytes(64))):
                found = measure(port, pid, 4, sent)
                report.setdefault("ours_64_rows", {})[name] = {**found, "rows_s": found["requests_s"] * 64}
            report["rss_mb"] = round(psutil.Process(pid).memory_info().rss / 1e6)
            report["promotions"] = promotions(serving, port)
            report.update(start_seconds(serving))
        finally:
            serving.stop()
    print(json.dumps(report))


if __name__ == "__main__":
    main()
