"""Writes what later libraries have to be able to read: a checkpoint and a version, by the libraries of today.

    make golden

Run it when the pin of orbax-checkpoint or jax changes, and commit what it adds; what is there stays. One folder each:

    checkpoints/orbax-0.12.8/STEP/     a checkpoint of a training in its 600th step
    versions/jax-0.10.2/DIGEST/        a sealed version of a network of a project (`Crossed`), with rows and scores
"""

from __future__ import annotations

import shutil
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pyarrow as pa
from flax import nnx

from pipeline.config.models import OwnNetwork
from pipeline.judging.gates import Verdict
from pipeline.models.embeddings import Preparation
from pipeline.models.flat import flatten
from pipeline.models.network import exported, network_builder
from pipeline.training.checkpoint import CheckpointStore
from pipeline.training.saved import pack
from pipeline.training.steps import TrainState
from pipeline.versions.bundle import write_bundle
from pipeline.versions.signature import InputColumn, Signature
from store.home import Home
from tests.evidence import least_evidence

HERE = Path(__file__).parent
STEP = 600
FACTS = {"fingerprint": "golden", "progress": {"step": STEP, "skipped": 1}}


class Crossed(nnx.Module):
    """A network as a project writes it; no test imports it."""

    def __init__(self, inputs: int, outputs: int, rngs: nnx.Rngs) -> None:
        self.first = nnx.Linear(inputs, 4, rngs=rngs)
        self.norm = nnx.BatchNorm(4, rngs=rngs)
        self.last = nnx.Linear(4, outputs, rngs=rngs)

    def __call__(self, inputs: jax.Array) -> jax.Array:
        return jnp.asarray(self.last(nnx.gelu(self.norm(self.first(inputs)))))


def checkpoint_folder() -> Path:
    """Of the Orbax that is installed."""
    return HERE / "checkpoints" / f"orbax-{version('orbax-checkpoint')}"


def version_folder() -> Path:
    """Of the JAX that is installed."""
    return HERE / "versions" / f"jax-{version('jax')}"


def checkpoint_arrays() -> dict[str, Any]:
    """What the checkpoint holds, computed from nothing: all kinds of numbers that a training has."""
    model = (
        np.linspace(-1.0, 1.0, 12, dtype=np.float32).reshape(3, 4),
        np.float32(0.1),
        np.array([7, 2**32 - 1], np.uint32),
        np.asarray(jnp.arange(4, dtype=jnp.bfloat16) / 3),
    )
    memory = (np.geomspace(1e-30, 1e30, 13).astype(np.float32), np.int32(STEP))
    best = tuple(leaf * leaf.dtype.type(2) for leaf in model)
    return pack((TrainState(model, memory, np.int32(3)), best))  # type: ignore[arg-type]


def write_checkpoint(folder: Path) -> None:
    store = CheckpointStore(folder, keep=1, on_saved=print, on_damage=print)
    store.save(STEP, jax.device_put(checkpoint_arrays()), FACTS)
    store.wait()
    store.close()


def write_version(folder: Path) -> None:
    """Into folder/DIGEST/."""
    preparation = Preparation(
        edges=np.zeros((1, 2), np.float32),
        mean=np.array([900.0], np.float32),
        deviation=np.array([300.0], np.float32),
        cardinalities=(4,),
    )
    signature = Signature(
        inputs=[
            InputColumn(name="distance", kind="numeric"),
            InputColumn(name="carrier", kind="categorical", vocabulary=["AA", "UA"]),
        ],
        task="binary",
        label="late",
        classes=["false", "true"],
    )
    config = OwnNetwork(kind="python", module="network.py:Crossed")
    build = network_builder(config, preparation, task="binary", classes=2, target=(0.0, 1.0), own=Crossed)
    apply, params = exported(*flatten(build, seed=0))
    rows = pa.table({"distance": [500.0, None, 1700.0, 1e9], "carrier": ["AA", "DL", None, "UA"]})
    made = write_bundle(
        Home(folder),
        apply=apply,
        params=params,
        signature=signature,
        golden=rows,
        evidence=least_evidence(),
        verdict=Verdict(passed=True, gates=[]),
        lineage={"run": 1},
    )
    for path in (made.path, *made.path.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)  # in a checkout they may be moved and removed
    made.path.rename(folder / made.digest)
    made.path.parent.rmdir()


def main() -> None:
    for folder, write in ((checkpoint_folder(), write_checkpoint), (version_folder(), write_version)):
        if folder.exists():
            print(f"{folder.relative_to(HERE)} is there already")
        else:
            # Aside, as Orbax writes down where it wrote.
            with tempfile.TemporaryDirectory() as aside:
                write(Path(aside) / folder.name)
                shutil.copytree(Path(aside) / folder.name, folder)
            print(f"{folder.relative_to(HERE)} is written: commit it")


if __name__ == "__main__":
    main()
