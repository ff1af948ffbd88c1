"""Checkpoints: what is loaded is what was saved, or it is refused."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from pipeline.training.checkpoint import MANIFEST, CheckpointStore, SavedCheckpoint
from store.errors import CheckpointDamaged, StorageError

pytestmark = pytest.mark.slow  # Orbax, for real

ARRAYS = {"model": {"0000": jnp.arange(6.0).reshape(2, 3), "0001": jnp.uint32(7)}, "streak": {"0000": jnp.int32(0)}}


@dataclass
class Told:
    saved: list[SavedCheckpoint] = field(default_factory=list)
    damage: list[CheckpointDamaged] = field(default_factory=list)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def store(tmp_path: Path, told: Told) -> Iterator[CheckpointStore]:
    opened = open_store(tmp_path, told)
    yield opened
    opened.close()


def open_store(folder: Path, told: Told, keep: int = 2) -> CheckpointStore:
    return CheckpointStore(folder / "run", keep=keep, on_saved=told.saved.append, on_damage=told.damage.append)


def save(store: CheckpointStore, *steps: int) -> None:
    for step in steps:
        scaled = jax.tree.map(lambda leaf, step=step: leaf * step, ARRAYS)
        store.save(step, scaled, {"step": step})
    store.wait()


def same(one: Any, other: Any) -> bool:
    return all(jax.tree.leaves(jax.tree.map(lambda a, b: bool((np.asarray(a) == np.asarray(b)).all()), one, other)))


def test_what_was_saved_comes_back(store: CheckpointStore, told: Told) -> None:
    save(store, 5)
    assert [one.step for one in told.saved] == [5]
    assert told.saved[0].bytes > 0
    assert len(told.saved[0].digest) == 64
    assert store.latest_verified() == 5
    assert store.facts(5) == {"step": 5}
    loaded = store.load(5, ARRAYS)
    assert same(loaded, jax.tree.map(lambda leaf: leaf * 5, ARRAYS))
    assert jax.tree.map(lambda leaf: leaf.dtype, loaded) == jax.tree.map(lambda leaf: leaf.dtype, ARRAYS)


def test_a_later_process_finds_the_newest(store: CheckpointStore, tmp_path: Path, told: Told) -> None:
    save(store, 5, 9)
    again = open_store(tmp_path, told)
    assert again.latest_verified() == 9
    save(again, 12)
    assert again.steps() == [9, 12]
    again.close()


def test_only_the_newest_are_kept(store: CheckpointStore, tmp_path: Path) -> None:
    save(store, 1, 2, 3)
    assert store.steps() == [2, 3]
    assert sorted(p.name for p in (tmp_path / "run").iterdir()) == ["2", "3"]


def test_every_flipped_bit_in_every_file_is_found(store: CheckpointStore, tmp_path: Path) -> None:
    """Orbax alone notices none of those in array data."""
    save(store, 4)
    rng = np.random.default_rng(0)
    files = [file for file in (tmp_path / "run" / "4").rglob("*") if file.is_file() and file.stat().st_size]
    assert len(files) > 5
    for file in files:
        good = file.read_bytes()
        for _ in range(4):
            bad = bytearray(good)
            place = int(rng.integers(len(bad)))
            bad[place] ^= 1 << int(rng.integers(8))
            file.write_bytes(bad)
            with pytest.raises(CheckpointDamaged):
                store.verify(4)
        file.write_bytes(good)
    store.verify(4)


def test_a_missing_or_an_added_file_is_found(store: CheckpointStore, tmp_path: Path) -> None:
    save(store, 4)
    added = tmp_path / "run" / "4" / "state" / "stranger"
    added.write_text("x")
    with pytest.raises(CheckpointDamaged, match="does not belong"):
        store.verify(4)
    added.unlink()
    (tmp_path / "run" / "4" / "run" / "metadata").unlink()
    with pytest.raises(CheckpointDamaged, match="is missing"):
        store.verify(4)
    with pytest.raises(CheckpointDamaged):
        store.load(4, ARRAYS)


def test_a_damaged_checkpoint_gives_way_to_the_one_before_it(
    store: CheckpointStore, tmp_path: Path, told: Told
) -> None:
    save(store, 4, 8)
    data = max((f for f in (tmp_path / "run" / "8").rglob("*") if f.is_file()), key=lambda f: f.stat().st_size)
    data.write_bytes(b"?" + data.read_bytes()[1:])
    again = open_store(tmp_path, told)
    assert again.latest_verified() == 4
    assert str(data) in told.damage[0].where
    save(again, 8)
    assert again.latest_verified() == 8, "the step can be saved anew"
    again.close()


def test_a_step_without_a_manifest_is_swept(store: CheckpointStore, tmp_path: Path, told: Told) -> None:
    """The process was killed between Orbax's commit and ours, or inside of Orbax."""
    save(store, 4, 8)
    (tmp_path / "run" / "8" / MANIFEST).unlink()
    shutil.copytree(tmp_path / "run" / "4", tmp_path / "run" / "9.orbax-checkpoint-tmp")
    (tmp_path / "run" / "9.orbax-checkpoint-tmp" / MANIFEST).unlink()
    again = open_store(tmp_path, told)
    assert again.latest_verified() == 4
    assert [p.name for p in (tmp_path / "run").iterdir()] == ["4"]
    again.close()


def test_a_save_that_fails_in_the_background_is_raised_by_the_next_call(tmp_path: Path, told: Told) -> None:
    store = open_store(tmp_path, told)
    shutil.rmtree(tmp_path / "run")
    (tmp_path / "run").write_text("a file where the folder was")
    store.save(3, ARRAYS, {})
    with pytest.raises(StorageError, match="step 3 could not be saved") as caught:
        store.wait()
    assert "disk" in caught.value.remedy
    assert not told.saved
    store.close()


def test_the_caller_does_not_wait_for_the_disk(tmp_path: Path) -> None:
    announced, go = threading.Event(), threading.Event()

    def hold(saved: SavedCheckpoint) -> None:
        announced.set()
        go.wait(20)

    store = CheckpointStore(tmp_path / "run", keep=1, on_saved=hold, on_damage=lambda damage: None)
    store.save(1, ARRAYS, {})
    assert announced.wait(20)
    assert not store.idle()
    go.set()
    store.wait()
    assert store.idle()
    store.close()


def test_an_empty_folder_has_nothing(store: CheckpointStore) -> None:
    assert store.latest_verified() is None
    assert store.idle()
