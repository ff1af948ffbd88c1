"""Incremental reading: whatever arrives when, each row is taken once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.sources.cursor import Cursor, Edge
from pipeline.sources.times import Times
from store.errors import SourceMalformed
from tests.examples import examples

TIMES = Times(where="sources.x", zone=None)
START = datetime(2013, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("kind", "value", "earlier"),
    [
        ("text", "2013-01-01T01:30:00.25Z", "2012-12-31T23:30:00Z"),
        ("text", "2013-01-01 01:30:00", "2012-12-31 23:30:00"),
        ("text", "2013-01-01T01:30:00+02:00", "2012-12-31T23:30:00+02:00"),
        ("text", "2013-01-01", "2012-12-31"),
        ("date", "2013-01-01", "2012-12-31"),
        ("time", "2013-01-01T01:30:00.250000+00:00", "2012-12-31T23:30:00+00:00"),
        ("local time", "2013-01-01T01:30:00", "2012-12-31T23:30:00"),
        ("text", "order 7", None),
        ("text", "20130101", None),
        ("int", 20130101, None),
        ("float", 1.5, None),
    ],
)
def test_an_earlier_place_is_written_as_the_cursor_is(kind: Any, value: Any, earlier: str | None) -> None:
    found = Cursor(value=value, kind=kind, edge={"known": 1}).before(timedelta(hours=2))
    assert found == (None if earlier is None else Cursor(value=earlier, kind=kind))


def text_of(minute: int) -> str:
    return (START + timedelta(minutes=minute)).isoformat().replace("+00:00", "Z")


def read(
    rows: list[dict[str, Any]], cursor: Cursor | None, key: list[str], page: int
) -> tuple[list[Any], Cursor | None]:
    """One run against a source that gives what is at or after the cursor, in pages; the new rows and the cursor."""
    asked = [row for row in rows if cursor is None or row["at"] >= str(cursor.value)]
    edge = Edge("at", key, cursor, TIMES)
    taken: list[Any] = []
    for first in range(0, len(asked), page):
        raw = pa.RecordBatch.from_pylist(asked[first : first + page])
        taken += edge.admit(TIMES.rows(raw, text=True), raw.column("at")).column("id").to_pylist()
    return taken, Cursor.from_json(edge.cursor.to_json()) if edge.cursor else None


@pytest.mark.slow
@settings(max_examples=examples(80))
@given(
    batches=st.lists(st.lists(st.integers(0, 3), max_size=8), max_size=8),
    keyed=st.booleans(),
    page=st.integers(1, 5),
)
def test_rows_that_arrive_at_the_edge_are_neither_lost_nor_doubled(
    batches: list[list[int]], keyed: bool, page: int
) -> None:
    """Each batch brings rows at the newest minute or later, so ties at the edge are the rule."""
    published: list[dict[str, Any]] = []
    taken: list[int] = []
    cursor: Cursor | None = None
    minute = 0
    for batch in batches:
        for step in sorted(batch):
            published.append({"at": text_of(minute + step), "id": len(published)})
        minute += max(batch, default=0)
        new, cursor = read(published, cursor, ["id"] if keyed else [], page)
        taken += new
    assert sorted(taken) == list(range(len(published)))


@pytest.mark.slow
@given(st.lists(st.integers(0, 3), max_size=6))
def test_equal_rows_without_a_key_are_counted_not_merged(counts: list[int]) -> None:
    """Two equal rows may both be real: as many as the source has, so many are taken."""
    published: list[dict[str, Any]] = []
    taken = 0
    cursor: Cursor | None = None
    for count in counts:
        published += [{"at": text_of(0), "id": 7}] * count
        new, cursor = read(published, cursor, [], 2)
        taken += len(new)
    assert taken == sum(counts)


def test_a_row_below_the_cursor_was_seen_before() -> None:
    cursor = Cursor(value=text_of(10), kind="text")
    rows = pa.RecordBatch.from_pylist([{"at": text_of(m), "id": m} for m in (9, 10, 11)])
    edge = Edge("at", ["id"], cursor, TIMES)
    assert edge.admit(TIMES.rows(rows, text=True), rows.column("at")).column("id").to_pylist() == [10, 11]


def test_the_cursor_keeps_the_sources_own_spelling() -> None:
    rows = pa.RecordBatch.from_pylist([{"at": "2013-01-01 05:00:00"}])
    times = Times(where="sources.x", zone="America/New_York")
    edge = Edge("at", [], None, times)
    edge.admit(times.rows(rows, text=True), rows.column("at"))
    assert edge.cursor is not None
    assert (edge.cursor.value, edge.cursor.kind) == ("2013-01-01 05:00:00", "text")


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (pa.array([1, 2]), "int"),
        (pa.array([1.5, 2.5]), "float"),
        (pa.array(["a", "b"]), "text"),
        (pa.array([START, START + timedelta(days=1)], pa.timestamp("ns", tz="UTC")), "time"),
        (pa.array([START.date(), START.date() + timedelta(days=1)]), "date"),
    ],
)
def test_cursors_of_every_kind_survive_being_written_down(values: pa.Array, kind: str) -> None:
    rows = pa.RecordBatch.from_arrays([values], ["at"])
    edge = Edge("at", [], None, TIMES)
    edge.admit(TIMES.rows(rows, text=False), values)
    assert edge.cursor is not None
    again = Cursor.from_json(edge.cursor.to_json())
    assert again == edge.cursor
    assert again.kind == kind
    assert Edge("at", [], again, TIMES).admit(TIMES.rows(rows, text=False), values).num_rows == 0


def test_an_interrupted_read_goes_on_with_what_it_knew() -> None:
    """The edge of the run before counts down over pages; a crash between two of them must not forget the count."""
    known = Edge("at", [], None, TIMES)
    twice = pa.RecordBatch.from_pylist([{"at": text_of(0), "id": 7}] * 2)
    known.admit(TIMES.rows(twice, text=True), twice.column("at"))
    one = twice.slice(0, 1)
    first = Edge("at", [], known.cursor, TIMES)
    assert first.admit(TIMES.rows(one, text=True), one.column("at")).num_rows == 0
    second = Edge("at", [], known.cursor, TIMES)
    second.restore(first.state())
    assert second.admit(TIMES.rows(twice, text=True), twice.column("at")).num_rows == 1


def test_rows_without_a_value_in_the_cursor_column_are_refused() -> None:
    rows = pa.RecordBatch.from_pylist([{"at": text_of(0)}, {"at": None}])
    with pytest.raises(SourceMalformed, match="1 of 2 rows have no value"):
        Edge("at", [], None, TIMES).admit(TIMES.rows(rows, text=True), rows.column("at"))


def test_no_number_is_no_value_of_the_cursor_column() -> None:
    """Nothing is greater than NaN: with it as the cursor, no row was ever new again."""
    batch = pa.record_batch({"at": [1.0, float("nan")]})
    with pytest.raises(SourceMalformed, match="1 of 2 rows have no value in it"):
        Edge("at", [], None, TIMES).admit(batch, batch.column("at"))


def test_a_missing_cursor_column_is_named() -> None:
    rows = pa.RecordBatch.from_pylist([{"id": 1}])
    with pytest.raises(SourceMalformed, match="no column 'at'"):
        Edge("at", [], None, TIMES).admit(rows, pa.nulls(1))


def test_a_cursor_column_that_changed_its_type_is_refused() -> None:
    cursor = Cursor(value="abc", kind="text")
    rows = pa.RecordBatch.from_pylist([{"at": 5}])
    with pytest.raises(SourceMalformed, match="earlier ones went up to abc"):
        Edge("at", [], cursor, TIMES).admit(rows, rows.column("at"))


def test_one_time_that_cannot_be_read_does_not_make_the_others_compare_as_text() -> None:
    cursor = Cursor(value=text_of(10), kind="text")
    rows = pa.RecordBatch.from_pylist([{"at": text_of(11)}, {"at": "soon"}])
    with pytest.raises(SourceMalformed, match="of type string"):
        Edge("at", [], cursor, TIMES).admit(TIMES.rows(rows, text=True), rows.column("at"))


def test_digits_in_text_are_numbers_to_a_cursor() -> None:
    """As text 10 comes before 9: everything behind the first 9 was taken for seen before."""
    times = Times(where="sources.x", zone=None)

    def taken(numbers: list[int], cursor: Cursor | None) -> tuple[list[str], Cursor | None]:
        batch = pa.record_batch({"at": [str(number) for number in numbers]})
        edge = Edge("at", [], cursor, times)
        return edge.admit(batch, batch.column("at")).column("at").to_pylist(), edge.cursor

    first, cursor = taken([8, 10, 9], None)
    assert (first, cursor and cursor.value) == (["8", "10", "9"], "10")
    assert taken([10, 11, 100], cursor)[0] == ["11", "100"]


def test_text_that_is_not_all_digits_stays_text_to_a_cursor() -> None:
    edge = Edge("at", [], Cursor(value="10", kind="text"), TIMES)
    batch = pa.record_batch({"at": ["1f", "9", "a0"]})
    assert edge.admit(batch, batch.column("at")).column("at").to_pylist() == ["1f", "9", "a0"]
    assert edge.cursor is not None
    assert edge.cursor.value == "a0"


@pytest.mark.parametrize(
    "values",
    [
        pa.array([Decimal("9.5"), Decimal("10.5")]),
        pa.ExtensionArray.from_storage(pa.opaque(pa.string(), "numeric", "PostgreSQL"), pa.array(["9.5", "10.5"])),
    ],
    ids=["decimal", "numeric"],
)
def test_exact_numbers_are_refused_as_a_cursor_before_the_first_row(values: pa.Array) -> None:
    """What is compared later is their text, so a first run went well and every later one failed."""
    batch = pa.record_batch({"at": values})
    with pytest.raises(SourceMalformed, match="cannot be a cursor") as caught:
        Edge("at", [], None, TIMES).admit(TIMES.rows(batch, text=False), batch.column("at"))
    assert "bigint" in caught.value.remedy
