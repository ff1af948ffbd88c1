"""Serving against BentoML, LitServe, MLServer, MLflow and plain FastAPI: the same network, the same load, one run.

Ours is the real supervisor with one worker, and does all that it does for users: routing, validation, metrics, and the
prediction log with all payloads. The others run one worker each as their documentation has it; BentoML and LitServe
also with their batching. Each has an environment of its own, made by pip at the first run and kept:

    python benchmarks/peers.py [--environments DIR] [--seconds 4] [--rounds 3] [name ...]

One JSON object: by server and connections (1, 16, 64) `requests_s`, `cpu_us` (a request, of all processes of the
server), `p50_ms`, `p99_ms`, each the median of the rounds; then by how many times ours has more requests a second and
less CPU than each. Servers are asked in turn, one at a time, in every round; the others sleep. Ratios count: the load
generator runs on the same box. It is not what limits the fastest: one of bare sockets and an epoll, side by side with
this one, made no difference beyond noise.
"""

from __future__ import annotations

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import IO, Any, Final

import numpy as np
import psutil

from benchmarks.made import load
from benchmarks.made.net import WIDTH, compiled
from benchmarks.serving import Serving
from store.home import Home

CONNECTIONS: Final = (1, 16, 64)
START_S: Final = 180.0
ROW: Final = np.random.default_rng(0).normal(size=WIDTH).astype(np.float32).round(4)
TENSOR: Final = {"name": "numeric", "datatype": "FP32", "shape": [1, WIDTH], "data": ROW.tolist()}
OIP: Final = {"id": "1", "inputs": [TENSOR]}
Figures = dict[str, float]


@dataclass(frozen=True)
class Peer:
    """A server of others, as `benchmarks/made/peers/` starts it."""

    packages: tuple[str, ...]
    path: str
    body: dict[str, Any]
    score: Callable[[Any], float]
    """Out of the answer: that it is the right one is looked at before anything is measured."""
    options: tuple[str, ...] = ()


BENTOML: Final = Peer(("bentoml==1.4.40",), "/predict", {"rows": [ROW.tolist()]}, lambda answer: answer[0])
LITSERVE: Final = Peer(("litserve==0.2.19",), "/predict", {"row": ROW.tolist()}, lambda answer: answer["score"])
PEERS: Final = {
    "fastapi": Peer(
        ("fastapi==0.115.14", "uvicorn[standard]==0.51.0"),
        "/v2/models/net/infer",
        OIP,
        lambda answer: answer["outputs"][0]["data"][0],
    ),
    "mlserver": Peer(("mlserver==1.7.1",), "/v2/models/net/infer", OIP, lambda answer: answer["outputs"][0]["data"][0]),
    "mlflow": Peer(
        ("mlflow==3.17.2",), "/invocations", {"inputs": [ROW.tolist()]}, lambda answer: answer["predictions"][0]
    ),
    "bentoml": BENTOML,
    "bentoml batched": Peer(BENTOML.packages, BENTOML.path, BENTOML.body, BENTOML.score, ("batched",)),
    "litserve": LITSERVE,
    "litserve batched": Peer(LITSERVE.packages, LITSERVE.path, LITSERVE.body, LITSERVE.score, ("batched",)),
}


@dataclass
class Answering:
    """A server that is there."""

    port: int
    processes: Callable[[], list[psutil.Process]]
    sent: bytes
    rounds: dict[int, list[Figures]] = field(default_factory=lambda: {number: [] for number in CONNECTIONS})

    def cpu_s(self) -> float:
        """Of all its processes."""
        times = [process.cpu_times() for process in self.processes()]
        return sum(one.user + one.system for one in times)


# ------------------------------------------------------------------------------------------------------- servers


def environment(folder: Path, peer: Peer) -> Path:
    """The Python that has the peer's packages, made if it is not there."""
    home = folder / "-".join(name.partition("=")[0].partition("[")[0] for name in peer.packages)
    python = home / "bin" / "python"
    if not (home / "whole").exists():
        subprocess.run([sys.executable, "-m", "venv", str(home)], check=True)
        pip = [str(python), "-m", "pip", "install", "--quiet", *peer.packages, "jax==0.10.2", "numpy==2.4.6"]
        subprocess.run(pip, check=True)
        (home / "whole").touch()
    return python


@contextmanager
def served(name: str, peer: Peer, python: Path) -> Iterator[Answering]:
    """The peer's server until the end, once it has given the right answer."""
    port = free_port()
    root = Path(__file__).parents[1]
    file = root / "benchmarks" / "made" / "peers" / f"{name.partition(' ')[0]}_server.py"
    path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    environ = {**os.environ, "PATH": path, "PYTHONPATH": str(root), "BENTOML_DO_NOT_TRACK": "True"}
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [str(python), "-P", str(file), str(port), *peer.options],
            env=environ,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        found = psutil.Process(process.pid)
        try:
            check(name, peer, port, process, log)
            yield Answering(port, lambda: [found, *found.children(recursive=True)], message(peer.path, peer.body))
        finally:
            end(process)


