"""What becomes of rows in the lake as they grow old: many small files become few large ones, and the oldest rows go.

A table of logged predictions gets a small file whenever segments are read. Once there are many they are written anew,
packed more tightly. Rows older than they are kept go with one commit, and files that the newest version does not name
are removed when nobody can be reading them any more. So of such a table only that version can be read; the place of the
segments' reader is taken along from commit to commit. To be called by who holds the lock of the home's reading.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import pyarrow as pa
from deltalake import CommitProperties, DeltaTable, WriterProperties
from deltalake.exceptions import DeltaError

from store import lake
from store.disk import sync
from store.errors import StorageError

SMALL: Final = 32_000_000
"""Bytes of a file below which it is worth being put together with others."""
MANY: Final = 24
"""So many small files are put together."""
TARGET: Final = 256_000_000
READERS_S: Final = 3600.0
"""Who began to read a file before it was replaced has ended after so long."""
_TIGHT: Final = WriterProperties(compression="ZSTD", compression_level=9, max_row_group_size=262_144)


@dataclass(frozen=True, kw_only=True)
class Tidied:
    """What one call did."""

    forgotten: int = 0
    """Rows."""
    joined: int = 0
    """Files that are one with others now."""
    removed: int = 0
    """Files that nobody reads any more."""


def tidy(table: Path, column: str, keep: timedelta | None, now: datetime) -> Tidied:
    """`column`: the time by which a row grows old; `keep`: how long it stays, None: for ever.

    Raises StorageError; then the table is as it was.
    """
    if not (table / "_delta_log").is_dir():
        return Tidied()
    try:
        forgotten = 0 if keep is None else _forget(table, column, now - keep)
        joined = _join(table)
    except (OSError, DeltaError) as error:
        remedy = "free disk space or mend the permissions; it is tried again with the next reading"
        raise StorageError(f"old rows could not be put in order: {error}", where=str(table), remedy=remedy) from error
    return Tidied(forgotten=forgotten, joined=joined, removed=_sweep(table, now))


def _forget(table: Path, column: str, before: datetime) -> int:
    found = DeltaTable(table)
    oldest = [value for value in _files(found)[f"min.{column}"].to_pylist() if value is not None]
    if not oldest or min(one if one.tzinfo else one.replace(tzinfo=UTC) for one in oldest) >= before:
        return 0
    stamp = before.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    done = found.delete(
        f"{column} < arrow_cast('{stamp}', 'Timestamp(Microsecond, Some(\"UTC\"))')",
        writer_properties=_TIGHT,
        commit_properties=_same_metadata(table),
    )
    _flush(table)
    return int(done["num_deleted_rows"])


def _join(table: Path) -> int:
    found = DeltaTable(table)
    if sum(size < SMALL for size in _files(found)["size_bytes"].to_pylist()) < MANY:
        return 0
    done = found.optimize.compact(
        target_size=TARGET, writer_properties=_TIGHT, commit_properties=_same_metadata(table), max_concurrent_tasks=1
    )
    _flush(table)
    return int(done["numFilesRemoved"])


def _files(table: DeltaTable) -> pa.Table:
    return pa.table(table.get_add_actions(flatten=True))


def _same_metadata(table: Path) -> CommitProperties:
    """The newest commit says how far segments were read, and what was dropped."""
    newest = lake.latest(table)
    assert newest is not None
    return CommitProperties(custom_metadata=dict(newest.metadata), max_commit_retries=0)


def _flush(table: Path) -> None:
    """Before files go that were replaced: a power cut must not leave neither."""
    log = table / "_delta_log"
    for file in (*map(Path, DeltaTable(table).file_uris()), max(log.glob("*.json")), table, log):
        sync(file)


def _sweep(table: Path, now: datetime) -> int:
    """Files that the newest version does not name: of commits before it, and of writers that died."""
    living = {Path(uri).name for uri in DeltaTable(table).file_uris()}
    dead = [file for file in table.glob("*.parquet") if file.name not in living]
    replaced = _replaced(table) if dead else 0.0
    gone = [file for file in dead if now.timestamp() - max(file.stat().st_mtime, replaced) >= READERS_S]
    for file in gone:
        file.unlink()
    return len(gone)


def _replaced(table: Path) -> float:
    """Unix seconds of the last commit that took files out of the table; 0 if none did."""
    log = sorted((table / "_delta_log").glob("*.json"), reverse=True)
    return next((file.stat().st_mtime for file in log if _removes(file)), 0.0)


def _removes(log: Path) -> bool:
    return any(line.startswith('{"remove"') for line in log.read_text(encoding="utf-8").splitlines())
