"""Which program this is; written into every record, so that an older program can say what wrote it."""

from __future__ import annotations

from typing import Final

RELEASE: Final = "0.1.0"
"""The version in pyproject.toml (a test compares them): reading it here costs no import of package metadata."""
