"""Each kind of task and of network, from a CSV file to a sealed version: what the demo's own model does not touch."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pytest

from pipeline.config import load_project
from pipeline.etl.run import run_etl
from pipeline.process.context import RunContext
from pipeline.process.spec import RunSpec
from pipeline.process.spool import Spool
from pipeline.training.learn import run_train
from pipeline.versions.bundle import load_bundle
from store.home import Home
from store.words import JobKind
from tests.thorough import repeats

pytestmark = pytest.mark.slow

PROJECT = """
[project]
name = "tasks"

[sources.rows]
kind = "file"
path = "rows.csv"
format = "csv"

[datasets.rows]
source = "rows"
key = ["id"]

[models.m]
dataset = "rows"
label = "label"
key = ["id"]
split = {{ validate = 0.2, test = 0.2 }}
{model}

[models.m.training]
epochs = 15
batch = 64
"""
OWN = """
from flax import nnx


class Small(nnx.Module):
    def __init__(self, inputs, outputs, width, rngs):
        self.first = nnx.Linear(inputs, width, rngs=rngs)
        self.last = nnx.Linear(width, outputs, rngs=rngs)

    def __call__(self, x):
        return self.last(nnx.relu(self.first(x)))


def small(inputs, outputs, rngs, width=16):
    return Small(inputs, outputs, width, rngs)
"""


def rows_with(label: Callable[[np.ndarray, np.ndarray], Any], count: int = 1200) -> pa.Table:
    """Two numbers, one of them missing at times, a category, and a label made of them."""
    rng = np.random.default_rng(7)
    x, y = rng.normal(size=(2, count))
    hue = np.array(["red", "green", "blue"])[rng.integers(0, 3, count)]
    gone = rng.random(count) < 0.1
    return pa.table(
        {
            "id": np.arange(count),
            "x": x,
            "y": pa.array(y, mask=gone),
            "hue": hue,
            "label": label(x + (hue == "red"), rng.normal(scale=0.3, size=count)),
        }
    )


def run(folder: Path, kind: JobKind, target: str, step: Callable[[RunContext], None]) -> list[dict[str, Any]]:
    """One step in this process, and what it told."""
    file = folder / f"{kind}.jsonl"
    spool = Spool(file, lambda: 0.0)
    spec = RunSpec(
        run=1,
        attempt=1,
        nonce="n",
        job=f"{kind}:{target}",
        kind=kind,
        target=target,
        project=folder,
        home=folder / "home",
        device="cpu",
    )
    context = RunContext(
        spec=spec,
        project=load_project(folder),
        home=Home(folder / "home"),
        spool=spool,
        now=lambda: datetime.now(UTC),
    )
    try:
        step(context)
    finally:
        spool.close()
    return [json.loads(line) for line in file.read_text().splitlines()]


def train(folder: Path, rows: pa.Table, model: str) -> dict[str, Any]:
    """The version that comes of the rows; its bundle is checked on the way."""
    pacsv.write_csv(rows, folder / "rows.csv")
    (folder / "own.py").write_text(OWN, encoding="utf-8")
    (folder / "trainshed.toml").write_text(PROJECT.format(model=model), encoding="utf-8")
    run(folder, "etl", "rows", run_etl)
    (version,) = [event for event in run(folder, "train", "m", run_train) if event["e"] == "version"]
    bundle = load_bundle(Home(folder / "home").bundle(version["digest"]))
    assert bundle.check_golden().passed
    return version


@pytest.mark.parametrize(
    "network",
    [
        'network = { kind = "tabm", width = 32, members = 4 }',
        'network = { kind = "mlp", width = 32, embedding = "linear" }',
        'network = { kind = "python", module = "own.py:small", params = { width = 24 } }',
    ],
    ids=["tabm", "mlp", "own"],
)
def test_each_network_learns_a_binary_task_and_a_constant_column_does_no_harm(tmp_path: Path, network: str) -> None:
    rows = rows_with(lambda x, noise: np.where(x + noise > 0.3, 1, 0)).append_column("one", pa.array([1.0] * 1200))
    version = train(tmp_path, rows, f'task = "binary"\nnumeric = ["x", "y", "one"]\ncategorical = ["hue"]\n{network}')
    assert version["metrics"]["auc"]["value"] > 0.9


NUMBERS, CATEGORIES = 'numeric = ["x"]', 'categorical = ["hue"]'
TABM, MLP, OWN_SMALL = 'kind = "tabm"', 'kind = "mlp"', 'kind = "python", module = "own.py:small"'
ONE_KIND = [
    (TABM, NUMBERS),
    (MLP, CATEGORIES),
    (OWN_SMALL, NUMBERS),
    (TABM, CATEGORIES),
    (MLP, NUMBERS),
    (OWN_SMALL, CATEGORIES),
]


@pytest.mark.parametrize(("network", "features"), ONE_KIND[: repeats(2, 6)])
def test_one_kind_of_input_is_enough(tmp_path: Path, network: str, features: str) -> None:
    rows = rows_with(lambda x, noise: np.where(x + noise > 0.3, 1, 0), count=600)
    version = train(tmp_path, rows, f'task = "binary"\n{features}\nnetwork = {{ {network} }}')
    assert version["metrics"]["auc"]["value"] > 0.6


def test_classes_are_told_apart_by_name(tmp_path: Path) -> None:
    rows = rows_with(lambda x, noise: np.array(["low", "middle", "high"])[np.digitize(x + noise, [-0.3, 0.9])])
    version = train(tmp_path, rows, 'task = "multiclass"\nnumeric = ["x", "y"]\ncategorical = ["hue"]')
    assert version["signature"]["classes"] == ["high", "low", "middle"]
    assert version["metrics"]["accuracy"]["value"] > 0.7


def test_a_regression_answers_in_the_unit_of_its_label(tmp_path: Path) -> None:
    rows = rows_with(lambda x, noise: 1000 + 50 * (x + noise))
    version = train(tmp_path, rows, 'task = "regression"\nnumeric = ["x", "y"]\ncategorical = ["hue"]')
    assert version["metrics"]["rmse"]["value"] < 40
    assert version["metrics"]["r2"]["value"] > 0.6
