"""The free-space gate: a box with a full disk finishes what runs and starts nothing new."""

from __future__ import annotations

import shutil
from pathlib import Path


def free_bytes(folder: Path) -> int:
    """Free space for this user on the file system of `folder`."""
    return shutil.disk_usage(folder).free


def shortage(free: int, min_free: int) -> str | None:
    """Why no run may start with `free` bytes, or None."""
    if free >= min_free:
        return None
    return f"the disk has {free / 1e9:.2f} GB free, and daemon.min_free asks for {min_free / 1e9:.2f} GB"
