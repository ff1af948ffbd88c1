"""The point-in-time join equals a search through all rows, one example at a time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import pyarrow as pa
import pytest
from duckdb import DuckDBPyConnection
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.config.datasets import FeatureView
from pipeline.features.pit import Lookup, point_in_time
from store.errors import ProjectError
from tests.examples import examples

MOMENT = pa.timestamp("us", tz="UTC")
HOUR = timedelta(hours=1)
NEW_YORK = ZoneInfo("America/New_York")
# Two days on which New York's clocks change, a time before 1970, and an ordinary one.
ANCHORS = [
    datetime(2013, 3, 10, 1, 30, tzinfo=NEW_YORK).astimezone(UTC),
    datetime(2013, 11, 3, 1, 30, tzinfo=NEW_YORK).astimezone(UTC),
    datetime(1969, 12, 31, 23, 0, tzinfo=UTC),
    datetime(2013, 7, 1, tzinfo=UTC),
]


@dataclass(frozen=True)
class Row:
    entity: tuple[str | None, int | None]
    event: datetime
    created: datetime
    value: int


@dataclass(frozen=True)
class Case:
    view: FeatureView
    rows: list[Row]
    examples: list[tuple[tuple[str | None, int | None], datetime | None]]


def oracle(
    view: FeatureView, rows: list[Row], entity: tuple[str | None, int | None], at: datetime | None
) -> int | None:
    """The definition, in the words of pipeline/features/pit.py."""
    if at is None or None in entity:
        return None
    seen = []
    for row in rows:
        since = row.event + view.data_delay
        if view.created:
            since = max(since, row.created)
        if row.entity == entity and (since < at or (since == at and not view.strict)):
            seen.append(row)
    if not seen:
        return None
    newest = max(seen, key=lambda row: (row.event, row.created))
    return newest.value if view.ttl is None or newest.event + view.ttl >= at else None


# ("1", 23) and ("12", 3) are not the same.
ENTITIES: list[tuple[str | None, int | None]] = [("1", 23), ("12", 3), ("1", None), (None, 23)]
spans = st.sampled_from([timedelta(0), timedelta(microseconds=1), HOUR, 2 * HOUR])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Many rows and examples at few moments, so that ties, edges of TTL and late rows are common."""
    view = FeatureView(
        inputs=["any"],
        entity=["a", "b"],
        time="event",
        created=draw(st.sampled_from([None, "created"])),
        ttl=draw(st.none() | spans),
        data_delay=draw(spans),
        strict=draw(st.booleans()),
    )
    anchor, chance = draw(st.sampled_from(ANCHORS)), Random(draw(st.integers(0, 2**32)))

    def moment() -> datetime:
        jitter = timedelta(microseconds=chance.choice([-1, 0, 0, 0, 0, 0, 1]))
        return anchor + chance.randint(-4, 4) * HOUR / 2 + jitter

    def entity() -> tuple[str | None, int | None]:
        return chance.choices(ENTITIES, weights=[8, 4, 1, 1])[0]

    keys = {(entity(), moment(), moment() if view.created else anchor) for _ in range(draw(st.integers(0, 40)))}
    rows = [Row(*key, value) for value, key in enumerate(sorted(keys, key=str))]
    examples = [(entity(), moment() if chance.random() < 0.95 else None) for _ in range(80)]
    return Case(view, rows, examples)


@pytest.fixture(scope="module")
def connection() -> Iterator[DuckDBPyConnection]:
    with duckdb.connect(config={"threads": 2}) as connection:
        connection.sql("SET TimeZone = 'America/New_York'")
        connection.sql("SET asof_loop_join_threshold = 0")
        yield connection


def joined(connection: DuckDBPyConnection, case: Case) -> list[dict[str, Any]]:
    rows = pa.table(
        {
            "a": pa.array([r.entity[0] for r in case.rows], pa.string()),
            "b": pa.array([r.entity[1] for r in case.rows], pa.int32()),
            "event": pa.array([r.event for r in case.rows], MOMENT),
            "created": pa.array([r.created for r in case.rows], MOMENT),
            "value": pa.array([r.value for r in case.rows], pa.int64()),
        }
    )
    examples = pa.table(
        {
            "n": pa.array(range(len(case.examples)), pa.int64()),
            "first": pa.array([entity[0] for entity, _ in case.examples], pa.string()),
            "second": pa.array([entity[1] for entity, _ in case.examples], pa.int64()),
            "at": pa.array([at for _, at in case.examples], MOMENT),
        }
    )
    connection.register("rows", rows)
    connection.register("examples", examples)
    lookup = Lookup(
        view=case.view,
        rows="rows",
        examples="examples",
        row="n",
        at="at",
        on={"a": "first", "b": "second"},
        features={"value": "found"},
        where="models.m.views",
    )
    point_in_time(connection, lookup, "answer")
    answer: pa.Table = connection.sql("FROM answer ORDER BY n").to_arrow_table()
    return list(answer.to_pylist())


