"""A train run around its loop: skipped when nothing changed, stopped and taken up again, refused with a reason."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jax
import numpy as np
import orbax.checkpoint as ocp
import pyarrow as pa
import pytest

from pipeline.config import load_project
from pipeline.process.context import Preempted, RunContext
from pipeline.process.spec import RecordFacts, RunSpec
from pipeline.process.spool import Spool
from pipeline.training.learn import run_train
from pipeline.versions.bundle import load_bundle
from store import lake
from store.errors import DeviceMissing, ProjectError
from store.home import Home
from tests.hurried import compiled_in_a_hurry

pytestmark = pytest.mark.slow

PROJECT = """
[project]
name = "training"

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
numeric = ["a", "b"]
baseline = "none"

[models.late.network]
kind = "mlp"
width = 8
bins = 4

[models.late.training]
batch = 64
epochs = 4
"""


@pytest.fixture(autouse=True)
def _in_a_hurry() -> Iterator[None]:
    with compiled_in_a_hurry():
        yield


@dataclass(frozen=True)
class Shed:
    """A project with a dataset, and what its runs told."""

    project: Path
    home: Home

    def train(self, run: int, attempt: int = 1, *, stop: bool = False, fingerprint: str = "", **spec: Any) -> None:
        folder = self.home.attempt(run, attempt)
        folder.root.mkdir(parents=True)
        order = RunSpec(
            run=run,
            attempt=attempt,
            nonce="n",
            job="train:late",
            kind="train",
            target="late",
            project=self.project,
            home=self.home.root,
            context=RecordFacts(last_fingerprint=fingerprint),
            **{"device": "cpu", **spec},
        )
        stopped = threading.Event()
        if stop:
            stopped.set()
        run_train(
            RunContext(
                spec=order,
                project=load_project(self.project),
                home=self.home,
                spool=Spool(folder.events, lambda: 0.0),
                now=lambda: datetime(2013, 6, 1, tzinfo=UTC),
                stop=stopped,
            )
        )

    def events(self, run: int, attempt: int = 1, kind: str = "") -> list[dict[str, Any]]:
        lines = self.home.attempt(run, attempt).events.read_text().splitlines()
        return [event for event in map(json.loads, lines) if kind in ("", event["e"])]

    def notes(self, run: int, attempt: int = 1) -> list[str]:
        return [note["kind"] for note in self.events(run, attempt, "note")]

    def version(self, run: int, attempt: int = 1) -> dict[str, Any]:
        (version,) = self.events(run, attempt, "version")
        return version

    def final_arrays(self, run: int) -> list[tuple[str, bytes]]:
        """Type and bytes of every array of the last checkpoint."""
        folder = max(self.home.checkpoints(run).iterdir(), key=lambda step: int(step.name)) / "state"
        with ocp.StandardCheckpointer() as checkpointer:
            leaves = jax.tree.leaves(checkpointer.restore(folder.resolve()))
        return [(str(leaf.dtype), np.asarray(leaf).tobytes()) for leaf in leaves]


@pytest.fixture
def shed(tmp_path: Path) -> Shed:
    (tmp_path / "trainshed.toml").write_text(PROJECT)
    home = Home(tmp_path / ".trainshed")
    rng = np.random.default_rng(3)
    a, b = rng.normal(size=(2, 900))
    table = pa.table({"id": np.arange(900), "a": a, "b": b, "late": (a + b > rng.normal(size=900)).astype(np.int64)})
    reader = pa.RecordBatchReader.from_batches(table.schema, table.to_batches())
    lake.commit(home.dataset("rows"), reader, mode="replace", metadata={}, expected=None)
    return Shed(tmp_path, home)


def test_an_unchanged_run_is_skipped_with_the_reason_and_a_changed_setting_is_not(shed: Shed) -> None:
    shed.train(1)
    (mark,) = [event["value"] for event in shed.events(1, kind="fingerprint")]
    assert shed.version(1)["fingerprint"] == mark
    shed.train(2, fingerprint=mark)
    (skip,) = shed.events(2, kind="skip")
    assert "unchanged" in skip["reason"]
    assert not shed.events(2, kind="metrics")
    shed.train(3, fingerprint=mark, params={"training.seed": 5})
    assert shed.version(3)["digest"] != shed.version(1)["digest"]
    shed.train(4, fingerprint=mark, force=True)
    assert shed.version(4)["metrics"] == shed.version(1)["metrics"], "the same again"


def test_the_record_hears_settings_metrics_progress_and_checkpoints(shed: Shed) -> None:
    shed.train(1)
    (params,) = shed.events(1, kind="params")
    assert params["values"]["training.batch"] == 64
    assert params["values"]["network.kind"] == "mlp"
    assert params["values"]["device.platform"] == "cpu"
    assert "library.jax" in params["values"]
    names = {name for event in shed.events(1, kind="metrics") for name in event["values"]}
    assert {
        "train/loss",
        "train/learning_rate",
        "validation/loss",
        "validation/auc",
        "time/step_ms",
        "time/chunk_ms",
        "goodput",
    } <= names
    steps = [s for e in shed.events(1, kind="metrics") if "train/loss" in e["values"] for s in e["steps"]]
    assert steps == list(range(1, len(steps) + 1)), "each step once"
    assert shed.events(1, kind="progress")
    (checkpoint,) = shed.events(1, kind="checkpoint")
    assert (shed.home.root / checkpoint["path"]).is_dir()
    assert "compile" in shed.notes(1)


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_stopped_run_goes_on_where_it_was(shed: Shed, precision: str) -> None:
    chosen: Any = {"params": {"training.precision": precision}}
    shed.train(9, **chosen)
    with pytest.raises(Preempted):
        shed.train(1, stop=True, **chosen)
    (saved,) = shed.events(1, kind="checkpoint")
    assert saved["step"] < 40
    assert not shed.events(1, kind="version")
    shed.train(1, attempt=2, **chosen)
    assert "resumed" in shed.notes(1, 2)
    assert shed.version(1, 2)["lineage"]["resumed_from"] == saved["step"]
    assert shed.version(1, 2)["metrics"] == shed.version(9)["metrics"]
    assert shed.final_arrays(1) == shed.final_arrays(9), "bit for bit"


def test_a_version_says_what_it_was_computed_in_and_answers_as_it_did(shed: Shed) -> None:
    shed.train(1, params={"training.precision": "bfloat16"})
    shed.train(2)
    narrow, wide = shed.version(1), shed.version(2)
    assert [version["lineage"]["precision"] for version in (narrow, wide)] == ["bfloat16", "float32"]
    assert narrow["metrics"]["auc"]["value"] == pytest.approx(wide["metrics"]["auc"]["value"], abs=0.02)
    assert {dtype for dtype, _ in shed.final_arrays(1)} <= {"float32", "int32", "uint32"}, "what is kept is not narrow"
    loaded = load_bundle(shed.home.root / narrow["path"])
    check = loaded.check_golden()
    assert (check.passed, check.difference) == (True, 0.0)
    golden = json.loads((loaded.path / "golden.json").read_text())
    assert golden["precision"] == "bfloat16"


def test_a_checkpoint_knows_its_precision_so_that_another_device_begins_anew(shed: Shed) -> None:
    """With `auto` a retry may find another device: a version half in each precision would be neither."""
    with pytest.raises(Preempted):
        shed.train(1, stop=True)
    (folder,) = shed.home.checkpoints(1).iterdir()
    facts = json.loads((folder / "run" / "metadata").read_text())
    (mark,) = [event["value"] for event in shed.events(1, kind="fingerprint")]
    assert facts["fingerprint"] == f"{mark} float32"


def test_a_damaged_checkpoint_is_said_and_not_used(shed: Shed) -> None:
    with pytest.raises(Preempted):
        shed.train(1, stop=True)
    (saved,) = shed.events(1, kind="checkpoint")
    data = max((f for f in (shed.home.root / saved["path"]).rglob("*") if f.is_file()), key=lambda f: f.stat().st_size)
    flipped = bytearray(data.read_bytes())
    flipped[len(flipped) // 2] ^= 1
    data.write_bytes(flipped)
    shed.train(1, attempt=2)
    assert "checkpoint_damaged" in shed.notes(1, 2)
    assert "resumed" not in shed.notes(1, 2)
    assert shed.version(1, 2)["lineage"]["resumed_from"] is None


def test_a_checkpoint_of_other_settings_is_not_gone_on_from(shed: Shed) -> None:
    with pytest.raises(Preempted):
        shed.train(1, stop=True)
    shed.train(1, attempt=2, params={"training.learning_rate": 0.01})
    assert "fresh_start" in shed.notes(1, 2)
    assert shed.version(1, 2)["lineage"]["resumed_from"] is None


def test_an_accelerator_that_is_not_there_is_refused_before_anything_is_trained(shed: Shed) -> None:
    with pytest.raises(DeviceMissing) as caught:
        shed.train(1, device="tpu")
    assert "TPU" in caught.value.what
    assert not shed.events(1, kind="metrics")


def test_a_setting_that_does_not_exist_is_refused_with_the_nearest(shed: Shed) -> None:
    with pytest.raises(ProjectError, match="epochs"):
        shed.train(1, params={"training.epoch": 3})
