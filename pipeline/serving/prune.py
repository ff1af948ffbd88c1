"""Pressed versions and compiled programs that nobody will miss: they can be made again, and take disk space."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Final

from pipeline.serving.pressed import PressedFacts
from pipeline.serving.readiness import FACTS, key_of
from pipeline.versions import seal
from store.home import ServingDir
from store.routing import read_snapshot

NEWEST: Final = 4
"""Stay beside what is served: candidates that were tried, versions that may come back. And one for each model: its
next one, which was pressed ahead."""


def prune(serving: ServingDir, sizes: tuple[int, ...]) -> list[str]:
    """Removes what is neither served nor among the newest; the names of what went. `sizes`: of batches, as served."""
    snapshot = read_snapshot(serving.routing)
    newest = NEWEST + len(snapshot.routes)
    pressed = _kept_and_gone(serving.pressed_root, set(snapshot.resident().values()), newest)
    keys = {key_of(_function(folder), sizes) for folder in pressed[0]}
    programs = _kept_and_gone(serving.executables_root, keys, newest)
    gone = [*pressed[1], *programs[1]]
    for folder in gone:
        seal.discard(folder)
    return [folder.name for folder in gone]


def _kept_and_gone(root: Path, needed: Collection[str], newest: int) -> tuple[list[Path], list[Path]]:
    if not root.is_dir():
        return [], []
    folders = sorted((one for one in root.iterdir() if not one.name.startswith(".")), key=_age, reverse=True)
    others = [folder for folder in folders if folder.name not in needed]
    gone = others[newest:]
    return [folder for folder in folders if folder not in gone], gone


def _age(folder: Path) -> float:
    return folder.stat().st_mtime


def _function(folder: Path) -> str:
    return PressedFacts.model_validate_json((folder / FACTS).read_bytes()).function
