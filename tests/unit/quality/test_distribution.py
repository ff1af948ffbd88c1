"""The distribution check: quiet without drift, loud with it, and never fooled by an outlier."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from duckdb import DuckDBPyConnection
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from pipeline.config.checks import AnyCheck
from pipeline.quality import run_checks
from pipeline.stats.distances import FLOOR, psi
from store.facts import CheckFacts

NOW = datetime(2013, 6, 1, tzinfo=UTC)
counts = st.lists(st.integers(0, 10_000), min_size=3, max_size=3).map(np.array)


@pytest.fixture(scope="module")
def connection() -> Iterator[DuckDBPyConnection]:
    with duckdb.connect() as connection:
        yield connection


def judge(connection: DuckDBPyConnection, before: Any, now: Any, **settings: Any) -> CheckFacts:
    connection.register("before", pa.table({"x": before}))
    connection.register("now", pa.table({"x": now}))
    check = {"kind": "distribution", "column": "x", **settings}
    report = run_checks(
        connection,
        "now",
        TypeAdapter(list[AnyCheck]).validate_python([check]),
        dataset="d",
        now=NOW,
        previous="before",
        references={},
    )
    return report.results[0]


def measured(result: CheckFacts) -> float:
    return float(result.detail.split(" is ")[1].split(";")[0])


def test_psi_of_two_cells_by_hand() -> None:
    # (0.5 - 0.2) ln(0.5 / 0.2) + (0.5 - 0.8) ln(0.5 / 0.8) = 0.41589, minus (2 - 1)(1/1000 + 1/1000)
    assert psi(np.array([500, 500]), np.array([200, 800])) == pytest.approx(0.41589 - 0.002, abs=1e-5)


def test_a_cell_that_was_empty_counts_with_the_floor() -> None:
    expected = (1 - 0.5) * np.log(1 / 0.5) + (FLOOR - 0.5) * np.log(FLOOR / 0.5) - 2 / 1000
    assert psi(np.array([1000, 0, 0]), np.array([500, 500, 0])) == pytest.approx(expected)


@given(reference=counts, current=counts)
def test_psi_is_symmetric_finite_and_never_negative(reference: Any, current: Any) -> None:
    there, back = psi(reference, current), psi(current, reference)
    assert 0 <= there < 30
    assert there == pytest.approx(back)
    assert psi(reference, reference) == 0


@pytest.mark.slow
def test_samples_of_one_distribution_do_not_alarm(connection: DuckDBPyConnection) -> None:
    rng = np.random.default_rng(1)
    for _ in range(30):
        assert judge(connection, rng.normal(size=500), rng.normal(size=500), max_psi=0.1).outcome == "pass"


def test_one_outlier_does_not_hide_a_shift(connection: DuckDBPyConnection) -> None:
    rng = np.random.default_rng(2)
    before, after = rng.normal(size=5000), rng.normal(1, 1, size=5000)
    plain = judge(connection, before, after)
    spoilt = judge(connection, np.append(before, 1e4), np.append(after, 1e6))
    assert (plain.outcome, spoilt.outcome) == ("fail", "fail")
    assert measured(spoilt) == pytest.approx(measured(plain), abs=0.05)
    assert measured(spoilt) > 0.8


def test_values_that_go_missing_are_drift(connection: DuckDBPyConnection) -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(size=2000)
    gone = pa.array(values, mask=rng.random(2000) < 0.4)
    assert judge(connection, values, gone).outcome == "fail"
    assert judge(connection, values, np.where(rng.random(2000) < 0.4, np.nan, values)).outcome == "fail"


def test_rare_values_that_become_common_are_drift(connection: DuckDBPyConnection) -> None:
    before = np.repeat([0, 1], [30, 970])
    assert judge(connection, before, np.repeat([0, 1], [500, 500])).outcome == "fail"
    heavy = np.concatenate([np.zeros(900), np.arange(100)])
    assert judge(connection, heavy, np.concatenate([np.zeros(500), np.arange(500) / 5])).outcome == "fail"


def test_new_words_are_drift(connection: DuckDBPyConnection) -> None:
    before = ["a", "b"] * 500
    assert judge(connection, before, before).outcome == "pass"
    assert judge(connection, before, ["a", "b", "new", "it's"] * 250).outcome == "fail"


def test_too_few_rows_pass_and_say_so(connection: DuckDBPyConnection) -> None:
    result = judge(connection, np.zeros(1000), np.ones(499))
    assert (result.outcome, result.detail) == ("pass", "499 rows are too few to judge: 500 are needed")


def test_a_constant_column_has_not_moved(connection: DuckDBPyConnection) -> None:
    assert measured(judge(connection, np.ones(1000), np.ones(800))) == 0
    assert judge(connection, pa.nulls(600, pa.float64()), pa.nulls(600, pa.float64())).outcome == "pass"


def test_a_column_of_times_is_compared_by_quantiles(connection: DuckDBPyConnection) -> None:
    hours = np.arange(1000) * 3_600_000_000
    later = pa.array(hours + 2000 * 3_600_000_000, pa.timestamp("us", tz="UTC"))
    assert judge(connection, pa.array(hours, pa.timestamp("us", tz="UTC")), later).outcome == "fail"


def test_another_type_than_before_is_drift(connection: DuckDBPyConnection) -> None:
    assert judge(connection, np.ones(1000), ["1"] * 1000).detail == "x was DOUBLE and is now VARCHAR"


@pytest.mark.parametrize("few", [True, False], ids=["few values", "quantiles with heavy points"])
def test_numbers_of_another_type_than_before_are_compared_as_numbers(connection: DuckDBPyConnection, few: bool) -> None:
    """int64 becomes float64 beside the first null, and a sum has other digits: the version was refused for that."""
    heavy = np.arange(2000) % (10 if few else 4)
    tenths = np.where(heavy == 0, np.arange(2000) % (5 if few else 900), 7) / 10
    exact = pa.array(np.round(tenths * 10).astype(np.int64)).cast(pa.decimal128(21, 2))
    kinds = [
        pa.array(np.round(tenths * 10).astype(np.int64)),
        pa.array(np.round(tenths * 10)),
        exact,
        exact.cast(pa.decimal128(30, 5)),
    ]
    for before in kinds:
        for now in kinds:
            assert measured(judge(connection, before, now)) == 0, (before.type, now.type)
    assert measured(judge(connection, tenths, tenths.astype(np.float32))) == 0
    assert measured(judge(connection, tenths.astype(np.float32), tenths)) == 0
    assert judge(connection, kinds[0], kinds[1].cast(pa.float32()).filter(pa.array(heavy != 0))).outcome == "fail"
