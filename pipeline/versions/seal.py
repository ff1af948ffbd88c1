"""A sealed folder: a manifest with the SHA-256 of every file, and one digest that stands for the whole.

Orbax restores a flipped bit of array data without a word, so every byte is checked before it is used.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from store.disk import sha256_of, sync
from store.errors import BundleDamaged
from store.workspace import workspace

MANIFEST = "manifest.json"


class SealedFile(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")
    sha256: str
    bytes: int


class Manifest(BaseModel):
    """What `manifest.json` says; its own SHA-256 is the digest of the folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    format: int
    files: dict[str, SealedFile]
    """By path relative to the folder, with `/`."""

    @property
    def bytes(self) -> int:
        return sum(file.bytes for file in self.files.values())


def seal(folder: Path) -> str:
    """Writes the manifest over all files in `folder`, syncs everything to the disk; the digest."""
    names = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    files = {name: _describe(folder / name) for name in names}
    manifest = Manifest(format=1, files=files)
    text = json.dumps(manifest.model_dump(mode="json"), indent=1, sort_keys=True).encode() + b"\n"
    (folder / MANIFEST).write_bytes(text)
    for path in [*folder.rglob("*"), folder]:
        sync(path)
    return hashlib.sha256(text).hexdigest()


def digest_of(folder: Path) -> str:
    """Of a sealed folder, without a look at its files."""
    return hashlib.sha256(_read(folder / MANIFEST, folder)).hexdigest()


def publish(folder: Path, target: Path) -> None:
    """Renames a sealed folder to its final name and takes the write permissions away. What is there already stays."""
    for path in folder.rglob("*"):
        if path.is_file():
            path.chmod(0o444)
    try:
        os.rename(folder, target)
    except OSError:
        if not target.is_dir():
            raise
        return  # the same digest was published before: the same bytes
    for path in [*target.rglob("*"), target]:
        if path.is_dir():
            path.chmod(0o555)
    sync(target.parent)


def discard(folder: Path) -> None:
    """Removes a sealed folder of something that can be made again: first its name, so that nobody finds half of it."""
    with workspace(folder.parent) as grave:
        try:
            folder.chmod(0o755)
            folder.rename(grave / folder.name)
        except FileNotFoundError:
            return  # another one was quicker
        for path in [grave / folder.name, *(grave / folder.name).rglob("*")]:
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)


def verify(folder: Path, digest: str | None) -> Manifest:
    """Reads every file and compares. Raises BundleDamaged naming the first that differs, is missing or is too many.

    `digest`: what the folder is known by; None trusts its manifest (a copy under another name).
    """
    text = _read(folder / MANIFEST, folder)
    found = hashlib.sha256(text).hexdigest()
    if digest is not None and found != digest:
        raise damaged(folder, f"{MANIFEST} has digest {found[:12]}…, not {digest[:12]}…")
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError as error:
        raise damaged(folder, f"{MANIFEST} cannot be read ({error.error_count()} faults)") from error
    present = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if not _is_folder(path)}
    for name in sorted(present - {MANIFEST} - manifest.files.keys()):
        raise damaged(folder, f"{name} is in the folder and not in its manifest")
    for name, expected in manifest.files.items():
        _compare(folder, name, expected)
    return manifest


def damaged(folder: Path, what: str) -> BundleDamaged:
    return BundleDamaged(
        f"the version's files are not those that were sealed: {what}",
        where=str(folder),
        remedy="do not use it; restore the folder from a backup (`trainshed restore`), or train the version again",
    )


def _compare(folder: Path, name: str, expected: SealedFile) -> None:
    path = folder / name
    if _is_link(path):
        raise damaged(folder, f"{name} is a link")
    try:
        found = _describe(path)
    except OSError as error:
        raise damaged(folder, f"{name} cannot be read: {error.strerror}") from error
    if found != expected:
        raise damaged(folder, f"{name} has changed ({found.bytes} bytes, {expected.bytes} were sealed)")


def _describe(path: Path) -> SealedFile:
    return SealedFile(sha256=sha256_of(path), bytes=path.stat().st_size)


def _read(path: Path, folder: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise damaged(folder, f"{path.name} cannot be read: {error.strerror}") from error


def _is_folder(path: Path) -> bool:
    return stat.S_ISDIR(path.lstat().st_mode)


def _is_link(path: Path) -> bool:
    return path.is_symlink()
