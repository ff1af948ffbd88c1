"""A verified copy of the database, taken while it is in use, and what a backup says about itself."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Final

from pydantic import BaseModel, ConfigDict

from store.disk import sync
from store.errors import RecordDamaged, StorageError
from store.sqlite import understood
from store.sqltext import identifier

MANIFEST: Final = "manifest.json"


class Manifest(BaseModel):
    """`manifest.json` of a backup; written last, so a folder without it is not a backup."""

    model_config = ConfigDict(frozen=True)
    at: datetime
    release: str
    schema_revision: str
    rows: dict[str, int]
    """Table → rows."""
    datasets: dict[str, int]
    """Dataset or feature view → the version up to which its table is here."""
    bytes: int
    """Of all files."""


def copy_database(source: Path, target: Path) -> dict[str, int]:
    """Copies `source` to the new file `target` with SQLite's online backup and verifies the copy.

    The copy is one state of the database even while others write, and appears under its name only when it is whole,
    sound and on disk. Returns its rows by table. Raises StorageError, RecordDamaged.
    """
    partial = target.with_name(target.name + ".partial")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        partial.unlink(missing_ok=True)
        with understood(target), closing(_open(source)) as original, closing(sqlite3.connect(partial)) as copy:
            original.execute("BEGIN")  # what is counted is what is copied
            expected = row_counts(original)
            original.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, no -wal beside it
            verify_database(copy, target)
            if row_counts(copy) != expected:
                raise RecordDamaged(
                    "the copy does not hold the rows of the original",
                    where=str(target),
                    remedy="run `trainshed backup` again; look at the disk's health (`dmesg`)",
                )
        sync(partial)
        partial.replace(target)
        sync(target.parent)
    except OSError as error:
        raise StorageError(
            f"the copy cannot be written: {error.strerror}",
            where=str(target),
            remedy="free space there and run it again",
        ) from error
    finally:
        partial.unlink(missing_ok=True)
    return expected


def verify_database(connection: sqlite3.Connection, file: Path) -> None:
    """Raises RecordDamaged unless SQLite finds every page, index and reference sound."""
    found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check")]
    if found != ["ok"]:
        raise RecordDamaged(
            f"SQLite's integrity check failed: {found[0]}",
            where=str(file),
            remedy="take an older backup (`trainshed restore`); look at the disk's health (`dmesg`)",
        )


def row_counts(connection: sqlite3.Connection) -> dict[str, int]:
    """Table → rows."""
    # Not those of an index of words (store/tables/kept.py), which follow from the others.
    own = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%'"
    names = [row[0] for row in connection.execute(f"{own} ORDER BY name")]
    return {name: connection.execute(f"SELECT count(*) FROM {identifier(name)}").fetchone()[0] for name in names}


def _open(database: Path) -> sqlite3.Connection:
    uri = f"{database.resolve().as_uri()}?mode=ro"
    return sqlite3.connect(uri, uri=True, timeout=30.0, isolation_level=None)
