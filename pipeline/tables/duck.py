"""A DuckDB of our own making. Loads neither Arrow nor a project file: who only reads a table need not wait for them."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import duckdb
import psutil

from pipeline.tables.sqltext import literal
from store.errors import StorageError

_MEMORY_SHARE: Final = 0.4
_MEMORY_MOST: Final = 8 * 2**30


def connect(
    *, memory: int | None = None, spill: Path | None = None, readable: Sequence[Path] = ()
) -> duckdb.DuckDBPyConnection:
    """A private in-memory DuckDB: UTC, bounded memory, larger-than-memory work spilled to `spill`.

    SQL on it sees what is registered and the `readable` files, and nothing else of the machine: what a project's SQL
    could reach beside its inputs would not be in the fingerprint. `memory`: bytes, by default 40 % of the machine's,
    at most 8 GiB. Raises StorageError where the default folder for spilled rows is not this user's alone.
    """
    limit = memory or min(_MEMORY_MOST, int(psutil.virtual_memory().total * _MEMORY_SHARE))
    connection = duckdb.connect(
        config={
            "autoinstall_known_extensions": "false",
            "autoload_known_extensions": "false",
            "memory_limit": f"{limit}B",
            "temp_directory": str(spill or _private_folder()),
        }
    )
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute("SET python_enable_replacements = false")
    # DuckDB takes a program that was given by -c for a person, and draws a bar among what it answers.
    connection.execute("SET enable_progress_bar = false")
    # DuckDB takes an Arrow dataset for one row long, and would join two large ones AS OF by a nested loop.
    connection.execute("SET asof_loop_join_threshold = 0")
    connection.execute(f"SET allowed_paths = [{', '.join(literal(str(file)) for file in readable)}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _private_folder() -> Path:
    """Where spilled rows wait when nobody names a place: the rows are this user's business only."""
    folder = Path(tempfile.gettempdir()) / f"trainshed-duckdb-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    facts = folder.lstat()
    if not stat.S_ISDIR(facts.st_mode) or facts.st_uid != os.getuid() or facts.st_mode & 0o077:
        raise StorageError(
            "the folder for spilled rows is not this user's alone",
            where=str(folder),
            remedy="remove it, or name another place for temporary files with TMPDIR",
        )
    return folder
