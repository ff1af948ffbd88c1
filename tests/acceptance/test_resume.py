"""A training that was killed and resumed equals the uninterrupted one, bit for bit."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from store import lake
from store.home import Home
from tests.thorough import repeats

pytestmark = pytest.mark.slow

DISTURBED = range(2, 2 + repeats(1, 4))
PROJECT = """
[project]
name = "resume"

[sources.rows]
kind = "file"
path = "rows.csv"
format = "csv"

[datasets.rows]
source = "rows"

[models.late]
task = "binary"
dataset = "rows"
label = "late"
key = ["id"]
numeric = ["a", "b", "c"]
categorical = ["word"]
baseline = "none"

[models.late.network]
kind = "tabm"
width = 16
members = 4
bins = 8
dropout = 0.2

[models.late.training]
# Odd sizes, so that the last batch is ragged and chunks, epochs and checkpoints end at different steps.
batch = 29
epochs = 40
patience = 25
learning_rate = 0.01
checkpoint_every = "100ms"
storage = "STORAGE"
"""


def make_shed(project: Path, storage: str) -> tuple[Home, Path]:
    (project / "trainshed.toml").write_text(PROJECT.replace("STORAGE", storage))
    home = Home(project / ".trainshed")
    rng = np.random.default_rng(5)
    count = 2000
    numbers = rng.normal(size=(count, 3))
    word = rng.choice(["x", "y", "z"], count)
    chance = 1 / (1 + np.exp(-(numbers[:, 0] * numbers[:, 1] + (word == "y"))))
    table = pa.table(
        {
            "id": np.arange(count),
            "a": numbers[:, 0],
            "b": pa.array(numbers[:, 1], mask=rng.random(count) < 0.1),
            "c": numbers[:, 2],
            "word": word,
            "late": (rng.random(count) < chance).astype(np.int64),
        }
    )
    reader = pa.RecordBatchReader.from_batches(table.schema, table.to_batches())
    lake.commit(home.dataset("rows"), reader, mode="replace", metadata={}, expected=None)
    return home, project


@pytest.fixture(scope="module")
def shed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Home, Path]:
    return make_shed(tmp_path_factory.mktemp("project"), "auto")


def _moments(run: int) -> list[tuple[int, signal.Signals]]:
    """Two random steps, each with a signal; none for run 1, which takes at least 25 epochs of 48 steps."""
    rng = random.Random(run)
    chosen = ((rng.randrange(1, 1100), rng.choice([signal.SIGKILL, signal.SIGTERM])) for _ in range(2))
    return sorted(chosen) if run > 1 else []


@pytest.fixture(scope="module")
def runs(shed: tuple[Home, Path]) -> dict[str, Any]:
    return drive(shed, {str(run): _moments(run) for run in (1, *DISTURBED)})


def drive(shed: tuple[Home, Path], plan: dict[str, list[tuple[int, signal.Signals]]]) -> dict[str, Any]:
    """All runs, one after the other, each attempt a process of its own."""
    home, project = shed
    driver = Path(__file__).with_name("resume_driver.py")
    done = subprocess.run(
        [sys.executable, "-P", str(driver), str(home.root), str(project)],
        input=json.dumps(plan),
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=280,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_the_undisturbed_run_has_something_to_lose(runs: dict[str, Any]) -> None:
    whole = runs["1"]
    assert whole["statuses"] == [0]
    progress = whole["progress"]
    assert progress["finished"]
    assert progress["step"] > 1100
    assert len(progress["curve"]) > 20
    assert progress["best"]["step"] < progress["step"], "a best state of its own"
    assert whole["leaves"] > 30


@pytest.mark.parametrize("run", DISTURBED)
def test_killed_at_random_steps_and_resumed_it_ends_bit_for_bit_the_same(run: int, runs: dict[str, Any]) -> None:
    """SIGKILL loses the steps since the last checkpoint and computes them again; SIGTERM saves and exits with 75."""
    found, whole = runs[str(run)], runs["1"]
    for status, (step, sent) in zip(found["statuses"], _moments(run), strict=False):
        assert status == (75 if sent == signal.SIGTERM else -signal.SIGKILL), (step, sent)
    assert found["digest"] == whole["digest"]
    assert found["progress"] == whole["progress"]


def test_with_its_rows_on_disk_a_killed_run_ends_as_the_undisturbed_one_in_memory(
    shed: tuple[Home, Path], runs: dict[str, Any], tmp_path: Path
) -> None:
    home, project = make_shed(tmp_path, "disk")
    # Where the rows lie changes no program: what was compiled for memory is compiled.
    home.compilation_cache.symlink_to(shed[0].compilation_cache, target_is_directory=True)
    found = drive((home, project), {"2": [(300, signal.SIGKILL), (700, signal.SIGTERM)]})["2"]
    assert found["statuses"][0] == -signal.SIGKILL
    assert found["digest"] == runs["1"]["digest"]
    assert found["progress"] == runs["1"]["progress"]
    (note,) = [
        event
        for event in map(json.loads, home.attempt(2, 3).events.read_text().splitlines())
        if event["e"] == "note" and event["kind"] == "row_storage"
    ]
    assert note["message"].endswith("they lie on disk")
    assert not [path for path in home.scratch.rglob("*") if path.is_file()], "the rows of killed attempts are gone"
