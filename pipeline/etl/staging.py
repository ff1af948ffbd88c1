"""Rows of an ingest that is not committed yet, so that a crash costs seconds and never a row.

A folder holds `header.json` (what is read, so that rows of something else are never taken for it), Parquet parts and
`journal.jsonl`. A journal line is written after its parts are on disk; it says where reading can go on. Parts that
no such line vouches for are thrown away when the folder is opened again.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
import pyarrow.parquet as pq

from store.disk import sync
from store.errors import Conflict

HEADER: Final = "header.json"
"""What a folder holds rows of."""
FLUSH_ROWS: Final = 65_536
FLUSH_S: Final = 1.0
"""Rows wait in memory no longer than this: what a crash can cost."""
STALE_S: Final = 86_400.0
"""A read that stood still for so long begins anew: its first pages and its last would be of different days."""
_JOURNAL: Final = "journal.jsonl"


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Holds the folder for this process; the lock dies with it. Raises Conflict when somebody else has it."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    with (folder.parent / f"{folder.name}.lock").open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise Conflict(
                f"another run is making {folder.name} at this moment",
                where=str(folder),
                remedy="wait for it: `trainshed runs`; or cancel it",
            ) from None
        yield


@dataclass(frozen=True, kw_only=True)
class Progress:
    """How far reading has come, as the journal says."""

    rows: int = 0
    pages: int = 0
    digest: str = ""
    """Chained over all rows in their order: equal rows, equal digest."""
    resume: dict[str, Any] | None = None
    edge: dict[str, Any] | None = None
    """State of the incremental cursor at this place."""
    complete: bool = False


class Staging:
    """The folder of one ingest."""

    def __init__(self, folder: Path, identity: str, ingest: str, clock: Callable[[], float]) -> None:
        """Opens what is there if it belongs to `identity`, else starts empty.

        `ingest` names the attempt; what was begun under another name keeps it. `clock`: Unix seconds.
        """
        self.folder = folder
        self._clock = clock
        self._flushed_at = clock()
        self._waiting: list[pa.RecordBatch] = []
        self._parts: list[str] = []
        header = _read_json(folder / HEADER)
        if header is None or header["identity"] != identity:
            header = self._begin(identity, ingest)
        self.progress = self._recover()
        if self._stale():
            header = self._begin(identity, ingest)
            self.progress = self._recover()
        self.ingest: str = header["ingest"]
        self._ahead = self.progress

    def add(self, rows: pa.RecordBatch, *, resume: dict[str, Any] | None, edge: dict[str, Any] | None) -> None:
        """Takes rows in; with `resume`, reading can go on behind them."""
        ahead = self._ahead
        if rows.num_rows:
            self._waiting.append(rows)
            ahead = replace(ahead, rows=ahead.rows + rows.num_rows, digest=_chained(ahead.digest, rows))
        if resume is not None:
            ahead = replace(ahead, pages=ahead.pages + 1)
        self._ahead = replace(ahead, resume=resume, edge=edge)
        waiting = sum(batch.num_rows for batch in self._waiting)
        if waiting >= FLUSH_ROWS or (resume is not None and self._clock() - self._flushed_at >= FLUSH_S):
            self.flush()

    def flush(self) -> None:
        """Everything taken in is on disk when this returns."""
        written = [self._write_part(table) for table in _grouped(self._waiting)]
        self._waiting = []
        self._parts += written
        if written or self._ahead != self.progress:
            self._note(written, self._ahead)
        self.progress = self._ahead
        self._flushed_at = self._clock()

    def complete(self) -> None:
        """All was read: from now on nothing needs to be fetched again."""
        self._ahead = replace(self._ahead, complete=True)
        self.flush()

    @property
    def seen(self) -> Progress:
        """How far reading has come, on disk or not yet."""
        return self._ahead

    @property
    def parts(self) -> list[Path]:
        """The Parquet files, in the order of their rows."""
        return [self.folder / name for name in self._parts]

    def _begin(self, identity: str, ingest: str) -> dict[str, Any]:
        """An empty folder; its header."""
        remove(self.folder)
        self.folder.mkdir(parents=True)
        header = {"identity": identity, "ingest": ingest}
        write_durably(self.folder / HEADER, json.dumps(header).encode())
        return header

    def _stale(self) -> bool:
        """Whether a read was given up half-way and long ago."""
        if self.progress.resume is None or self.progress.complete:
            return False
        return self._clock() - (self.folder / _JOURNAL).stat().st_mtime > STALE_S

    def _write_part(self, table: pa.Table) -> str:
        name = f"part-{len(list(self.folder.glob('part-*'))) + 1:06d}.parquet"
        with (self.folder / name).open("xb") as file:
            pq.write_table(table, file, compression="zstd", compression_level=1)
            file.flush()
            os.fsync(file.fileno())
        sync(self.folder)
        return name

    def _note(self, parts: list[str], progress: Progress) -> None:
        line = json.dumps({"parts": parts, **vars(progress)}, separators=(",", ":"))
        with (self.folder / _JOURNAL).open("ab") as file:
            file.write(line.encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        sync(self.folder)

    def _recover(self) -> Progress:
        """Keeps the journal up to its last place to go on from; throws away all behind it."""
        journal = self.folder / _JOURNAL
        lines = journal.read_bytes().splitlines(keepends=True) if journal.exists() else []
        entries = [json.loads(line) for line in lines if line.endswith(b"\n")]
        good = max((n for n, e in enumerate(entries, 1) if e["resume"] is not None or e["complete"]), default=0)
        if lines:
            os.truncate(journal, sum(len(line) for line in lines[:good]))
        self._parts = [part for entry in entries[:good] for part in entry["parts"]]
        for file in self.folder.glob("part-*"):
            if file.name not in self._parts:
                file.unlink()
        if not good:
            return Progress()
        return Progress(**{k: v for k, v in entries[good - 1].items() if k != "parts"})


def remove(folder: Path) -> None:
    """The folder is gone; its header goes first, so that a crash leaves nothing that could be taken for whole."""
    (folder / HEADER).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def write_durably(file: Path, content: bytes) -> None:
    """The file is there whole or as before, whatever happens."""
    fresh = file.with_name(file.name + ".new")
    with fresh.open("wb") as out:
        out.write(content)
        out.flush()
        os.fsync(out.fileno())
    fresh.replace(file)
    sync(file.parent)


def _read_json(file: Path) -> dict[str, Any] | None:
    try:
        found: dict[str, Any] = json.loads(file.read_bytes())
    except FileNotFoundError:
        return None
    return found


def _chained(before: str, rows: pa.RecordBatch) -> str:
    digest = hashlib.sha256(before.encode())
    digest.update(str(rows.schema).encode())
    digest.update(rows.serialize())
    return digest.hexdigest()


def _grouped(batches: list[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Neighbouring batches as tables; a column that had no value yet takes the type it gets later.

    Batches whose types really differ stay apart: the contract decides about them.
    """
    group: pa.Table | None = None
    for batch in batches:
        table = pa.Table.from_batches([batch])
        try:
            group = table if group is None else pa.concat_tables([group, table], promote_options="default")
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            yield group
            group = table
    if group is not None:
        yield group
