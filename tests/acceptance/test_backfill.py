"""A backfill with real workers: each knows the time that it makes up for."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.acceptance.living import Living

pytestmark = pytest.mark.slow
FUNCTIONS = """
def rows_hours(scheduled_for):
    with open("slots.txt", "a") as slots:
        print("nobody's" if scheduled_for is None else scheduled_for.isoformat(), file=slots)
    return pa.table({"hour": [str(scheduled_for)]})
"""
SCHEDULE = """
[datasets.told]
inputs = ["hours"]
sql = "SELECT hour FROM hours"
[schedules.hourly]
job = "etl:told"
every = "1h"
"""


@pytest.fixture
def living(tmp_path: Path) -> Iterator[Living]:
    living = Living(tmp_path, FUNCTIONS, extra=SCHEDULE)
    living.start()
    yield living
    living.close()


def test_each_run_of_a_backfill_is_told_its_time_and_a_run_by_hand_none(living: Living) -> None:
    by_hand = living.submit("etl:hours")
    assert living.wait(by_hand)["run"]["state"] == "succeeded"
    end = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    span = {"start": (end - timedelta(hours=3)).isoformat(), "end": end.isoformat()}
    plan = living.get("/v1/schedules/hourly/backfill", **span)
    done = living.post("/v1/schedules/hourly/backfill", {**span, "token": plan["token"]})
    for run in done["runs"]:
        assert living.wait(run, seconds=120)["run"]["state"] == "succeeded"
    slots = [(end - timedelta(hours=hours)).isoformat() for hours in (3, 2, 1)]
    assert living.file("slots.txt").split() == ["nobody's", *slots], "what runs upstream is of the same time"
    (count,) = living.rows("SELECT count(*) FROM dataset_version WHERE dataset = 'hours'")
    assert count == (4,)
