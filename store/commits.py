"""What a commit of the lake says of itself, from Delta's log alone: the Delta library is dear to load."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

CURSOR: Final = "trainshed.cursor"
"""As in `store.lake`; a test holds them together."""


def commit_metadata(table: Path, version: int) -> dict[str, Any]:
    """`commitInfo` of one version with our keys (`trainshed.…`); empty when there is no such commit."""
    file = table / "_delta_log" / f"{version:020d}.json"
    try:
        with file.open(encoding="utf-8") as lines:
            entries = (json.loads(line) for line in lines)
            found: dict[str, Any] = next((entry["commitInfo"] for entry in entries if "commitInfo" in entry), {})
            return found
    except (OSError, ValueError):
        return {}  # a table that is not there, or a log that somebody else has changed: nothing is known


def newest_version(table: Path) -> int:
    """The number of the newest commit; 0 where there is none."""
    return max(
        (int(file.stem) for file in (table / "_delta_log").glob("[0-9]*.json") if file.stem.isdigit()), default=0
    )
