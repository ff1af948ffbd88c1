"""Where the encoded training rows lie: in memory, or in files that the page cache buffers. Either way the same bits.

A file of rows has no name: it is unlinked as soon as it is open, so its room is free again the moment its process
ends, however it ends, and nothing is ever left half-written.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Literal

import numpy as np
import psutil

from pipeline.tables.storage import storage_faults
from pipeline.training.batches import Rows
from store.errors import StorageError

Place = Literal["memory", "disk"]
MEMORY_SHARE: Final = 0.4
"""Of the free memory: as much as rows may take to lie in it. The rest is for trees, evidence and other runs."""


@dataclass(frozen=True)
class Layout:
    """How many rows there are, and how wide they are."""

    rows: int
    numeric: int
    categorical: int
    target: Literal["float32", "int32"]

    @property
    def columns(self) -> tuple[tuple[tuple[int, ...], np.dtype], ...]:
        """Shape and type of each array of `Rows`."""
        return (
            ((self.rows, self.numeric), np.dtype(np.float32)),
            ((self.rows, self.categorical), np.dtype(np.int32)),
            ((self.rows,), np.dtype(self.target)),
        )

    @property
    def nbytes(self) -> int:
        return 4 * self.rows * (self.numeric + self.categorical + 1)


@dataclass(frozen=True)
class StorageChoice:
    place: Place
    reason: str


def choose_storage(setting: Literal["auto", "memory", "disk"], *, rows_bytes: int, free_memory: int) -> StorageChoice:
    """Where rows of so many bytes go, and why. Without influence on what is learned."""
    allowed = int(MEMORY_SHARE * free_memory)
    fits = rows_bytes <= allowed
    place: Place = ("memory" if fits else "disk") if setting == "auto" else setting
    compared = f"{MEMORY_SHARE:.0%} of the free memory is {readable(allowed)}"
    why = f'training.storage = "{setting}"' if setting != "auto" else compared
    where = "in memory" if place == "memory" else "on disk"
    return StorageChoice(place, f"the training rows take {readable(rows_bytes)}, {why}: they lie {where}")


def free_memory(cgroup: Path = Path("/sys/fs/cgroup")) -> int:
    """Bytes that this process may still take: of the machine, or of its control group where that has less."""
    free = int(psutil.virtual_memory().available)
    for most, used in (
        ("memory.max", "memory.current"),
        ("memory/memory.limit_in_bytes", "memory/memory.usage_in_bytes"),
    ):
        try:
            free = min(free, int((cgroup / most).read_text()) - int((cgroup / used).read_text()))
        except (OSError, ValueError):
            continue
    return max(free, 0)


def refuse_room(needed: int, free: int, folder: Path) -> StorageError | None:
    """Rows that do not fit on the disk, before the first one is written."""
    if needed <= free:
        return None
    return StorageError(
        f"the training rows need {readable(needed)} on disk, and {readable(free)} are free",
        where=str(folder),
        remedy="free space (`trainshed doctor` shows where it went), move the home to a larger disk (TRAINSHED_HOME), "
        "or train on fewer rows",
    )


def store_rows(pieces: Iterable[Rows], layout: Layout, place: Place, folder: Path) -> Rows:
    """Puts the pieces, which make up `layout`, one after the other in their place. Raises StorageError.

    On disk the arrays are read-only maps of files in `folder` (the file system counts: they never have a name).
    """
    if place == "memory":
        return _in_memory(pieces, layout)
    refusal = refuse_room(layout.nbytes, shutil.disk_usage(folder).free, folder)
    if refusal:
        raise refusal
    with storage_faults(folder), ExitStack() as stack:
        files = [stack.enter_context(tempfile.TemporaryFile(dir=folder)) for _ in layout.columns]
        for file, shaped in zip(files, layout.columns, strict=True):
            _reserve(file, _size(*shaped))
        for piece in pieces:
            for column, file in zip(piece, files, strict=True):
                file.write(np.ascontiguousarray(column).data)
        for file in files:
            file.flush()
        return Rows(*(_mapped(file, *column) for file, column in zip(files, layout.columns, strict=True)))


def readable(size: int) -> str:
    """12.3 GB"""
    for unit, name in ((10**12, "TB"), (10**9, "GB"), (10**6, "MB")):
        if size >= unit:
            return f"{size / unit:.1f} {name}"
    return f"{size / 1000:.1f} kB"


def _in_memory(pieces: Iterable[Rows], layout: Layout) -> Rows:
    arrays = [np.empty(shape, dtype) for shape, dtype in layout.columns]
    start = 0
    for piece in pieces:
        for array, column in zip(arrays, piece, strict=True):
            array[start : start + piece.size] = column
        start += piece.size
    return Rows(*arrays)


def _size(shape: tuple[int, ...], dtype: np.dtype) -> int:
    return int(np.prod(shape)) * dtype.itemsize


def _reserve(file: IO[bytes], size: int) -> None:
    """Takes the room at once: a disk that is full says so now, and not in the middle."""
    if size:
        os.posix_fallocate(file.fileno(), 0, size)


def _mapped(file: IO[bytes], shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """The map keeps the file; an empty one cannot be mapped."""
    if not _size(shape, dtype):
        return np.empty(shape, dtype)
    return np.memmap(file, dtype, mode="r", shape=shape)
