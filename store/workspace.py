"""A folder to work in that does not outlive its worker: removed at the end, swept by the next one after a kill."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

_PREFIX: Final = ".writing-"


@contextmanager
def workspace(parent: Path) -> Iterator[Path]:
    """A new folder in `parent` to write in, removed at the end unless it was given another name.

    Its writer holds a lock on it, which ends with the process: what a killed one left behind is swept here.
    """
    parent.mkdir(parents=True, exist_ok=True)
    _sweep(parent)
    folder, descriptor = _held_folder(parent)
    try:
        yield folder
    finally:
        os.close(descriptor)
        if folder.exists():
            shutil.rmtree(folder)


def _held_folder(parent: Path) -> tuple[Path, int]:
    """A new folder with its lock; again, should another writer's sweep have come between making and locking."""
    while True:
        folder = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
        descriptor = _hold(folder)
        if descriptor is not None and folder.exists():
            return folder, descriptor
        if descriptor is not None:
            os.close(descriptor)


def _sweep(parent: Path) -> None:
    """Removes workspaces that nobody holds any more."""
    for folder in parent.glob(f"{_PREFIX}*"):
        descriptor = _hold(folder)
        if descriptor is not None:
            shutil.rmtree(folder, ignore_errors=True)  # another one may have come first
            os.close(descriptor)


def _hold(folder: Path) -> int | None:
    """An open, locked descriptor; None if the folder is gone or another process has it."""
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor
