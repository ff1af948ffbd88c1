"""How datasets, columns and checks read, without a terminal."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from store.wire import CategoryView, CheckView, ColumnView, DatasetView, FreshnessView, HistogramView
from tui.rows import checks, columns, data, dataset
from tui.rows.data import Store
from tui.table import Frame
from tui.text import plain

T0 = datetime(2026, 6, 1, 12, tzinfo=UTC)
FRAME = Frame(T0, UTC)


def view(name: str = "orders", **fields: Any) -> DatasetView:
    known: dict[str, Any] = {
        "name": name,
        "kind": "dataset",
        "made_from": ["source"],
        "version": 3,
        "rows": 1_000,
        "bytes": 41_000,
        "updated_at": T0,
        "newest": T0,
        "checks": {"pass": 2},
        "rev": 1,
    }
    return DatasetView(**{**known, **fields})


def stale() -> FreshnessView:
    return FreshnessView(basis="check", allowed_seconds=60, age_seconds=90, stale=True, reason="its newest row is old")


def test_what_is_older_than_promised_is_marked_and_a_fault() -> None:
    store = Store("orders", "dataset", data=view(freshness=stale()))
    assert data.newest(store, FRAME) == ("! 12:00:00", "warn")
    assert store.faulty
    assert "its newest row is old" in plain(data.facts(store, [store], FRAME))
    assert not Store("orders", "dataset", data=view()).faulty


def test_checks_are_counted_the_worst_first_and_give_the_tone() -> None:
    store = Store("orders", "dataset", data=view(checks={"pass": 4, "fail": 1, "warn": 2}))
    assert data.checks(store) == ("✘ 1 fail ! 2 warn ✔ 4 pass", "bad")
    assert data.checks(Store("orders", "dataset", data=view(checks={}))).text == "none"


def test_who_uses_a_table_is_told_by_what_others_are_made_from() -> None:
    all_ = [Store("a", "dataset", data=view("a")), Store("b", "dataset", data=view("b", made_from=["a"]))]
    assert data.used_by(all_[0], all_) == ["b"]


def test_a_column_says_what_share_is_missing() -> None:
    column = ColumnView(name="x", type="int64", nulls=10)
    assert columns.missing(column, 1_000).text == "1%"
    assert columns.missing(column, 10).text == "! 100%"
    assert columns.missing(ColumnView(name="x", type="int64", nulls=0), 10).text == "0"


def test_a_histogram_stands_upright_with_its_ends_under_it() -> None:
    lines = plain(columns.histogram(HistogramView(low=0.0, high=8.0, counts=[0, 5, 10]))).splitlines()
    assert [line.rstrip() for line in lines] == ["    ██ 10", "    ██", "  ▄▄██", "  ████", "  ████", "0    8"]


def test_the_ends_of_a_histogram_too_narrow_for_them_stand_apart() -> None:
    constant = HistogramView(low=2012.0, high=2014.0, counts=[0, 9])
    assert plain(columns.histogram(constant)).splitlines()[-1] == "2,012 … 2,014"


def test_a_histogram_of_times_has_dates_at_its_ends() -> None:
    text = plain(columns.histogram(HistogramView(low=0.0, high=86_400.0, counts=[1]), moments=True))
    assert "1970-01-01 00:00" in text


def test_the_commonest_values_are_bars_of_their_own() -> None:
    column = ColumnView(
        name="x", type="string", top=[CategoryView(value="JFK", count=10), CategoryView(value="LGA", count=5)]
    )
    text = plain(columns.profile(column, 15))
    assert "JFK          10  " + "█" * 40 in text
    assert columns.shape(column).text == "JFK ×10"


def test_a_failed_check_shows_some_of_its_rows() -> None:
    check = CheckView(
        dataset="orders",
        version=None,
        run=4,
        check="unique(id)",
        kind="unique",
        severity="fail",
        outcome="fail",
        failing=1,
        total=10,
        share=0.1,
        allowed=0.0,
        detail="1 of 10 rows repeat the id",
        sample=[{"id": 7, "customer": None}],
        at=T0,
    )
    text = plain(checks.found(check, FRAME))
    assert "on a version that was refused, run 4" in text
    assert "id 7   customer -" in text


def test_a_sample_has_one_column_a_name_as_wide_as_its_values() -> None:
    found = dataset.sample_columns([{"id": 1, "text": "x" * 90}])
    assert [(column.key, column.width) for column in found] == [("id", 2), ("text", 28)]
    assert dataset.sample_columns([]) == []
