"""How much disk each part of the home takes. A walk over many files: done in a thread, bounded, and remembered."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from store.home import Home
from store.wire import FolderView

MOST_FILES: Final = 200_000
"""Looked at in one folder; beyond that the sum says that it is not complete."""
LONGEST_S: Final = 5.0
"""For one folder."""


def parts(home: Home) -> list[tuple[str, Path]]:
    """Name and place. A file with several names counts in the first of them: backups own only what is theirs."""
    return [
        ("lake", home.lake),
        ("versions", home.versions),
        ("training sets", home.training_sets),
        ("checkpoints", home.checkpoints_root),
        ("runs", home.runs),
        ("staging", home.root / "staging"),
        ("xla-cache", home.compilation_cache),
        ("serving", home.serving.root),
        ("backups", home.backups),
    ]


def measure_folders(home: Home, monotonic: Callable[[], float]) -> list[FolderView]:
    """Space on disk of every part that is there."""
    seen: set[tuple[int, int]] = set()
    return [_measure(name, path, seen, monotonic) for name, path in parts(home) if path.is_dir()]


def _measure(name: str, path: Path, seen: set[tuple[int, int]], monotonic: Callable[[], float]) -> FolderView:
    """`seen`: device and inode of files with several names that were counted already."""
    until = monotonic() + LONGEST_S
    size = files = 0
    complete = True
    for facts in files_below(path):
        if files >= MOST_FILES or monotonic() > until:
            complete = False
            break
        files += 1
        if facts.st_nlink > 1:
            if (facts.st_dev, facts.st_ino) in seen:
                continue
            seen.add((facts.st_dev, facts.st_ino))
        size += facts.st_blocks * 512  # what it takes, not how long it is: the ends of blocks count, holes do not
    return FolderView(name=name, path=str(path), bytes=size, files=files, complete=complete)


def files_below(folder: Path) -> Iterator[os.stat_result]:
    """Everything below it that is there at the moment of looking; links are not followed."""
    open_folders = [str(folder)]
    while open_folders:
        try:
            with os.scandir(open_folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        open_folders.append(entry.path)
                    else:
                        yield entry.stat(follow_symlinks=False)
        except OSError:
            continue  # removed meanwhile, or not ours to read
