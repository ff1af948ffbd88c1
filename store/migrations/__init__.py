"""The history of the schema, one file a revision in `versions/`, applied in order by Alembic."""

from __future__ import annotations

from typing import Final

REVISIONS: Final[tuple[str, ...]] = ("0001",)
"""All that this program knows, oldest first. Named here too, so that opening a record needs no Alembic."""
HEAD: Final = REVISIONS[-1]
