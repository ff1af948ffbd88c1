"""Profiles of windows, kept: each made once, from rows at rest, and found again under the cells it is made over.

A file is there whole or not at all, and made again it is the same to the last byte: whoever is killed, and how often
soever something is done twice, the profile of a window is that of its rows. All of it can be thrown away.
"""

from __future__ import annotations

import gzip
import json
import os
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import orjson

from pipeline.watching.packed import narrow, widened
from pipeline.watching.profile import Cells, Profile, digest_of, over_cells, together
from pipeline.watching.windows import Window

FORMAT: Final = 2
"""A line of JSON, and then the counts of all columns, one after the other. Of format 1, the counts are in the JSON."""
_SUFFIX: Final = ".json.gz"


@dataclass(frozen=True)
class WindowProfile:
    """Of the rows of a window."""

    token: str
    """Says which rows these are: those of another token are others."""
    rows: int
    named: Mapping[str, int]
    """Column → rows that named it, if only without a value. A column that none names is gone from the table."""
    columns: Mapping[str, Profile]


class Shelf:
    """The profiles of one table over the same cells."""

    def __init__(self, folder: Path, cells: Mapping[str, Cells], digest: str = "") -> None:
        """`folder`: of the table; `digest`: of the cells, for who has it already, for it takes as long as a verdict."""
        self.cells = cells
        self.folder = folder / (digest or digest_of(cells))[:16]
        """Of these cells."""

    def get(self, version: int, window: Window, token: str | None = None) -> WindowProfile | None:
        """None where there is none, or it is of other rows than those of the token."""
        try:
            line, _, raw = gzip.decompress(self._file(version, window).read_bytes()).partition(b"\n")
            said = orjson.loads(line)
            if said["format"] not in (1, FORMAT) or token not in (None, said["token"]):
                return None
            columns = _columns(self.cells, said, raw)
            return WindowProfile(said["token"], said["rows"], said["named"], columns)
        except (OSError, EOFError, ValueError, KeyError, zlib.error):
            return None  # none, or damaged: it is made from its rows

    def put(self, version: int, window: Window, one: WindowProfile) -> None:
        """Raises OSError."""
        kind, raw = narrow(np.concatenate([np.zeros(0, np.int64), *(each.counts for each in one.columns.values())]))
        columns = [[name, each.moments()] for name, each in one.columns.items()]
        said = {"format": FORMAT, "token": one.token, "rows": one.rows, "named": dict(one.named)}
        text = json.dumps({**said, "counts": kind, "columns": columns}, allow_nan=False, separators=(",", ":"))
        write_whole(self._file(version, window), gzip.compress(text.encode() + b"\n" + raw, compresslevel=3, mtime=0))

    def told(self, monitor: str, version: int, window: Window, token: str) -> dict[str, Any] | None:
        """What a monitor said of the window when its token was this one. Profiles are all monitors', and this is not:
        another one of the same windows has settings of its own."""
        try:
            said = json.loads(self._file(version, window, f".{monitor}.told.json").read_bytes())
            return dict(said["said"]) if said["token"] == token else None
        except (OSError, ValueError, KeyError, TypeError):
            return None

    def tell(self, monitor: str, version: int, window: Window, token: str, said: Mapping[str, Any]) -> None:
        """Raises OSError."""
        text = json.dumps({"token": token, "said": said}, allow_nan=False, separators=(",", ":"), sort_keys=True)
        write_whole(self._file(version, window, f".{monitor}.told.json"), text.encode())

    def files(self) -> list[Path]:
        """Of all profiles that are kept."""
        return sorted(self.folder.glob(f"*{_SUFFIX}"))

    def drop(self, version: int, windows: Iterable[Window]) -> None:
        """Those of pieces that are together now."""
        for window in windows:
            self._file(version, window).unlink(missing_ok=True)

    def _file(self, version: int, window: Window, suffix: str = _SUFFIX) -> Path:
        return self.folder / f"{version}-{window.start_us}-{window.end_us}{suffix}"


def joined(parts: Iterable[WindowProfile], token: str) -> WindowProfile:
    """Of the rows of all parts, of which there is at least one: exactly what their rows together would give."""
    first, *rest = parts
    rows, named, columns = first.rows, dict(first.named), dict(first.columns)
    for one in rest:
        rows += one.rows
        named = {name: count + one.named[name] for name, count in named.items()}
        columns = {name: together(each, one.columns[name]) for name, each in columns.items()}
    return WindowProfile(token, rows, named, columns)


def _columns(cells: Mapping[str, Cells], said: Mapping[str, Any], raw: bytes) -> dict[str, Profile]:
    """Raises KeyError or ValueError for what fits these cells not."""
    if said["format"] == 1:
        return {name: over_cells(cells[name], one) for name, one in said["columns"].items()}
    counts = widened(said["counts"], raw)
    ends = np.cumsum([cells[name].size for name, _ in said["columns"]]).tolist()
    if len(counts) != (ends[-1] if ends else 0):
        raise ValueError(f"{len(counts)} counts over {ends[-1:]} cells")
    parts = zip(said["columns"], [0, *ends], ends, strict=False)
    return {name: over_cells(cells[name], one, counts[start:end]) for (name, one), start, end in parts}


def write_whole(file: Path, content: bytes) -> None:
    """Under its name only when it is whole. Raises OSError."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = file.with_suffix(f".{os.getpid()}.new")
    aside.write_bytes(content)
    os.replace(aside, file)
