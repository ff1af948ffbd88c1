"""Checkpoints that are what they were: saved in the background, hashed, and verified before they are loaded.

Orbax writes the arrays and commits a step by a rename, which survives kill -9, but it does not notice a flipped bit in
array data (measured: 16 of 16 restored silently wrong). So a step counts only once our manifest stands in it: the
SHA-256 of every file, written last, synced and renamed. A step without a manifest was never announced and is swept.

    checkpoints/<run>/<step>/{state/…, run/…}   Orbax
                             manifest.json      ours
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import orbax.checkpoint as ocp

from store.disk import is_full, sha256_of, sync
from store.errors import CheckpointDamaged, DiskFull, StorageError

MANIFEST = "manifest.json"


@dataclass(frozen=True, kw_only=True)
class SavedCheckpoint:
    """A checkpoint that is verified on disk."""

    step: int
    path: Path
    digest: str
    """SHA-256 of its manifest."""
    bytes: int


class CheckpointStore:
    """The checkpoints of one run: save, verify, latest_verified, load, prune. One process at a time."""

    def __init__(
        self,
        folder: Path,
        *,
        keep: int,
        on_saved: Callable[[SavedCheckpoint], None],
        on_damage: Callable[[CheckpointDamaged], None],
    ) -> None:
        """`on_saved` is called from the saving thread, `on_damage` by `latest_verified`."""
        self._folder = folder
        self._keep = keep
        self._on_saved = on_saved
        self._on_damage = on_damage
        self._orbax: ocp.CheckpointManager | None = None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="checkpoint")
        self._under_way: Future[None] | None = None
        self._sweep()

    # ---- the five ---------------------------------------------------------------------------------------------------

    def save(self, step: int, arrays: dict[str, Any], facts: dict[str, Any]) -> None:
        """Starts saving and returns. Nobody may change or donate `arrays` any more; `facts` are plain JSON.

        Raises what the save before met: StorageError.
        """
        self.wait()
        self._under_way = self._thread.submit(self._save, step, arrays, facts)

    def verify(self, step: int) -> SavedCheckpoint:
        """Compares every byte with the manifest. Raises CheckpointDamaged naming the file."""
        folder = self._folder / str(step)
        expected = _read_manifest(folder, step)
        found = {str(file.relative_to(folder)) for file in _files(folder)}
        for name in sorted(found ^ expected.keys()):
            raise _damaged(folder / name, "is missing" if name in expected else "does not belong to it")
        for name, digest in expected.items():
            if sha256_of(folder / name) != digest:
                raise _damaged(folder / name, "has other bytes than were saved")
        return _saved(folder, step)

    def latest_verified(self) -> int | None:
        """The newest step whose bytes are right, or None. Damaged newer ones are reported and removed."""
        for step in reversed(self.steps()):
            try:
                self.verify(step)
            except CheckpointDamaged as damage:
                self._on_damage(damage)
                self._remove(step)
            else:
                return step
        return None

    def load(self, step: int, like: dict[str, Any]) -> dict[str, Any]:
        """The arrays of a step, verified, placed as those of `like`. Raises CheckpointDamaged."""
        self.verify(step)
        target = jax.tree.map(ocp.utils.to_shape_dtype_struct, like)
        restored = self._manager().restore(step, args=ocp.args.Composite(state=ocp.args.StandardRestore(target)))
        arrays: dict[str, Any] = restored["state"]
        return arrays

    def prune(self) -> None:
        """Keeps the newest `keep` steps."""
        for step in self.steps()[: -self._keep]:
            self._remove(step)

    # ---- around them ------------------------------------------------------------------------------------------------

    def facts(self, step: int) -> dict[str, Any]:
        """What `save` was told beside the arrays. The step must have been verified."""
        restored = self._manager().restore(step, args=ocp.args.Composite(run=ocp.args.JsonRestore()))
        facts: dict[str, Any] = restored["run"]
        return facts

    def steps(self) -> list[int]:
        """Steps with a manifest, ascending, read from the disk (Orbax's own list can hold a save that failed)."""
        return sorted(int(f.parent.name) for f in self._folder.glob(f"*/{MANIFEST}") if f.parent.name.isdigit())

    def idle(self) -> bool:
        """Whether no save is under way. Raises what the last one met."""
        if self._under_way is None or self._under_way.done():
            self.wait()
            return True
        return False

    def wait(self) -> None:
        """Until all is on disk. Raises StorageError if it did not get there."""
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            under_way.result()

    def clear(self) -> None:
        """Removes all steps."""
        for step in self.steps():
            self._remove(step)

    def close(self) -> None:
        """Waits for a save under way, without raising, and lets go of the folder."""
        self._thread.shutdown(wait=True)
        if self._orbax is not None:
            self._orbax.close()

    def _save(self, step: int, arrays: dict[str, Any], facts: dict[str, Any]) -> None:
        folder = self._folder / str(step)
        try:
            items = ocp.args.Composite(state=ocp.args.StandardSave(arrays), run=ocp.args.JsonSave(facts))
            self._manager().save(step, args=items, force=True)
            self._manager().wait_until_finished()
            _write_manifest(folder, step)
            saved = _saved(folder, step)
        # TensorStore reports a full or failing disk as ValueError.
        except (OSError, ValueError) as error:
            kind = DiskFull if is_full(error) else StorageError
            raise kind(
                f"the checkpoint of step {step} could not be saved: {error}",
                where=str(folder),
                remedy="make room on the disk or mend it, then `trainshed runs retry`: the checkpoint before stays",
            ) from error
        self._on_saved(saved)
        self.prune()

    def _manager(self) -> ocp.CheckpointManager:
        if self._orbax is None:
            options = ocp.CheckpointManagerOptions(
                create=True, cleanup_tmp_directories=True, enable_async_checkpointing=False, save_root_metadata=False
            )
            self._orbax = ocp.CheckpointManager(self._folder.resolve(), options=options)
        return self._orbax

    def _remove(self, step: int) -> None:
        folder = self._folder / str(step)
        (folder / MANIFEST).unlink(missing_ok=True)
        shutil.rmtree(folder)

    def _sweep(self) -> None:
        """Removes what a killed process left half-written: Orbax's folders, and steps that were never announced."""
        self._folder.mkdir(parents=True, exist_ok=True)
        for folder in self._folder.iterdir():
            if folder.is_dir() and not (folder / MANIFEST).is_file():
                shutil.rmtree(folder)


def _files(folder: Path) -> Iterator[Path]:
    for parent, _, names in os.walk(folder):
        for name in names:
            if Path(parent) != folder or name != MANIFEST:
                yield Path(parent) / name


def _write_manifest(folder: Path, step: int) -> None:
    """Orbax does not sync its files, so they are synced here, before the manifest vouches for them."""
    digests = {}
    for file in sorted(_files(folder)):
        digests[str(file.relative_to(folder))] = sha256_of(file)
        sync(file)
    for parent, _, _ in os.walk(folder):
        sync(Path(parent))
    temporary = folder / (MANIFEST + ".part")
    body = {"step": step, "files": digests, "seal": _seal(digests)}
    temporary.write_text(json.dumps(body, separators=(",", ":")), encoding="utf-8")
    sync(temporary)
    temporary.rename(folder / MANIFEST)
    sync(folder)
    sync(folder.parent)


def _read_manifest(folder: Path, step: int) -> dict[str, str]:
    try:
        body = json.loads((folder / MANIFEST).read_bytes())
        files: dict[str, str] = body["files"]
        sound = body["step"] == step and body["seal"] == _seal(files)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(folder / MANIFEST, f"cannot be read ({error})") from None
    if not sound:
        raise _damaged(folder / MANIFEST, "has other bytes than were saved")
    return files


def _seal(digests: dict[str, str]) -> str:
    return hashlib.sha256(json.dumps(digests, sort_keys=True).encode()).hexdigest()


def _saved(folder: Path, step: int) -> SavedCheckpoint:
    size = sum(file.stat().st_size for file in _files(folder))
    return SavedCheckpoint(step=step, path=folder, digest=sha256_of(folder / MANIFEST), bytes=size)


def _damaged(file: Path, what: str) -> CheckpointDamaged:
    return CheckpointDamaged(
        f"the checkpoint is damaged: {file.name} {what}",
        where=str(file),
        remedy="retry the run: it goes on from the newest undamaged checkpoint (and have the disk looked at)",
    )
