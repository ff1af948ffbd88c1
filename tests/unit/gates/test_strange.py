"""What requests hold that a version did not learn from, against a real file of the rows that trained it."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.judging.strange import COLUMNS, Learned, learned, strange
from pipeline.serving.columns import Columns
from pipeline.versions.signature import InputColumn, Signature
from tests.unit.serving.bench import SIGNATURE

TRAINED = pa.table(
    {
        "distance": pa.array([0.1, 700.5, None, math.nan, math.inf], pa.float64()),
        "hour": pa.array([5, 23, 7, 8, 9], pa.int32()),
        "carrier": ["AA", "UA", "7", "true", "AA"],
        "late": [True, False, True, False, True],
    }
)


@pytest.fixture
def known(tmp_path: Path) -> dict[str, Learned]:
    pq.write_table(TRAINED, tmp_path / "train.parquet", row_group_size=2)
    return learned(tmp_path / "train.parquet", SIGNATURE)


def found(rows: list[dict[str, Any]], known: dict[str, Learned]) -> dict[str, Any]:
    return {one.column: one for one in strange(SIGNATURE, Columns(SIGNATURE).of_rows(rows), rows, known)}


def row(distance: float | None = 0.1, carrier: str | None = "AA", hour: float | None = 12) -> dict[str, Any]:
    return {"distance": distance, "carrier": carrier, "hour": hour}


def test_ranges_are_of_all_finite_numbers_that_trained(known: dict[str, Learned]) -> None:
    assert known["distance"] == Learned(low=0.1, high=700.5, gaps=True)
    assert known["hour"] == Learned(low=5.0, high=23.0, gaps=False)
    assert known["carrier"] == Learned(low=None, high=None, gaps=False)


def test_numbers_outside_are_counted_on_both_sides_and_the_bounds_themselves_are_inside(
    known: dict[str, Learned],
) -> None:
    assert found([row(0.1), row(700.5), row(None)], known) == {}  # 0.1 has no float32: it is rounded as the model does
    (distance,) = found([row(-3.0), row(9000.0), row(9001.0), row(5.0)], known).values()
    assert (distance.rows, distance.of, distance.below, distance.above) == (3, 4, 1, 2)
    assert (distance.low, distance.high, distance.least, distance.most) == (0.1, 700.5, -3.0, 9001.0)


def test_words_and_gaps_that_training_never_had_are_told_the_worst_column_first(known: dict[str, Learned]) -> None:
    rows = [row(carrier="LH", hour=None), row(carrier="LH"), row(carrier="BA"), row(carrier=None), row()]
    columns = found(rows, known)
    assert list(columns) == ["carrier", "hour"]
    carrier, hour = columns.values()
    assert (carrier.rows, carrier.unseen, carrier.missing, carrier.words) == (4, 3, 1, ("LH", "BA"))
    assert (hour.rows, hour.missing, hour.below) == (1, 1, 0)


def test_without_what_it_learned_from_only_words_are_told() -> None:
    assert list(found([row(-9e9, "LH", None)], {})) == ["carrier"]


def test_of_very_wide_requests_only_the_worst_columns_are_told() -> None:
    names = [f"n{number}" for number in range(3 * COLUMNS)]
    inputs = [InputColumn(name=name, kind="numeric") for name in names]
    wide = Signature(inputs=inputs, task="regression", label="y")
    rows = [dict.fromkeys(names, 2.0)]
    bounds = dict.fromkeys(names, Learned(low=0.0, high=1.0, gaps=False))
    assert len(strange(wide, Columns(wide).of_rows(rows), rows, bounds)) == COLUMNS
