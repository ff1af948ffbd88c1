"""A way to read a source as a test describes it, without waiting."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pydantic import TypeAdapter

from pipeline.config.sources import AnySource
from pipeline.sources import Cursor, Opening, SourceReader, open_source
from tests.webserver import Answerer, Site, serve

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Desk:
    """Opens sources in a project folder; keeps the pauses that a reader wanted instead of making them."""

    root: Path
    pauses: list[float] = field(default_factory=list)

    def open(
        self,
        *,
        cursor: Cursor | None = None,
        types: dict[str, pa.DataType] | None = None,
        validators: dict[str, str] | None = None,
        **section: Any,
    ) -> SourceReader:
        source: AnySource = TypeAdapter(AnySource).validate_python(section)
        opening = Opening(
            name="orders",
            root=self.root,
            scratch=self.root,
            cursor=cursor,
            types=types or {},
            validators=validators or {},
            sleep=self.pauses.append,
            now=lambda: NOW,
            chance=lambda: 0.0,
        )
        return open_source(source, opening)

    def read(self, **section: Any) -> list[dict[str, Any]]:
        """All rows, as Python values."""
        return rows_of(self.open(**section))


def rows_of(reader: SourceReader) -> list[dict[str, Any]]:
    return [row for piece in reader.pieces(None) for row in piece.rows.to_pylist()]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def site() -> Iterator[Callable[[Answerer], Site]]:
    with ExitStack() as stack:
        yield lambda answer: stack.enter_context(serve(answer))
