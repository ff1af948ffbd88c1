"""The history of the schema, one file a revision in `versions/`, applied in order by Alembic."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final


@dataclass(frozen=True)
class History:
    """Revisions of a schema, and the Alembic scripts that lead from one to the next."""

    revisions: tuple[str, ...]
    """All that the program knows, oldest first. Named here too, so that opening a record needs no Alembic."""
    scripts: Path
    """Folder with env.py and versions/."""

    @property
    def head(self) -> str:
        return self.revisions[-1]


OURS: Final = History(
    revisions=(
        "0001",
        "box_rates",
        "lists",
        "span",
        "words",
        "counts",
        "comparisons",
        "api_keys",
        "serving_samples",
        "watching",
        "alerts",
        "deliveries",
        "error_streams",
        "entered",
        "inputs",
    ),
    scripts=Path(__file__).parent,
)
REVISIONS: Final = OURS.revisions