def end(process: subprocess.Popen[bytes]) -> None:
    """It and all that it has started."""
    if process.poll() is None:
        found = psutil.Process(process.pid)
        family = [*found.children(recursive=True), found]
        for one in family:
            one.terminate()
        for one in psutil.wait_procs(family, timeout=10)[1]:
            one.kill()
    process.wait()


def check(name: str, peer: Peer, port: int, process: subprocess.Popen[bytes], log: IO[bytes]) -> None:
    """Waits for the right answer. Raises SystemExit with the end of the log."""
    expected = float(compiled()(ROW[None])[0])
    url = f"http://127.0.0.1:{port}{peer.path}"
    request = urllib.request.Request(url, json.dumps(peer.body).encode(), {"Content-Type": "application/json"})
    deadline = time.monotonic() + START_S
    while True:
        time.sleep(0.5)
        if process.poll() is not None or time.monotonic() > deadline:
            log.seek(0)
            raise SystemExit(f"{name} does not answer:\n{log.read()[-2000:].decode()}")
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                found = peer.score(json.load(answer))
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            continue
        if abs(found - expected) > 1e-4:
            raise SystemExit(f"{name} answers {found}, and the network says {expected}")
        return


@contextmanager
def ours(folder: Path) -> Iterator[Answering]:
    serving = Serving(Home(folder))
    try:
        workers = [psutil.Process(worker["pid"]) for worker in serving.status()["workers"]]
        processes = [psutil.Process(serving.process.pid), *workers]
        yield Answering(serving.status()["port"], lambda: processes, message("/v2/models/net/infer", OIP))
    finally:
        serving.stop()


def free_port() -> int:
    """With the next one free as well: MLServer wants two."""
    while True:
        with socket.create_server(("127.0.0.1", 0)) as one, socket.socket() as other:
            port: int = one.getsockname()[1]
            try:
                other.bind(("127.0.0.1", port + 1))
                return port
            except (OSError, OverflowError):
                continue


# ---------------------------------------------------------------------------------------------------------- load


def message(path: str, body: dict[str, Any]) -> bytes:
    text = json.dumps(body).encode()
    lines = [f"POST {path} HTTP/1.1", "Host: x", "Content-Type: application/json", f"Content-Length: {len(text)}"]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + text


def measured(server: Answering, connections: int, seconds: float) -> Figures:
    before = server.cpu_s()
    found = json.loads(load.start(server.port, connections, server.sent, seconds).communicate()[0])
    spent, times = server.cpu_s() - before, np.array(found["times"])
    if found["failed"]:
        raise SystemExit(f"{found['failed']} of {len(times)} requests failed")
    return {
        "requests_s": len(times) / seconds,
        "cpu_us": spent / len(times) * 1e6,
        "p50_ms": float(np.quantile(times, 0.5)) * 1e3,
        "p99_ms": float(np.quantile(times, 0.99)) * 1e3,
    }


def medians(rounds: list[Figures]) -> Figures:
    return {name: round(median(one[name] for one in rounds), 2) for name in rounds[0]}


def ratios(report: dict[str, dict[int, Figures]]) -> dict[str, dict[int, Figures]]:
    """Peer → connections → how many times more requests ours answers, and how many times less CPU one takes."""
    return {
        name: {
            number: {
                "requests": round(report["ours"][number]["requests_s"] / figures["requests_s"], 1),
                "cpu": round(figures["cpu_us"] / report["ours"][number]["cpu_us"], 1),
            }
            for number, figures in found.items()
        }
        for name, found in report.items()
        if name != "ours"
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("names", nargs="*", default=list(PEERS), help=f"of {', '.join(PEERS)}")
    parser.add_argument("--environments", type=Path, default=Path.home() / ".cache" / "trainshed-peers")
    parser.add_argument("--seconds", type=float, default=4.0)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    pythons = {name: environment(options.environments, PEERS[name]) for name in options.names}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        servers = {"ours": stack.enter_context(ours(Path(folder)))}
        servers |= {name: stack.enter_context(served(name, PEERS[name], pythons[name])) for name in options.names}
        for _ in range(options.rounds):
            for connections in CONNECTIONS:
                for server in servers.values():
                    server.rounds[connections].append(measured(server, connections, options.seconds))
    report = {name: {number: medians(found) for number, found in one.rounds.items()} for name, one in servers.items()}
    print(json.dumps({**report, "ours_to": ratios(report)}))


if __name__ == "__main__":
    main()
