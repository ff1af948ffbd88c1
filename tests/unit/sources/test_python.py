"""The python source: a function of the project."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from pipeline.sources import Cursor
from store.errors import ProjectError, SourceMalformed, SourceTooLarge

if TYPE_CHECKING:
    from tests.unit.sources.conftest import Desk


def section(desk: Desk, code: str, **more: Any) -> dict[str, Any]:
    (desk.root / "own.py").write_text("import pyarrow as pa\n" + code)
    return {"kind": "python", "function": "own.py:rows", **more}


def test_a_function_may_return_a_table_or_yield_pieces(desk: Desk) -> None:
    table = "def rows():\n    return pa.table({'id': [1, 2]})\n"
    assert desk.read(**section(desk, table)) == [{"id": 1}, {"id": 2}]


def test_pieces_may_be_tables_and_batches(desk: Desk) -> None:
    code = "def rows():\n    yield pa.table({'id': [1]})\n    yield pa.RecordBatch.from_pydict({'id': [2]})\n"
    assert desk.read(**section(desk, code)) == [{"id": 1}, {"id": 2}]


def test_it_gets_the_cursor_and_the_params_that_it_asks_for(desk: Desk) -> None:
    code = "def rows(cursor, factor):\n    return pa.table({'id': [factor], 'since': [cursor]})\n"
    asked = section(desk, code, params={"factor": 3, "unused": 4}, incremental={"column": "id"})
    moment = datetime(2013, 1, 1, tzinfo=UTC)
    assert desk.read(**asked, cursor=Cursor(value=moment.isoformat(), kind="time")) == [{"id": 3, "since": moment}]


def test_naive_times_are_refused_here_too(desk: Desk) -> None:
    code = "import datetime\ndef rows():\n    return pa.table({'at': [datetime.datetime(2013, 1, 1)]})\n"
    with pytest.raises(SourceMalformed, match="say no offset"):
        desk.read(**section(desk, code))


def test_what_it_raises_is_told_with_its_line(desk: Desk) -> None:
    code = "def rows():\n    yield pa.table({'id': [1]})\n    raise RuntimeError('the well is dry')\n"
    with pytest.raises(ProjectError, match=r"RuntimeError: the well is dry \(own.py:4\)"):
        desk.read(**section(desk, code))


def test_what_is_no_table_is_refused(desk: Desk) -> None:
    with pytest.raises(ProjectError, match="gave a int, not an Arrow table"):
        desk.read(**section(desk, "def rows():\n    return [1, 2]\n"))


def test_the_bound_holds_for_functions_too(desk: Desk) -> None:
    code = "def rows():\n    while True:\n        yield pa.table({'id': list(range(1000))})\n"
    with pytest.raises(SourceTooLarge):
        desk.read(**section(desk, code, max_bytes="100KB"))
