"""A version outlives the code it was made with: the bundle of a project's own network, loaded where that is gone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from flax import nnx

from pipeline.judging.gates import Verdict
from pipeline.plugins import load_function
from pipeline.versions.bundle import Bundle, write_bundle
from pipeline.versions.signature import InputColumn, Signature
from store.home import Home
from tests.evidence import least_evidence

OWN_NETWORK = """
from flax import nnx


class Crossed(nnx.Module):
    def __init__(self, inputs, outputs, width, rngs):
        self.first = nnx.Linear(inputs, width, rngs=rngs)
        self.norm = nnx.BatchNorm(width, rngs=rngs)
        self.drop = nnx.Dropout(0.2, rngs=rngs)
        self.last = nnx.Linear(width, outputs, rngs=rngs)

    def __call__(self, x):
        return self.last(self.drop(self.norm(nnx.gelu(self.first(x)))))


def crossed(inputs, outputs, rngs, width=16):
    return Crossed(inputs, outputs, width, rngs)
"""

ASK = """
import json, sys
from pathlib import Path
import pyarrow.parquet as pq
from pipeline.versions.bundle import load_bundle

loaded = load_bundle(Path(sys.argv[1]))
check = loaded.check_golden()
print(json.dumps({
    "passed": check.passed,
    "difference": check.difference,
    "tolerance": check.tolerance,
    "scores": loaded.predict(pq.read_table(sys.argv[2])).tolist(),
    "foreign": sorted(name for name in sys.modules if "crossed" in name or name == "flax"),
}))
"""

SIGNATURE = Signature(
    inputs=[
        InputColumn(name="distance", kind="numeric"),
        InputColumn(name="carrier", kind="categorical", vocabulary=["AA", "DL", "UA"]),
    ],
    task="multiclass",
    label="delay",
    classes=["none", "short", "long"],
)


def drawn(rows: int, seed: int) -> pa.Table:
    rng = np.random.default_rng(seed)
    distance = rng.normal(900, 300, rows)
    distance[::7] = np.nan
    carrier = rng.choice(np.array(["AA", "DL", "UA", "HA", None], dtype=object), rows)
    return pa.table({"distance": distance, "carrier": pa.array(carrier, pa.string())})


def own_bundle(project: Path, home: Home) -> Bundle:
    """A bundle of the project's network, with its preprocessing before it and a softmax behind."""
    module = load_function(project, "crossed.py:crossed")(5, 3, rngs=nnx.Rngs(0), width=16)
    module.eval()
    graph, weights, others = nnx.split(module, nnx.Any(nnx.Param, nnx.BatchStat), ...)
    leaves, shape = jax.tree.flatten(weights)
    params = {f"{place:02}": leaf for place, leaf in enumerate(leaves)}

    def apply(params: dict[str, jax.Array], numeric: jax.Array, categorical: jax.Array) -> jax.Array:
        network = nnx.merge(graph, jax.tree.unflatten(shape, [params[name] for name in sorted(params)]), others)
        scaled = jnp.where(jnp.isnan(numeric), 0.0, (numeric - 900.0) / 300.0)
        return jax.nn.softmax(network(jnp.concatenate([scaled, jax.nn.one_hot(categorical[:, 0] - 1, 4)], axis=1)))

    return write_bundle(
        home,
        apply=apply,
        params=params,
        signature=SIGNATURE,
        golden=drawn(64, 1),
        evidence=least_evidence("multiclass", "accuracy"),
        verdict=Verdict(passed=True, gates=[]),
        lineage={},
    )


def asked_elsewhere(bundle: Path, rows: Path) -> dict[str, Any]:
    """What a fresh process finds, with our code on its path and nothing of the project."""
    answer = subprocess.run(
        [sys.executable, "-P", "-c", ASK, str(bundle), str(rows)],
        cwd=rows.parent,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        timeout=240,
        check=True,
    )
    told: dict[str, Any] = json.loads(answer.stdout)
    return told


@pytest.mark.slow
def test_a_bundle_of_an_own_network_answers_in_a_process_where_its_code_does_not_exist(tmp_path: Path) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (project / "crossed.py").write_text(OWN_NETWORK)
    bundle = own_bundle(project, Home(tmp_path / "home"))
    (project / "crossed.py").unlink()
    pq.write_table(drawn(500, 2), tmp_path / "rows.parquet")
    told = asked_elsewhere(bundle.path, tmp_path / "rows.parquet")
    assert told["foreign"] == []
    assert (told["passed"], told["tolerance"], told["difference"]) == (True, 0.0, 0.0)
    scores = np.array(told["scores"])
    assert scores.shape == (500, 3)
    np.testing.assert_allclose(scores.sum(axis=1), 1.0, atol=1e-5)
