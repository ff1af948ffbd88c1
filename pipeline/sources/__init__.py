"""Where raw data comes from: one file a kind, all giving pieces of Arrow rows in UTC."""

from __future__ import annotations

from pipeline.config.sources import AnySource, FileSource, HttpSource, SqlSource
from pipeline.sources.cursor import Cursor, Edge
from pipeline.sources.reader import Opening, Piece, Resume, SourceReader

__all__ = ["Cursor", "Edge", "Opening", "Piece", "Resume", "SourceReader", "open_source"]


def open_source(source: AnySource, opening: Opening) -> SourceReader:
    """The reader for a source. Nothing is fetched yet. Raises ProjectError, SecretMissing, SourceError."""
    # Each kind is imported when it is used: httpx and the drivers take a while.
    if isinstance(source, HttpSource):
        from pipeline.sources.http import HttpReader

        return HttpReader(source, opening)
    if isinstance(source, FileSource):
        from pipeline.sources.file import FileReader

        return FileReader(source, opening)
    if isinstance(source, SqlSource):
        from pipeline.sources.sql import open_sql

        return open_sql(source, opening)
    from pipeline.sources.python import PythonReader

    return PythonReader(source, opening)
