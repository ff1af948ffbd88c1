"""The columns of a file, seen at its first rows: files are near enough to be looked into before anything runs."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa

from pipeline.config import Project
from pipeline.config.sources import FileSource
from pipeline.sources import Opening, open_source


def peek(project: Project, name: str, source: FileSource, types: Mapping[str, pa.DataType]) -> pa.Schema | None:
    """Schema of the first rows with `types` applied; None when there are no rows. Raises SourceError."""
    with tempfile.TemporaryDirectory() as scratch:
        opening = Opening(
            name=name,
            root=project.root,
            scratch=Path(scratch),
            types=types,
            validators={},
            sleep=_never_waits,
            now=lambda: datetime.now(UTC),
            chance=lambda: 0.0,
        )
        with closing(open_source(source, opening).pieces(None)) as pieces:  # type: ignore[type-var]
            for piece in pieces:
                if piece.rows.num_columns:
                    return piece.rows.schema
    return None


def _never_waits(seconds: float) -> None:
    """Reading a file retries nothing."""
