"""A verified copy of the database, taken while it is in use."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from store.errors import RecordDamaged, StorageError
from store.sqlite import understood


def copy_database(source: Path, target: Path) -> int:
    """Copies `source` to the new file `target` with SQLite's online backup and verifies the copy.

    The copy is one state of the database even while others write. It appears under its name only when it is whole,
    sound and on disk. Returns its bytes. Raises StorageError, RecordDamaged.
    """
    partial = target.with_name(target.name + ".partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with understood(target), closing(_open(source)) as original, closing(sqlite3.connect(partial)) as copy:
            original.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, no -wal beside it
            verify_database(copy, target)
            _same_counts(original, copy, target)
        with open(partial, "rb") as written:
            os.fsync(written.fileno())
        partial.replace(target)
    except OSError as error:
        raise StorageError(
            f"the backup cannot be written: {error.strerror}",
            where=str(target),
            remedy="free space there, or give another place: `trainshed backup DEST`",
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return target.stat().st_size


def _open(database: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{database.resolve()}?mode=ro", uri=True, timeout=30.0)


def verify_database(connection: sqlite3.Connection, file: Path) -> None:
    """Raises RecordDamaged unless SQLite finds every page, index and constraint sound."""
    found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
    if found != ["ok"]:
        raise RecordDamaged(
            f"SQLite's integrity check failed: {found[0]}",
            where=str(file),
            remedy="take an older backup (`trainshed restore`); look at the disk's health (`dmesg`)",
        )


def row_counts(connection: sqlite3.Connection) -> dict[str, int]:
    """Table → rows."""
    names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    return {name: connection.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in names}


def _same_counts(original: sqlite3.Connection, copy: sqlite3.Connection, file: Path) -> None:
    """Append-only tables can only have grown since; a copy with more rows, or without a table, is not a copy."""
    before, after = row_counts(copy), row_counts(original)
    if before.keys() != after.keys():
        raise RecordDamaged(
            "the copy does not have the tables of the original", where=str(file), remedy="run `trainshed backup` again"
        )
