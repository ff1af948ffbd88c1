"""A disk that is really full in the middle of a training: nothing is damaged, all is said, work goes on by itself."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.living import Living, crowd, until

pytestmark = pytest.mark.slow

ROWS = """
def rows_points(cursor=None):
    import numpy as np
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(2, 3000))
    yield pa.table({"id": np.arange(3000), "a": a, "b": b, "late": (a + b > rng.normal(size=3000)).astype(np.int64)})
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
checkpoint_every = "300ms"

[jobs."train:late"]
retries = 1
retry_delay = "500ms"
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 400 MB: enough for the space that the record keeps back, and soon full."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=400m", "tmpfs", str(disk)]
    try:
        mounted = subprocess.run(command, capture_output=True, text=True, timeout=10, check=False)
    except FileNotFoundError:
        pytest.skip("there is no `mount` here")
    if mounted.returncode != 0:
        pytest.skip(f"only who may mount can fill a disk: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", "--lazy", str(disk)], check=True)


QUICK = 0.02
"""Seconds, so that a filler takes what becomes free before others do."""


class Filler:
    """Takes all space there is, and whatever becomes free."""

    def __init__(self, disk: Path) -> None:
        self.file = disk / "filler"
        self._descriptor = os.open(self.file, os.O_WRONLY | os.O_CREAT)

    def take(self) -> bool:
        for size in (1_000_000, 4096, 64):
            try:
                while True:
                    os.write(self._descriptor, b"\0" * size)
            except OSError:
                continue
        return True

    def give_back(self) -> None:
        os.close(self._descriptor)
        self.file.unlink()


def test_a_training_on_a_full_disk_says_so_and_goes_on_from_its_checkpoint_when_there_is_space(
    small_disk: Path,
) -> None:
    living = Living(small_disk, ROWS, daemon="warm_workers = false", extra=MODEL)
    living.start()
    try:
        living.wait(living.submit("etl:points"))
        run = living.submit("train:late")
        until(lambda: len(living.run(run)["checkpoints"]) >= 2, 120)
        worker = living.status(run)["worker"]
        filler = Filler(small_disk)
        until(lambda: filler.take() and not Path(f"/proc/{worker}").exists(), 60, pause=QUICK)
        until(lambda: filler.take() and "free space there" in (living.get("/v1/status")["degraded"] or ""), pause=QUICK)
        # The record may still have had a page to write to: then that is taken too.
        refused = until(lambda: filler.take() and (ended := _cli(living, "run", "etl:points")).returncode and ended)
        assert (refused.returncode, "the disk is full" in refused.stderr) == (1, True)
        assert "is too full for the record" in _cli(living, "status").stdout, "reading goes on"
        saved = living.run(run)["checkpoints"][-1]["step"]

        filler.give_back()
        began = time.monotonic()
        detail = until(lambda: len(living.run(run)["attempts"]) == 2 and living.run(run))
        assert time.monotonic() - began < 10 * crowd(), "it recovers by itself"
        _is_told(detail["attempts"][0])
        assert living.get("/v1/status")["degraded"] is None
        ended = living.wait(run, seconds=180)
        assert (ended["run"]["state"], ended["run"]["attempt"]) == ("succeeded", 2)
        resumed = [event["message"] for event in ended["events"] if event["kind"] == "resumed"]
        assert resumed, "the second attempt does not begin anew"
        assert int(resumed[0].rpartition(" ")[2]) >= saved
        steps = [step for step, _ in living.points(run, "train/loss")]
        assert steps == sorted(set(steps))
        assert living.rows("PRAGMA integrity_check") == [("ok",)]
    finally:
        living.close()


def _is_told(attempt: dict[str, Any]) -> None:
    """By the worker's last line, or, when even that did not fit, by its exit status."""
    assert (attempt["state"], attempt["exit_code"]) == ("failed", 74)
    assert "disk is full" in attempt["reason"] or "No space left" in attempt["reason"]
    assert datetime.fromisoformat(attempt["ended_at"])


def _cli(living: Living, *words: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-P", "-c", "from tui.start import main; main()", "--project", str(living.folder)]
    return subprocess.run([*program, *words], capture_output=True, text=True, timeout=60, check=False)
