"""How new a table has to be, from its checks and its schedules; where a source is, without its secrets."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import TypeAdapter

from daemon.freshness import Due, judge
from daemon.sources import address_of
from pipeline.config.sources import AnySource
from store.wire import DatasetView

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)


def table(newest: datetime | None = None) -> DatasetView:
    return DatasetView(
        name="orders",
        kind="dataset",
        made_from=[],
        version=1,
        rows=1,
        bytes=1,
        updated_at=NOW,
        newest=newest,
        checks={},
        rev=1,
    )


def test_a_check_looks_at_the_newest_row() -> None:
    fresh = judge(table(NOW - timedelta(hours=20)), DAY, None, None, NOW)
    stale = judge(table(NOW - 3 * DAY), DAY, None, None, NOW)
    assert fresh is not None
    assert stale is not None
    assert (fresh.stale, fresh.basis, fresh.allowed_seconds) == (False, "check", 86_400)
    assert stale.stale
    assert stale.reason == "its newest row is 3 days old; 24 hours are allowed"


def test_a_schedule_looks_at_the_last_good_run() -> None:
    due = Due("nightly", 2 * DAY)
    fresh = judge(table(), None, due, NOW - DAY, NOW)
    stale = judge(table(), None, due, NOW - 3 * DAY, NOW)
    assert fresh is not None
    assert stale is not None
    assert (fresh.stale, fresh.basis, fresh.age_seconds) == (False, "schedule", 86_400)
    assert (stale.stale, "by schedule nightly, 2 days are allowed" in stale.reason) == (True, True)


def test_a_check_counts_before_a_schedule_and_what_nobody_wants_new_is_not_judged() -> None:
    both = judge(table(NOW), DAY, Due("nightly", DAY), None, NOW)
    assert both is not None
    assert both.basis == "check"
    assert judge(table(NOW), None, None, None, NOW) is None


def test_what_was_never_made_is_not_stale() -> None:
    never = judge(table(), None, Due("nightly", DAY), None, NOW)
    assert never is not None
    assert (never.stale, never.age_seconds) == (False, None)


ADDRESSES: list[tuple[dict[str, Any], str]] = [
    (
        {"kind": "http", "url": "https://u:secret@api.test/v1?key=secret", "path": "/x?token=secret"},
        "https://api.test/v1/x",
    ),
    ({"kind": "http", "url": "env:API", "path": "/v1/x", "params": {"key": "secret"}}, "env:API/v1/x"),
    ({"kind": "file", "path": "data/*.csv", "format": "csv"}, "data/*.csv"),
    ({"kind": "sql", "uri": "sqlite:shop.db", "query": "select 1"}, "sqlite:shop.db"),
    (
        {"kind": "sql", "uri": "postgresql://u:secret@db:5432/shop?password=secret", "query": "q"},
        "postgresql://db:5432/shop",
    ),
    ({"kind": "python", "function": "work.py:rows", "params": {"key": "secret"}}, "work.py:rows"),
]


@pytest.mark.parametrize(("section", "address"), ADDRESSES, ids=[address for _, address in ADDRESSES])
def test_an_address_holds_no_secret(section: dict[str, Any], address: str) -> None:
    source: AnySource = TypeAdapter(AnySource).validate_python(section)
    assert address_of(source) == address
