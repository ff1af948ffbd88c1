"""Heat: a monitor's newest windows as parts of its limits, now and as they were."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from store import watching
from store.engine import Record
from store.facts import ReportFacts, WindowFacts
from store.home import Home
from store.queue import NewRun, submit
from store.times import to_us
from store.watchheat import heat
from store.wire import HeatView

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def record(tmp_path: Path) -> Iterator[Record]:
    opened = Record.open(Home(tmp_path / "home"), lambda: NOW)
    yield opened
    opened.close()


def window(place: int, psi: float | None, **changes: Any) -> WindowFacts:
    """The last of five ends now."""
    end = NOW - (4 - place) * HOUR
    told: dict[str, Any] = (
        {} if psi is None else {"amount": {"psi": psi, "ks": 0.05, "mean": 3.0}, "$late": {"psi": 0.1}}
    )
    facts = {
        "version": 1,
        "start_us": to_us(end - HOUR),
        "end_us": to_us(end),
        "rows": 600,
        "measures": told,
        "limits": {name: {"psi": 0.2, "ks": 0.1} for name in told},
        "token": str(place),
    }
    return WindowFacts(**{**facts, **changes})


def told(record: Record, put: list[WindowFacts], **asked: Any) -> HeatView:
    with record.transaction() as tx:
        watching.put_windows(tx, "late", put)
    with record.read() as session:
        return heat(session, "late", **{"windows": 24, **asked})


def test_a_level_is_the_measure_that_is_nearest_to_its_limit(record: Record) -> None:
    found = told(record, [window(0, None), window(1, 0.02), window(2, 0.3)])
    amount = next(one for one in found.columns if one.name == "amount")
    assert amount.levels == [None, pytest.approx(0.5), pytest.approx(1.5)]
    assert (amount.measure, amount.value, amount.limit) == ("psi", 0.3, 0.2)
    assert amount.state is None
    assert {one.name: one.subject for one in found.columns} == {"amount": "feature", "late": "prediction"}
    assert [one.name for one in found.columns] == ["amount", "late"]


def test_only_the_newest_windows_are_told_and_those_that_had_ended_by_then(record: Record) -> None:
    windows = [window(place, 0.02) for place in range(5)]
    assert [one.end for one in told(record, windows, windows=2).windows] == [NOW - HOUR, NOW]
    assert len(told(record, windows, at_us=to_us(NOW - 2 * HOUR)).windows) == 3
    assert told(record, [], at_us=to_us(NOW - 10 * HOUR)).windows == []


def test_the_last_report_says_which_column_has_drifted_and_by_which_measure(record: Record) -> None:
    said: dict[str, Any] = dict.fromkeys(
        ("jensen_shannon", "hellinger", "chi_square_p", "missing", "reference_missing", "new", "reference_new", "mean")
    )
    measure = {"measure": "ks", "reached": 2, "value": 0.2, "limit": 0.1, "reason": "ks 0.2"}
    column = {
        **said,
        "reference_mean": None,
        "name": "late",
        "subject": "prediction",
        "kind": "numeric",
        "examples": [],
    }
    column |= {"state": "drifted", "reason": "ks 0.2 in 2 of 3 windows", "measures": [measure]}
    with record.transaction() as tx:
        job = NewRun(job="monitor:late", kind="monitor", target="late", trigger="manual", actor="ann")
        run = submit(tx, [job])[0]
        facts = ReportFacts(
            monitor="late", state="drifted", reason="1 of 2", rows=1, windows=3, body={"columns": [column]}
        )
        watching.put_report(tx, run, facts)
    found = told(record, [window(0, 0.1)])
    assert (found.state, found.reason, found.run) == ("drifted", "1 of 2", run)
    assert [(one.name, one.state, one.measure) for one in found.columns] == [
        ("late", "drifted", "ks"),
        ("amount", None, "psi"),
    ]
    assert told(record, [], at_us=to_us(NOW) - 1).state is None


def test_the_metric_that_decides_is_that_of_the_newest_window_that_tells_it(record: Record) -> None:
    auc, brier = ({"metric": name, "value": value} for name, value in (("auc", 0.7), ("brier", 0.1)))
    labelled = {"coverage": 0.4, "metrics": [auc, brier]}
    estimate = {"how": "cbpe", "metrics": [{"metric": "auc", "value": 0.68}]}
    windows = [window(0, 0.1, performance=labelled, estimate=estimate), window(1, 0.1, estimate=estimate)]
    found = told(record, windows)
    assert found.measured is not None
    assert found.estimated is not None
    assert (found.measured.metric, found.coverage, found.estimated.value) == ("auc", 0.4, 0.68)
    other = told(record, [], metric="brier")
    assert other.measured is not None
    assert (other.measured.metric, other.estimated) == ("brier", None)
