"""From the counts of serving processes to figures over time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from daemon.servingcounts import Look, counted_between, look
from daemon.servinghistory import history
from daemon.servingsampler import REST_S, Rests, ServingSampler
from pipeline.serving.histogram import SECONDS, Histogram
from store import servingsamples
from store.engine import Record
from store.home import Home
from store.servingsamples import NOBODY, WHICHEVER, Counted
from store.times import SECOND, to_us

NOW = to_us(datetime(2026, 6, 15, 12, tzinfo=UTC))


def facts(
    worker: str = "1",
    *,
    answered: int = 0,
    errors: int = 0,
    version: str = "2",
    dropped: int = 0,
    compilations: int = 0,
    waiting: int = 0,
) -> dict[str, Any]:
    total = Histogram(SECONDS)
    for _ in range(answered):
        total.observe(0.001)
    return {
        "worker": worker,
        "requests": [["late", version, "rest", 200, answered - errors], ["late", version, "grpc", 503, errors]],
        "rows": [["late", version, 2 * answered]],
        "phases": [["late", version, "total", total.facts()], ["late", version, "run", total.facts()]],
        "batches": [["late", version, {"counts": [0, answered], "sum": 0.0}]],
        "log_predictions": [["late", "written", answered], ["late", "dropped", dropped]],
        "compilations": compilations,
        "waiting": [["late", version, waiting]],
    }


def between(before: Sequence[dict[str, Any]], now: Sequence[dict[str, Any]]) -> dict[tuple[str, int], Counted]:
    found = counted_between(look(before), look(now), 10.0)
    return {(one.model, one.version): one for one in found}


def test_what_was_counted_between_two_looks_is_the_growth_of_every_process() -> None:
    found = between(
        [facts("1", answered=5), facts("2", answered=100)],
        [facts("1", answered=9, errors=1, waiting=3), facts("2", answered=101)],
    )
    late = found["late", 2]
    assert (late.requests, late.errors, late.rows, late.runs, late.waiting) == (5, 1, 10, 5, 3)
    assert sum(count for _, count in late.latency) == 5
    assert list(found) == [("late", 2)]


def test_a_process_that_began_anew_has_counted_everything_since() -> None:
    """Worker 1 died and another took its number: its counts are smaller than the dead one's."""
    assert between([facts(answered=1_000)], [facts(answered=7)])["late", 2].requests == 7


def test_a_process_that_is_new_has_counted_everything_since() -> None:
    assert between([facts("1", answered=4)], [facts("1", answered=4), facts("2", answered=3)])["late", 2].requests == 3


def test_a_process_that_is_gone_takes_nothing_away() -> None:
    assert between([facts("1", answered=4), facts("2", answered=9)], [facts("1", answered=6)])["late", 2].requests == 2


def test_what_is_not_a_versions_belongs_to_the_model_or_to_the_processes() -> None:
    found = between([facts()], [facts(dropped=2, compilations=1)])
    assert found["late", WHICHEVER].dropped == 2
    assert found[NOBODY, WHICHEVER].compilations == 1


def test_a_version_that_is_loaded_and_rests_is_told_of_and_one_that_is_gone_is_not() -> None:
    old = facts(answered=3, version="1") | {"waiting": []}
    assert list(between([old], [old])) == []
    assert between([facts(answered=3)], [facts(answered=3)])["late", 2].at_rest


def test_the_first_look_of_a_worker_of_an_earlier_release_counts_without_what_waits() -> None:
    known = facts(answered=2)
    del known["waiting"]
    assert counted_between(Look(), look([known]), 1.0)[0].waiting == 0


def test_at_rest_there_is_a_row_at_the_beginning_and_one_a_minute() -> None:
    rests = Rests()
    quiet = Counted(model="late", version=2, seconds=10.0)
    busy = Counted(model="late", version=2, seconds=10.0, requests=1)
    assert rests.worth([busy]) == [busy]
    written = [one for _ in range(13) for one in rests.worth([quiet])]
    assert [one.seconds for one in written] == [10.0, REST_S, REST_S]
    assert rests.worth([busy]) == [busy]
    assert rests.worth([quiet]) == [quiet]


def test_looks_are_written_down_from_the_second_on_and_forgotten_after_two_days(tmp_path: Path) -> None:
    now = datetime(2026, 6, 15, 12, tzinfo=UTC)
    times = [now - timedelta(days=3), now]
    record = Record.open(Home(tmp_path), lambda: times[0])
    with record.transaction() as tx:
        servingsamples.add(tx, [of(5)])
    times.pop(0)
    answers: list[Any] = [[facts(answered=1)], [facts(answered=4)], None, [facts(answered=9)]]
    sampler = ServingSampler(record, lambda: times[0], lambda: answers.pop(0))
    for moment in (0.0, 2.0, 4.0, 6.0):
        sampler.sample(moment)
    with record.read() as session:
        found = servingsamples.between(session, 0, to_us(now) + 1)
    record.close()
    assert [(one.requests, one.seconds) for _, one in found] == [(3, 2.0)]
    assert sum(count for _, count in found[0][1].latency) == 3


def looks(*each: tuple[int, Counted]) -> list[tuple[int, Counted]]:
    return [(NOW - before * SECOND, counted) for before, counted in each]


def of(requests: int, *, version: int = 2, cell: int = 10, errors: int = 0, seconds: float = 10.0) -> Counted:
    latency = ((cell, requests),) if requests else ()
    return Counted(
        model="late", version=version, seconds=seconds, requests=requests, errors=errors, rows=requests, runs=requests,
        latency=latency,
    )  # fmt: skip


def test_stretches_of_looks_have_rates_and_the_quantiles_of_all_their_requests() -> None:
    view = history(looks((25, of(90)), (15, of(10, cell=20, errors=5))), NOW - 60 * SECOND, NOW, 2)
    (series,) = view.series
    (point,) = series.points
    assert view.step_seconds == 30
    assert (point.requests, point.rps, point.errors, point.batch_rows) == (100, 5.0, 5, 1.0)
    assert point.p50_ms is not None
    assert point.p99_ms is not None
    assert SECONDS[9] * 1000 <= point.p50_ms <= SECONDS[10] * 1000
    assert SECONDS[19] * 1000 <= point.p99_ms <= SECONDS[20] * 1000


def test_stretches_begin_where_they_began_in_the_answer_before() -> None:
    then = history(looks((45, of(1))), NOW - 60 * SECOND, NOW, 6)
    later = history(looks((45, of(1))), NOW - 57 * SECOND, NOW + 3 * SECOND, 6)
    assert then.series[0].points[0].at == later.series[0].points[0].at


def test_the_last_minute_counts_a_rest_that_no_row_speaks_of_yet() -> None:
    lately = history(looks((40, of(100))), NOW - 600 * SECOND, NOW, 10).series[0].lately
    assert lately is not None
    assert (lately.requests, lately.seconds, lately.rps) == (100, 50.0, 2.0)


@pytest.mark.parametrize("before", [61, 300])
def test_what_is_older_than_a_minute_is_not_of_late(before: int) -> None:
    assert history(looks((before, of(100))), NOW - 600 * SECOND, NOW, 10).series[0].lately is None


def test_a_version_without_requests_has_no_times() -> None:
    point = history(looks((5, of(0))), NOW - 60 * SECOND, NOW, 2).series[0].points[0]
    assert (point.rps, point.p50_ms, point.p99_ms, point.batch_rows) == (0.0, None, None, None)
