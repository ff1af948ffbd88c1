"""What earlier libraries wrote is read by those of today: checkpoints and versions of each pin there was."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import jax
import numpy as np
import pytest

from pipeline.training.checkpoint import CheckpointStore
from store.errors import CheckpointDamaged
from tests.golden.write import FACTS, HERE, STEP, checkpoint_arrays, checkpoint_folder, version_folder

pytestmark = pytest.mark.slow  # Orbax, and a process of its own

CHECKPOINTS = sorted((HERE / "checkpoints").iterdir())
VERSIONS = sorted((HERE / "versions").glob("*/*"))
ASK = """
import json, sys
from pathlib import Path
from pipeline.versions.bundle import load_bundle

loaded = load_bundle(Path(sys.argv[1]))
check = loaded.check_golden()
print(json.dumps({
    "passed": check.passed,
    "difference": check.difference,
    "metrics": sorted(loaded.evidence.metrics),
    "foreign": sorted(name for name in sys.modules if name.split(".")[0] in ("flax", "tests")),
}))
"""


@pytest.mark.parametrize("folder", [checkpoint_folder(), version_folder()], ids=lambda folder: folder.name)
def test_there_is_a_golden_folder_of_what_is_installed(folder: Path) -> None:
    place = folder.relative_to(HERE.parents[1])
    assert folder.is_dir(), f"{place} is missing: run `make golden` and commit what it writes"


@pytest.mark.parametrize("folder", CHECKPOINTS, ids=lambda folder: folder.name)
def test_a_golden_checkpoint_is_verified_and_gives_the_arrays_that_were_saved(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "run")  # a store sweeps its folder
    damage: list[CheckpointDamaged] = []
    store = CheckpointStore(tmp_path / "run", keep=1, on_saved=print, on_damage=damage.append)
    try:
        assert (store.latest_verified(), damage) == (STEP, [])
        assert store.facts(STEP) == FACTS
        expected = checkpoint_arrays()
        found = store.load(STEP, jax.device_put(jax.tree.map(np.zeros_like, expected)))
    finally:
        store.close()
    assert {group: found[group].keys() for group in found} == {group: expected[group].keys() for group in expected}
    for one, other in zip(jax.tree.leaves(found), jax.tree.leaves(expected), strict=True):
        assert (one.dtype, one.shape) == (other.dtype, other.shape)
        assert np.asarray(one).tobytes() == other.tobytes()


@pytest.mark.parametrize("folder", VERSIONS, ids=lambda folder: str(folder.parent.name))
def test_a_golden_version_reproduces_its_rows_in_a_process_without_its_code(folder: Path) -> None:
    answer = subprocess.run(
        [sys.executable, "-P", "-c", ASK, str(folder)],
        env={**os.environ, "PYTHONPATH": str(HERE.parents[1]), "JAX_PLATFORMS": "cpu"},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    told: dict[str, Any] = json.loads(answer.stdout)
    assert told["passed"], told["difference"]
    assert (told["metrics"], told["foreign"]) == (["auc"], [])


def test_golden_files_are_small() -> None:
    """They stay in the repository for ever."""
    for folder in (*CHECKPOINTS, *VERSIONS):
        assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) < 64_000, folder
