"""The daemon is told to stop: it goes at once, or after the runs; the runs never notice."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from pipeline.process import procfs
from tests.acceptance.living import Living, crowd, until

pytestmark = pytest.mark.slow

JOBS = """
def rows_points(cursor=None):
    import numpy as np
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 3000))
    yield pa.table({"id": np.arange(3000), "a": a, "b": b, "late": (a + b > rng.normal(size=3000)).astype(np.int64)})

def rows_patient(cursor=None):
    open("patient", "w").write(str(os.getpid()))
    while not os.path.exists("go"):
        time.sleep(0.02)
    yield table()

def rows_quick(cursor=None):
    yield table()
"""

MODEL = """
[models.late]
task = "binary"
dataset = "points"
label = "late"
key = ["id"]
numeric = ["a", "b"]
baseline = "none"

[models.late.network]
kind = "mlp"
width = 256
bins = 4

[models.late.training]
batch = 32
epochs = 40
patience = 40
"""


@pytest.fixture
def living(tmp_path: Path) -> Iterator[Living]:
    """With a warm worker, as everybody has them: that process has to go too."""
    yield from _living(tmp_path)


@pytest.fixture
def learning(tmp_path: Path) -> Iterator[Living]:
    """The same with a model, and so with the warm process that has the libraries of training."""
    yield from _living(tmp_path, extra=MODEL)


def _living(folder: Path, extra: str = "") -> Iterator[Living]:
    one = Living(folder, JOBS, extra=extra)
    one.start()
    yield one
    one.close()


def test_sigterm_ends_the_daemon_within_three_seconds_and_a_training_does_not_notice(learning: Living) -> None:
    living = learning
    living.wait(living.submit("etl:points"))
    run = living.submit("train:late")
    until(lambda: living.points(run, "train/loss"), 120)
    worker = living.status(run)["worker"]
    asked = threading.Event()
    watcher = threading.Thread(target=_watch, args=(living, asked))
    watcher.start()
    assert asked.wait(30)
    time.sleep(0.2)  # so that its question is being waited for
    assert living.process is not None
    began = time.monotonic()
    living.process.send_signal(signal.SIGTERM)
    assert living.process.wait(20) == 0
    assert time.monotonic() - began < 3.0 * crowd()
    watcher.join(10)
    spool = living.attempt(run).events
    size = spool.stat().st_size
    until(lambda: spool.stat().st_size > size or living.status(run)["state"] == "ended", 30)
    assert procfs.is_alive(worker) or living.status(run)["exit_code"] == 0, "it went on, or it is through"
    living.start()
    detail = living.wait(run, seconds=180)
    assert (detail["run"]["state"], detail["run"]["attempt"]) == ("succeeded", 1)
    steps = [step for step, _ in living.points(run, "train/loss")]
    assert steps == list(range(steps[0], steps[0] + len(steps))), "no point is lost and none is double"


def test_down_drain_waits_for_what_runs_starts_nothing_more_and_then_goes(living: Living) -> None:
    run = living.submit("etl:patient")
    living.file("patient")
    behind = living.submit("etl:patient")
    down = _cli(living, "down", "--drain")
    until(lambda: "draining" in (living.get("/v1/status")["degraded"] or ""))
    refused = _cli(living, "run", "etl:quick")
    assert "draining" in _said(refused)
    assert refused.returncode == 1
    assert down.poll() is None, "it waits"
    assert living.state(run) == "running"
    (living.folder / "go").touch()
    assert "the daemon has stopped" in _said(down)
    assert down.returncode == 0
    assert living.process is not None
    assert living.process.wait(10) == 0
    assert living.rows("SELECT id, state FROM run ORDER BY id") == [(run, "succeeded"), (behind, "queued")]
    living.start()
    assert living.wait(behind)["run"]["state"] in ("succeeded", "skipped"), "the next daemon takes it up"


def test_who_drains_may_change_his_mind(living: Living) -> None:
    run = living.submit("etl:patient")
    worker = int(living.file("patient"))
    living.post("/v1/shutdown", {"drain": True})
    until(lambda: "draining" in (living.get("/v1/status")["degraded"] or ""))
    assert living.process is not None
    began = time.monotonic()
    living.process.send_signal(signal.SIGTERM)
    assert living.process.wait(20) == 0
    assert time.monotonic() - began < 3.0 * crowd()
    assert procfs.is_alive(worker)
    assert living.rows("SELECT state FROM run WHERE id = ?", run) == [("running",)]


def _watch(living: Living, asked: threading.Event) -> None:
    """As the terminal does: waits for news, here of a revision that never comes. A daemon that goes hangs up."""
    transport = httpx.HTTPTransport(uds=str(living.home.socket), verify=False)
    with httpx.Client(transport=transport, base_url="http://shed", timeout=70) as client:
        client.get("/v1/status")
        asked.set()
        with contextlib.suppress(httpx.TransportError):
            client.get("/v1/changes", params={"since": 10**9, "wait": 60})


def _cli(living: Living, *words: str) -> subprocess.Popen[str]:
    program = [sys.executable, "-P", "-c", "from tui.start import main; main()", "--project", str(living.folder)]
    return subprocess.Popen([*program, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def _said(process: subprocess.Popen[str]) -> str:
    """All it says, to its end."""
    return process.communicate(timeout=60)[0]
