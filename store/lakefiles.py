"""Which files hold the rows of a table of the lake, for who reads them without Arrow.

`store.lake` loads Arrow's datasets, which load pandas where it is installed: more than a second of CPU.
"""

from __future__ import annotations

from pathlib import Path

from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError


def live_files(table: Path) -> list[Path]:
    """The Parquet files of its newest version; none where there is no table."""
    return newest(table)[1]


def newest(table: Path) -> tuple[int, list[Path]]:
    """The number of its newest version and the Parquet files of that; -1 and none where there is no table."""
    if not (table / "_delta_log").is_dir():
        return -1, []
    try:
        found = DeltaTable(table)
    except TableNotFoundError:
        return -1, []
    # Tables of ours have no partitions, so no folders.
    return found.version(), [table / uri.rpartition("/")[2] for uri in found.file_uris()]
