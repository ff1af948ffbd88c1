"""Lists that are here are sorted by what their columns mean, not by how it is drawn."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from store.wire import AliasView, EventView, PastRun
from tests.unit.uicore.test_job_rows import _job, _schedule
from tui.failure import Usage
from tui.rows import dataset, jobs, overview
from tui.rows.words import percent
from tui.table.column import Column, Frame
from tui.table.source import ListSource, Query

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
FRAME = Frame(NOW, UTC)


def ordered(columns: Sequence[Column[Any]], rows: Sequence[Any], sort: str) -> list[Any]:
    return list(ListSource(columns, id, lambda: FRAME, rows).answer(Query(sort=sort)))


def test_times_come_in_their_order_though_one_is_drawn_as_a_time_and_one_as_a_day() -> None:
    """`14:00:00` of today came before `Dec 01` but after `Jan 02`: nightly jobs stood anywhere."""
    after = [timedelta(hours=2), timedelta(days=200), timedelta(days=40), timedelta(days=1)]
    times = [_schedule(str(place), "train:late", next_at=NOW + far) for place, far in enumerate(after)]
    found = ordered(jobs.columns(), jobs.entries([_job("train:late")], times), "next")
    assert [entry.schedule.name for entry in found] == ["0", "3", "2", "1"]


def test_numbers_come_in_their_order_whatever_stands_before_them() -> None:
    runs = [
        PastRun.model_validate({"id": n, "state": "failed", "at": NOW, "took_seconds": 1.0, "reason": ""})
        for n in (10, 9, 100)
    ]
    assert [run.id for run in ordered(jobs.past_columns(), runs, "id")] == [9, 10, 100]
    live = [
        AliasView.model_validate(
            {"model": "late", "alias": "production", "version": n, "since": NOW, "actor": "ann", "reason": ""}
        )
        for n in (10, 9)
    ]
    assert [one.version for one in ordered(overview.production_columns({}), live, "-version")] == [10, 9]


def test_a_sample_is_sorted_by_its_values() -> None:
    rows: list[dict[str, Any]] = [{"delay": 10.5}, {"delay": 9}, {"delay": None}, {"delay": -3}, {"delay": [1]}]
    found = ordered(dataset.sample_columns(rows), rows, "delay")
    assert [row["delay"] for row in found] == [None, -3, 9, 10.5, [1]]


def test_a_column_that_is_not_there_any_more_sorts_nothing() -> None:
    rows = [{"b": 2}, {"b": 1}]
    assert ordered(dataset.sample_columns(rows), rows, "a") == rows


def test_a_filter_that_means_nothing_is_refused_as_the_daemon_refuses_it() -> None:
    source: ListSource[Any] = ListSource(jobs.past_columns(), id, lambda: FRAME, [])
    with pytest.raises(Usage, match="compares nothing that has a name") as refused:
        source.answer(Query("late <5"))
    assert refused.value.where == "filter, character 6"
    assert refused.value.remedy.startswith("write a field or a metric before the sign")


def test_events_of_another_year_are_told_by_their_month() -> None:
    """They were `2025-1`, all of them."""
    event = EventView.model_validate(
        {
            "id": 1,
            "at": "2025-12-31T10:00:00Z",
            "actor": "ann",
            "kind": "x.y",
            "subject": "x",
            "message": "it",
            "data": {},
        }
    )
    at = overview.event_columns()[0]
    assert at.draw(event, FRAME).text == "Dec 2025"
    assert len(at.draw(event, FRAME).text) <= at.width


@pytest.mark.parametrize(("part", "said"), [(0.0125, "1.25%"), (1.0, "100%"), (12.5, "1,250%"), (-30.0, "-3,000%")])
def test_large_parts_are_written_out(part: float, said: str) -> None:
    assert percent(part) == said


def test_one_failure_is_not_several_in_a_row() -> None:
    lines = jobs.schedule_facts(_schedule("nightly", "train:late", failures=1), FRAME)
    text = "\n".join("".join(cell.text for cell in line) for line in lines)
    assert "1 times" not in text
    assert "the last time" in text
