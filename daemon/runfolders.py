"""The folders of a run that was removed. Nothing outside of them is touched: links are not followed."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

from daemon.folders import files_below
from store.disk import sync
from store.home import Home


def places(home: Home, run: int) -> tuple[Path, ...]:
    """By the run's number, which no text of anybody is in."""
    return home.runs / str(run), home.checkpoints(run)


def size_of(home: Home, run: int) -> int:
    """Bytes on the disk that come free with them: a file that has another name elsewhere is not among these."""
    return sum(_size(folder) for folder in places(home, run))


def remove_folders(home: Home, run: int) -> int:
    """Bytes that came free; 0 where nothing was. Raises OSError."""
    return sum(_remove(folder) for folder in places(home, run))


def sync_removals(home: Home) -> None:
    """What was removed stays so when the power fails now. Raises OSError."""
    for parent in (home.runs, home.checkpoints_root):
        if parent.is_dir():
            sync(parent)


def _remove(folder: Path) -> int:
    try:
        mode = folder.lstat().st_mode
    except FileNotFoundError:
        return 0
    if not stat.S_ISDIR(mode):
        folder.unlink()  # a link that somebody put there; what it leads to is not the run's
        return 0
    size = _size(folder)
    shutil.rmtree(folder)  # by descriptors: a link that takes a folder's place meanwhile is not followed
    return size


def _size(folder: Path) -> int:
    if folder.is_symlink():
        return 0
    return sum(file.st_blocks * 512 for file in files_below(folder) if file.st_nlink == 1)
