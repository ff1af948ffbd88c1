"""Which files hold the rows of a table of the lake, for who reads them without Arrow.

`store.lake` loads Arrow's datasets, which load pandas where it is installed: more than a second of CPU.
"""

from __future__ import annotations

from pathlib import Path

from deltalake import DeltaTable
from deltalake.exceptions import TableNotFoundError


def live_files(table: Path) -> list[Path]:
    """The Parquet files of its newest version; none where there is no table."""
    if not (table / "_delta_log").is_dir():
        return []
    try:
        found = DeltaTable(table).file_uris()
    except TableNotFoundError:
        return []
    return [table / uri.rpartition("/")[2] for uri in found]  # tables of ours have no partitions, so no folders
