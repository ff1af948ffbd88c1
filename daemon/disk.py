"""The free-space gate: a box with a full disk finishes what runs and starts nothing new."""

from __future__ import annotations

import shutil
from pathlib import Path


def free_bytes(folder: Path) -> int:
    """Free space for this user on the file system of `folder`."""
    return shutil.disk_usage(folder).free


def too_full(folder: Path, free: int, wanted: int) -> str:
    """Why no run may start after the record found its disk full; `wanted`: free bytes from which it trusts it again."""
    return (
        f"the disk of {folder} is too full for the record: {free / 1e6:.0f} MB are free and {wanted / 1e6:.0f} MB are "
        "needed; free space there, and work goes on by itself"
    )


def shortage(free: int, min_free: int) -> str | None:
    """Why no run may start with `free` bytes, or None."""
    if free >= min_free:
        return None
    return f"the disk has {free / 1e9:.2f} GB free, and daemon.min_free asks for {min_free / 1e9:.2f} GB"
