"""Windows and reports of monitors: each told once, restated when something else is told, and paged newest first."""

from __future__ import annotations

from typing import Any

import pytest
from sqlmodel import select

from store import changes, queue, watching
from store.engine import Record
from store.facts import ReportFacts, StreamFacts, WindowFacts
from store.tables import Event, WatchWindow
from store.watchviews import window_view, windows_page
from tests.unit.record.conftest import HandClock

HOUR = 3_600_000_000


def window(hour: int, *, version: int = 1, **other: Any) -> WindowFacts:
    known: dict[str, Any] = {
        "rows": 600,
        "measures": {"distance": {"psi": 0.1}, "$score": {"psi": 0.3}},
        "limits": {"distance": {"psi": 0.2}, "$score": {"psi": 0.2}},
        "token": "30",
    }
    return WindowFacts(version=version, start_us=hour * HOUR, end_us=(hour + 1) * HOUR, **{**known, **other})


def report(state: Any = "steady", **other: Any) -> ReportFacts:
    known: dict[str, Any] = {"monitor": "late", "model": "late", "version": 1, "reason": "none of 2 has", "rows": 1}
    return ReportFacts(state=state, windows=1, **{**known, **other})


def run(record: Record) -> int:
    new = queue.NewRun(job="monitor:late", kind="monitor", target="late", trigger="manual", actor="ann")
    with record.transaction() as tx:
        return queue.submit(tx, [new])[0]


def put(record: Record, *windows: WindowFacts) -> None:
    with record.transaction() as tx:
        watching.put_windows(tx, "late", windows)


def rows(record: Record) -> list[WatchWindow]:
    with record.read() as session:
        return watching.newest_windows(session, "late")


def test_a_window_told_twice_is_one_and_nothing_changes(record: Record, clock: HandClock) -> None:
    put(record, window(0), window(1))
    before = [(one.rev, one.restated_at) for one in rows(record)]
    clock.forward(60)
    put(record, window(0), window(1))
    assert [(one.rev, one.restated_at) for one in rows(record)] == before == [(before[0][0], None)] * 2


def test_a_window_with_other_figures_is_restated_and_one_with_another_token_alone_is_not(
    record: Record, clock: HandClock
) -> None:
    put(record, window(0), window(1))
    clock.forward(60)
    put(record, window(0, labelled=300, token="30.300"), window(1, token="30.0"))
    first, second = rows(record)
    assert (first.labelled, first.restated_at is not None) == (300, True)
    assert (second.token, second.restated_at) == ("30.0", None)


def test_a_run_has_one_report_however_often_it_is_told(record: Record) -> None:
    number = run(record)
    put(record, window(0))
    with record.transaction() as tx:
        first = watching.put_report(tx, number, report(assessed=[(1, 0)]))
        assert first is not None
        tx.finish()
        assert watching.put_report(tx, number, report("drifted")) is None
    with record.read() as session:
        page = watching.reports_page(session, "late", limit=10)
        assert [(one.state, one.run, one.model) for one in page.items] == [("steady", number, "late")]
        assert watching.last_reports(session)["late"].id == page.items[0].id
    assert rows(record)[0].report == page.items[0].id


def test_the_history_tells_a_new_state_and_not_the_same_one_again(record: Record) -> None:
    for state in ("steady", "steady", "drifted", "drifted", "steady"):
        with record.transaction() as tx:
            watching.put_report(tx, run_in(tx), report(state))
    with record.read() as session:
        kinds = session.exec(select(Event.kind).where(Event.subject == "monitor late")).all()
    assert kinds == ["monitor.steady", "monitor.drifted", "monitor.steady"]


def run_in(tx: Any) -> int:
    new = queue.NewRun(job="monitor:late", kind="monitor", target="late", trigger="manual", actor="ann")
    number = queue.submit(tx, [new])[0]
    tx.finish()
    return int(number)


def test_windows_come_in_pages_newest_first_each_once(record: Record) -> None:
    put(record, *(window(hour, version=1 + hour // 4) for hour in range(7)), window(3, version=2))
    seen, after = [], None
    while True:
        with record.read() as session:
            page = windows_page(session, ["late"], limit=3, after=after)
        seen += [(one.version, one.start.hour) for one in page.items]
        after = page.next
        if after is None:
            break
    assert seen == [(2, 6), (2, 5), (2, 4), (2, 3), (1, 3), (1, 2), (1, 1), (1, 0)]


def test_windows_are_chosen_by_time_version_and_column(record: Record) -> None:
    put(record, window(0), window(1), window(2, version=2))
    with record.read() as session:
        assert len(windows_page(session, ["late"], limit=9, since_us=2 * HOUR).items) == 1
        assert len(windows_page(session, ["late"], limit=9, version=1).items) == 2
        (shown,) = windows_page(session, ["late"], limit=1, column="distance").items
    assert [one.name for one in shown.columns] == ["distance"]


def test_predictions_stand_under_their_outputs_name_and_what_is_at_its_limit_comes_first(record: Record) -> None:
    put(record, window(0))
    view = window_view(rows(record)[0])
    assert [(one.name, one.subject, one.reached) for one in view.columns] == [
        ("score", "prediction", True),
        ("distance", "feature", False),
    ]
    assert (view.performance, view.estimate, view.service) == (None, None, None)


def test_the_feed_names_monitors_that_changed(record: Record) -> None:
    with record.read() as session:
        since = changes.current_revision(session)
    put(record, window(0))
    with record.read() as session:
        assert changes.changes_since(session, since, 0).monitors == ["late"]
        now = changes.current_revision(session)
        assert changes.changes_since(session, now, 0).monitors == []


def stream(since: int, until: int, version: int = 1, **state: Any) -> StreamFacts:
    return StreamFacts(version=version, since_us=since, until_us=until, state=state)


def followed(record: Record) -> list[tuple[int, int, Any, int]]:
    with record.read() as session:
        rows = watching.streams(session, "late")
    return [(one.version, one.until_us, one.state["seen"], one.report) for one in rows]


def test_a_stream_is_stored_with_its_report_and_goes_on_only_from_where_it_was(record: Record) -> None:
    first, second, third = run(record), run(record), run(record)
    with record.transaction() as tx:
        watching.put_report(tx, first, report(stream=stream(0, 10, seen=5)))
        watching.put_report(tx, first, report(stream=stream(10, 20, seen=9)))  # a later attempt of the same run
    assert followed(record) == [(1, 10, 5, 1)]
    with record.transaction() as tx:
        watching.put_report(tx, second, report(stream=stream(10, 30, seen=9)))
        watching.put_report(tx, third, report(stream=stream(10, 40, seen=11)))  # it has read the same rows meanwhile
    assert followed(record) == [(1, 30, 9, 2)]
    with record.transaction() as tx:
        watching.put_report(tx, run_in(tx), report(stream=stream(0, 50, version=2, seen=1)))
    assert followed(record) == [(1, 30, 9, 2), (2, 50, 1, 4)]


def test_a_report_that_is_rolled_back_has_fed_nothing(record: Record) -> None:
    number = run(record)

    def dying() -> None:
        with record.transaction() as tx:
            watching.put_report(tx, number, report(stream=stream(0, 10, seen=5)))
            raise RuntimeError("the daemon dies here")

    with pytest.raises(RuntimeError):
        dying()
    assert followed(record) == []
