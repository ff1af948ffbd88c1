"""The folder of an export: there whole or not at all, and never in the place of somebody's work."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from pipeline.standalone.provenance import FILE, MODEL, read_provenance
from pipeline.versions import seal
from store.disk import sha256_of
from store.errors import BundleDamaged, Conflict
from store.workspace import workspace

_MADE_BY_RUNNING: Final = "__pycache__"


@contextmanager
def published(target: Path) -> Iterator[Path]:
    """A new folder to write in, which is `target` when the block ends well.

    An earlier export there is replaced. Raises Conflict when there is anything else: before the block, and, should it
    have come meanwhile, after it.
    """
    require_free(target)
    with workspace(target.parent) as scratch:
        made, grave = scratch / "made", scratch / "grave"
        made.mkdir()
        yield made
        require_free(target)
        if target.exists():
            target.rename(grave)
        made.rename(target)


def require_free(target: Path) -> None:
    """Raises Conflict unless the folder is missing, empty, or an export of ours in which nothing was changed."""
    if not target.exists():
        return
    if not target.is_dir():
        raise _taken(target, "it is no folder")
    if not any(target.iterdir()):
        return
    try:
        before = read_provenance(target)
    except BundleDamaged:
        raise _taken(target, "it is not empty, and no export") from None
    strange = _strange(target, before.files)
    if strange is not None:
        raise _taken(target, f"it is an earlier export, and {strange}")
    try:
        seal.verify(target / MODEL, before.sealed)
    except BundleDamaged as error:
        raise _taken(target, f"it is an earlier export, and its model is not: {error.what}") from None


def digests(folder: Path) -> dict[str, str]:
    """Path → SHA-256 of every file but the model's, which has a seal, and the provenance."""
    return {
        str(name): sha256_of(folder / name)
        for file in sorted(folder.rglob("*"))
        if file.is_file() and _MADE_BY_RUNNING not in (name := file.relative_to(folder)).parts
        if name.parts[0] not in (MODEL, FILE)
    }


def _strange(folder: Path, expected: dict[str, str]) -> str | None:
    found = digests(folder)
    for name in sorted(found.keys() - expected.keys()):
        return f"{name} is not of it"
    changed = [name for name, digest in expected.items() if found.get(name, digest) != digest]
    return f"{changed[0]} was changed" if changed else None


def _taken(target: Path, why: str) -> Conflict:
    return Conflict(
        f"nothing is written there: {why}", where=str(target), remedy="name another folder with --into, or remove it"
    )
