"""What a table looks like."""

from __future__ import annotations

import json
import math
from datetime import UTC, date, datetime
from decimal import Decimal

import pyarrow as pa
import pyarrow.dataset as pads

from pipeline.tables.describe import describe

MOMENT = datetime(2013, 7, 1, 5, tzinfo=UTC)


def test_columns_are_counted_and_samples_are_plain_json() -> None:
    table = pa.table(
        {
            "n": [1, 2, None],
            "x": [1.5, math.nan, math.inf],
            "s": ["a", "b" * 500, None],
            "at": pa.array([MOMENT, None, None], pa.timestamp("us", tz="UTC")),
            "day": [date(2013, 7, 1)] * 3,
            "money": [Decimal("1.50")] * 3,
            "blob": [b"\x00\xff"] * 3,
            "nested": [[1, 2]] * 3,
        }
    )
    found = describe(pads.dataset(table), "at")
    facts = {column.name: column for column in found.columns}
    assert (found.rows, found.newest_us) == (3, int(MOMENT.timestamp() * 1e6))
    assert (facts["n"].type, facts["n"].nulls, facts["n"].low, facts["n"].high) == ("int64", 1, "1", "2")
    assert (facts["at"].type, facts["at"].low) == ("timestamp", "2013-07-01 05:00:00+00")
    assert (facts["nested"].nulls, facts["nested"].distinct) == (0, None)
    assert len(facts["s"].high or "") == 200
    assert json.loads(json.dumps(found.sample, allow_nan=False))[1]["x"] == "nan"
    assert found.sample[0]["blob"] == "AP8="


def test_a_column_that_is_no_time_has_no_newest_row() -> None:
    table = pa.table({"n": [1700000000], "x": [1.5], "s": ["noon"], "yes": [True]})
    assert [describe(pads.dataset(table), name).newest_us for name in table.column_names] == [None] * 4


def test_an_empty_table_has_columns_and_no_newest_row() -> None:
    table = pa.table({"at": pa.array([], pa.timestamp("us", tz="UTC"))})
    found = describe(pads.dataset(table), "at")
    assert (found.rows, found.newest_us, found.sample, found.columns[0].nulls) == (0, None, [], 0)