@pytest.mark.slow
@settings(max_examples=examples(150))
@given(case=cases())
def test_each_example_gets_the_row_that_a_search_through_all_rows_finds(
    connection: DuckDBPyConnection, case: Case
) -> None:
    expected = [
        {"n": n, "found": oracle(case.view, case.rows, entity, at)} for n, (entity, at) in enumerate(case.examples)
    ]
    assert joined(connection, case) == expected


def test_a_row_known_late_does_not_hide_an_older_one_known_in_time(connection: DuckDBPyConnection) -> None:
    noon = datetime(2013, 7, 1, 12, tzinfo=UTC)
    view = FeatureView(inputs=["any"], entity=["a", "b"], time="event", created="created")
    rows = [
        Row(("x", 1), noon - 3 * HOUR, noon - 3 * HOUR, 1),
        Row(("x", 1), noon - 2 * HOUR, noon + HOUR, 2),
    ]
    examples = [(("x", 1), noon), (("x", 1), noon + HOUR)]
    assert [row["found"] for row in joined(connection, Case(view, rows, examples))] == [1, 2]  # type: ignore[arg-type]


def test_a_late_correction_of_an_old_row_does_not_replace_a_newer_row(connection: DuckDBPyConnection) -> None:
    noon = datetime(2013, 7, 1, 12, tzinfo=UTC)
    view = FeatureView(inputs=["any"], entity=["a", "b"], time="event", created="created")
    rows = [
        Row(("x", 1), noon - 3 * HOUR, noon - 3 * HOUR, 1),
        Row(("x", 1), noon - 2 * HOUR, noon - 2 * HOUR, 2),
        Row(("x", 1), noon - 3 * HOUR, noon - HOUR, 3),
    ]
    assert joined(connection, Case(view, rows, [(("x", 1), noon)])) == [{"n": 0, "found": 2}]


def test_the_same_example_asked_twice_gets_two_answers(connection: DuckDBPyConnection) -> None:
    noon = datetime(2013, 7, 1, 12, tzinfo=UTC)
    view = FeatureView(inputs=["any"], entity=["a", "b"], time="event")
    case = Case(view, [Row(("x", 1), noon, noon, 7)], [(("x", 1), noon), (("x", 1), noon)])
    assert [row["found"] for row in joined(connection, case)] == [7, 7]


def lookup(**changes: Any) -> Lookup:
    view = FeatureView(inputs=["any"], entity=["id"], time="event")
    known: dict[str, Any] = {"view": view, "rows": "r", "examples": "e", "row": "n", "at": "at"}
    return Lookup(**{**known, "on": {"id": "id"}, "features": {"f": "f"}, "where": "models.m.views[0]", **changes})


@pytest.fixture
def tables(connection: DuckDBPyConnection) -> DuckDBPyConnection:
    connection.sql("CREATE OR REPLACE TEMP TABLE r AS SELECT 1 AS id, now() AS event, 1.5 AS f")
    connection.sql("CREATE OR REPLACE TEMP TABLE e AS SELECT 0 AS n, '1' AS text, 1 AS id, now() AS at")
    return connection


def test_the_text_1_is_refused_as_a_key_for_the_number_1(tables: DuckDBPyConnection) -> None:
    with pytest.raises(ProjectError, match="such keys never mean the same") as caught:
        point_in_time(tables, lookup(on={"id": "text"}), "answer")
    assert caught.value.where == "models.m.views[0]"


def test_a_missing_column_is_named_with_the_nearest_one(tables: DuckDBPyConnection) -> None:
    with pytest.raises(ProjectError, match="the dataset has no column 'txet', did you mean 'text'"):
        point_in_time(tables, lookup(on={"id": "txet"}), "answer")


def test_a_time_without_zone_is_refused(tables: DuckDBPyConnection) -> None:
    tables.sql("CREATE OR REPLACE TEMP TABLE r AS SELECT 1 AS id, TIMESTAMP '2013-01-01' AS event, 1.5 AS f")
    with pytest.raises(ProjectError, match="a timestamp with time zone is needed"):
        point_in_time(tables, lookup(), "answer")


@pytest.mark.slow
def test_five_views_for_330_000_examples_take_under_three_seconds_of_cpu(connection: DuckDBPyConnection) -> None:
    connection.sql(
        """CREATE OR REPLACE TEMP TABLE e AS
           SELECT i AS n, i * 7919 % 4000 AS id, to_timestamp(1356998400 + i * 90) AS at FROM range(330_000) t(i)"""
    )
    connection.sql(
        """CREATE OR REPLACE TEMP TABLE r AS
           SELECT i * 104_729 % 4000 AS id, to_timestamp(1356998400 + i * 90) AS event,
                  event + to_seconds(i * 31 % 7200) AS created, i AS f FROM range(330_000) t(i)"""
    )
    view = FeatureView(inputs=["any"], entity=["id"], time="event", created="created")
    began = time.process_time()
    for number in range(5):
        point_in_time(connection, lookup(view=view), f"answer{number}")
    assert time.process_time() - began < 3.0
