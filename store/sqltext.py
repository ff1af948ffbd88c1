"""Names as SQL text, in the standard's quoting: DuckDB, Delta's merge and SQLite read it alike."""

from __future__ import annotations


def identifier(name: str) -> str:
    """A column or relation name, quoted, so that no name of a project can be taken for SQL."""
    return '"' + name.replace('"', '""') + '"'
