"""Times become UTC, or are refused."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sources.times import Times
from pipeline.tables.arrow import TIMESTAMP
from store.errors import ProjectError, SourceMalformed


def read(values: list[Any], *, zone: str | None = None, wanted: pa.DataType | None = None) -> pa.Array:
    times = Times(where="sources.x", zone=zone, types={} if wanted is None else {"at": wanted})
    return times.column("at", pa.array(values), text=True)


@pytest.mark.parametrize(
    "text",
    ["2013-03-10T07:30:00Z", "2013-03-10 09:30:00+02:00", "2013-03-10T09:30+0200", "2013-03-10T02:00:00.000-05:30"],
)
def test_an_offset_in_any_of_its_spellings_is_understood(text: str) -> None:
    column = read([text, None])
    assert column.type == TIMESTAMP
    assert column.to_pylist() == [datetime(2013, 3, 10, 7, 30, tzinfo=UTC), None]


def test_a_time_without_offset_is_refused_with_the_way_out() -> None:
    with pytest.raises(SourceMalformed, match="say no offset") as caught:
        read(["2013-03-10 07:30:00"])
    assert 'timezone = "…"' in caught.value.remedy


def test_a_named_zone_knows_summer_and_winter() -> None:
    column = read(["2013-01-01 05:00:00", "2013-07-01 05:00:00", "1969-07-20 16:17:40"], zone="America/New_York")
    assert column.to_pylist() == [
        datetime(2013, 1, 1, 10, tzinfo=UTC),
        datetime(2013, 7, 1, 9, tzinfo=UTC),
        datetime(1969, 7, 20, 20, 17, 40, tzinfo=UTC),
    ]


def test_the_hour_that_comes_twice_is_taken_as_the_first() -> None:
    assert read(["2013-11-03 01:30:00"], zone="America/New_York").to_pylist() == [
        datetime(2013, 11, 3, 5, 30, tzinfo=UTC)
    ]


def test_a_local_time_that_never_was_is_refused() -> None:
    with pytest.raises(SourceMalformed, match="never was"):
        read(["2013-03-10 02:30:00"], zone="America/New_York")


def test_a_zone_that_does_not_exist_is_a_fault_of_the_project() -> None:
    with pytest.raises(ProjectError, match="no time zone 'Mars/Olympus'"):
        read(["2013-03-10 02:30:00"], zone="Mars/Olympus")


def test_times_with_and_without_offset_in_one_column_are_refused_where_times_are_wanted() -> None:
    with pytest.raises(SourceMalformed, match="some of its times say an offset"):
        read(["2013-03-10T07:30:00Z", "2013-03-10T07:30:00"], wanted=TIMESTAMP)


def test_what_is_no_time_is_named_where_times_are_wanted() -> None:
    with pytest.raises(SourceMalformed, match="'tomorrow' is not a time"):
        read(["2013-03-10T07:30:00Z", "tomorrow"], wanted=TIMESTAMP)


def test_texts_that_are_wanted_as_text_stay_as_they_are() -> None:
    assert read(["2013-03-10 07:30:00"], wanted=pa.string()).to_pylist() == ["2013-03-10 07:30:00"]


def test_mixed_texts_are_just_texts_and_dates_are_dates() -> None:
    assert read(["2013-03-10T07:30:00Z", "n/a"]).type == pa.string()
    assert read(["2013-03-10", None]).to_pylist() == [date(2013, 3, 10), None]
    assert read(["2013-03-10", "2013-13-77"]).type == pa.string()


def test_typed_times_of_any_unit_become_microseconds() -> None:
    times = Times(where="sources.x", zone=None)
    for unit in ("s", "ms", "us", "ns"):
        column = times.column("at", pa.array([1_000], pa.timestamp(unit, tz="Asia/Tokyo")), text=False)
        assert column.type == TIMESTAMP


def test_naive_times_hidden_in_a_struct_are_refused_too() -> None:
    column = pa.array([{"at": datetime.fromisoformat("2013-01-01")}])
    with pytest.raises(SourceMalformed, match="inside a list or struct"):
        Times(where="sources.x", zone="UTC").column("nested", column, text=False)


def test_a_number_too_large_for_the_lake_is_refused() -> None:
    with pytest.raises(SourceMalformed, match="18446744073709551615"):
        Times(where="sources.x", zone=None).column("n", pa.array([2**64 - 1], pa.uint64()), text=False)


def test_what_a_database_calls_its_own_becomes_what_the_lake_has() -> None:
    """PostgreSQL's uuid could not be stored at all, and its numeric was of a type that no contract could name."""
    numeric = pa.ExtensionArray.from_storage(pa.opaque(pa.string(), "numeric", "PostgreSQL"), pa.array(["9.50", None]))
    json = pa.ExtensionArray.from_storage(pa.json_(), pa.array(['{"a": 1}', None]))
    uuid = pa.ExtensionArray.from_storage(pa.uuid(), pa.array([UUID(int=5).bytes, None], pa.binary(16)))
    times = Times(where="sources.x", zone=None)
    columns = [times.column("c", column, text=False) for column in (numeric, json, uuid)]
    assert [column.type for column in columns] == [pa.string()] * 3
    assert [column.to_pylist() for column in columns] == [["9.50", None], ['{"a": 1}', None], [str(UUID(int=5)), None]]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([pa.MonthDayNano([0, 1, 0])]),
        pa.array([1], pa.duration("s")),
        pa.array([1]).cast(pa.decimal256(50, 2)),
        pa.array([[1]], pa.list_(pa.duration("s"))),
        pa.ExtensionArray.from_storage(pa.opaque(pa.binary(), "inet", "PostgreSQL"), pa.array([b"a"])),
    ],
    ids=lambda column: str(column.type),
)
def test_what_the_lake_has_no_type_for_is_refused_with_its_column(column: pa.Array) -> None:
    with pytest.raises(SourceMalformed, match="cannot be stored") as caught:
        Times(where="sources.x", zone=None).column("c", column, text=False)
    assert caught.value.where == "sources.x, column 'c'"


@given(
    st.datetimes(*(datetime.fromisoformat(f"{year}-01-01") for year in (1700, 2261))),
    st.integers(-14 * 60, 14 * 60),
)
def test_every_written_moment_comes_back_as_itself(naive: datetime, minutes: int) -> None:
    moment = naive.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    assert read([moment.isoformat()]).to_pylist() == [moment.astimezone(UTC)]
