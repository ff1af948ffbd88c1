"""The removal of a run: all of it goes, nothing else does, and whoever asks for it hears when it went."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import pytest
from sqlalchemy import text

from daemon import backfill
from daemon.claim import claim_due
from pipeline.config.jobs import jobs_of
from store import datasets, lineage, metrics, moment, queue, removal, results, runs, samples, schedules, watching
from store.engine import Record
from store.errors import NotFound, Removed
from store.facts import CheckFacts
from store.listing import events as event_list
from store.listing import runs as run_list
from store.metrics import Chunk
from store.rowcounts import row_counts
from store.schedules import Definition
from store.times import from_us, to_us
from store.wire import BackfillRequest
from tests.unit.config.test_monitors import project
from tests.unit.record.conftest import HandClock
from tests.unit.record.old import DAY, DAY_S, end, ended, queued
from tests.unit.record.test_oldruns import put_table
from tests.unit.record.test_watching import report

OF_A_RUN = ("attempt", "param", "artifact", "checkpoint", "run_dependency", "metric_latest", "drift_report")
CURVES = ("metric", "metric_range", "resource_sample")


def full(record: Record) -> int:
    """A run that has left a row in every table that a run can leave one in."""
    before, run = queued(record, "etl:flights", "monitor:late")
    end(record, before)
    end(record, run)
    refused = CheckFacts(
        name="id", kind="not_null", severity="fail", outcome="fail", failing=1, total=2, allowed=0.0, detail="a null"
    )
    with record.transaction() as tx:
        results.put_params(tx, run, {"rows": 3})
        results.put_artifact(tx, run, name="a", kind="file", path="a", digest="d", bytes=1)
        results.put_checkpoint(tx, run, step=1, path="c", digest="d", bytes=1)
        datasets.add_checks(tx, run, "flights", None, [refused])
        watching.put_report(tx, run, report())
        metrics.add_points(tx, [Chunk(run, tx.now, range(2000), {"loss": [0.5] * 2000})])
        tx.connection.execute(text(f"INSERT INTO resource_sample (run, at, cpu_percent, rss) VALUES ({run}, 1, 1, 1)"))
    return run


def rows(record: Record, tables: Sequence[str], run: int) -> dict[str, int]:
    with closing(sqlite3.connect(record.home.database)) as database:
        return {
            table: database.execute(f"SELECT count(*) FROM {table} WHERE run = ?", (run,)).fetchone()[0]
            for table in tables
        }


def remove(record: Record, *run: int) -> None:
    with record.transaction() as tx:
        removal.remove(tx, run)


def test_all_that_is_a_runs_own_goes_with_it_and_what_is_of_others_stays(record: Record) -> None:
    run, other = full(record), full(record)
    assert all(rows(record, OF_A_RUN + CURVES, run).values()), "the test sees to each"
    kept = rows(record, OF_A_RUN + CURVES, other)
    remove(record, run)
    assert not any(rows(record, [*OF_A_RUN, "check_result"], run).values())
    assert all(rows(record, CURVES, run).values()), "these go by parts"
    with record.transaction() as tx:
        while removal.remove_points(tx, [run]):
            pass
    assert not any(rows(record, CURVES, run).values())
    assert rows(record, OF_A_RUN + CURVES, other) == kept
    with closing(sqlite3.connect(record.home.database)) as database:
        assert database.execute("PRAGMA foreign_key_check").fetchall() == []
        assert database.execute("SELECT count(*) FROM event WHERE subject = ?", (f"run {run}",)).fetchone() == (0,)


def test_curves_go_by_parts_that_are_bounded(record: Record, monkeypatch: pytest.MonkeyPatch) -> None:
    run = full(record)
    remove(record, run)
    monkeypatch.setattr(removal, "POINTS", 700)
    left = []
    while True:
        with record.transaction() as tx:
            if not removal.remove_points(tx, [run]):
                break
        left.append(rows(record, ["metric"], run)["metric"])
    assert left[:3] == [1300, 600, 0]


def test_whoever_asks_for_a_removed_run_hears_when_it_was_removed(record: Record, clock: HandClock) -> None:
    run, kept = ended(record, "train:late", "failed"), ended(record, "train:late")
    clock.forward(400 * DAY_S)
    remove(record, run)
    with record.read() as session:
        with pytest.raises(Removed, match=rf"run {run} \(train:late, failed on 2026-03-01\) was removed on 2027-04-05"):
            runs.detail(session, run, 0)
        with pytest.raises(Removed):
            runs.compare(session, [run, kept], 0)
        with pytest.raises(Removed):
            lineage.of_run(session, run, {})
        with pytest.raises(NotFound, match="there is no run 99"):
            runs.detail(session, 99, 0)
    assert Removed.http_status == 410


def test_lists_counts_and_searches_do_not_know_it_any_more(record: Record) -> None:
    run, kept = ended(record, "train:late", "failed"), ended(record, "train:late", "failed")
    third = ended(record, "train:late")
    remove(record, run)
    with record.read() as session:
        assert [view.id for view in run_list.window(session, "", "-id", 0, 10, 0).items] == [third, kept]
        assert [view.id for view in run_list.window(session, "ended", "-id", 0, 10, 0).items] == [third, kept]
        assert [view.id for view in run_list.window(session, f"ended run {run}", "-id", 0, 10, 0).items] == []
        assert run_list.window(session, "", "-id", 0, 10, 0).total == 2
        assert runs.count_by_state(session) == {"failed": 1, "succeeded": 1}
        assert runs.ends_by_state(session) == {"failed": 2, "succeeded": 1}, "a counter for Prometheus never falls"
        assert event_list.window(session, f'subject="run {run}"', 0, 10, 0).items == []
        assert event_list.window(session, f'message~"ended run {run}"', 0, 10, 0).items == []
        assert row_counts(session, 5.0, time.monotonic)["run"] == 2, "not the highest number"
        total = event_list.window(session, "", 0, 500, 0)
        assert total.total == len(total.items)


def test_the_index_of_words_is_sound_after_a_removal(record: Record) -> None:
    removed = [full(record) for _ in range(3)]
    remove(record, *removed)
    with closing(sqlite3.connect(record.home.database)) as database:
        for index in ("run_words", "event_words"):
            database.execute(f"INSERT INTO {index} ({index}, rank) VALUES ('integrity-check', 1)")


def test_no_number_is_given_out_twice(record: Record) -> None:
    run = ended(record, "train:late")
    remove(record, run)
    assert queued(record, "train:late") == [run + 1]


def test_a_table_says_who_made_it_though_that_is_gone(record: Record, clock: HandClock) -> None:
    made, later = ended(record, "etl:flights"), ended(record, "etl:flights")
    put_table(record, made, "flights", 0)
    passed = CheckFacts(
        name="id", kind="not_null", severity="fail", outcome="pass", failing=0, total=2, allowed=0.0, detail="none"
    )
    with record.transaction() as tx:
        datasets.add_checks(tx, made, "flights", 0, [passed])
    put_table(record, later, "flights", 1)
    clock.forward(DAY_S)
    remove(record, made)
    with record.read() as session:
        assert datasets.get_version(session, "flights", 0).run == made
        assert [check.run for check in datasets.checks_of(session, "flights", 0)] == [made]
        graph = lineage.of_dataset(session, "flights", 0, {})
    (node,) = [node for node in graph.nodes if node.kind == "run"]
    assert (node.id, node.name, node.state) == (f"run {made}", "etl:flights", "succeeded")
    assert node.detail == "removed on 2026-03-02 by retention"


def test_one_that_waited_for_it_still_says_so(record: Record) -> None:
    before, run = queued(record, "etl:flights", "train:late")
    end(record, before)
    end(record, run, "failed")
    remove(record, before)
    with record.read() as session:
        assert runs.detail(session, run, 0).depends_on == [before]
        nodes = {node.id: node.detail for node in lineage.of_run(session, run, {}).nodes}
    assert nodes[f"run {before}"] == "removed on 2026-03-01 by retention"
    with record.transaction() as tx:
        queue_again(tx, run)
    with record.read() as session:
        assert [row.id for row in queue.ready_runs(session, to_us(record._clock()))] == [run], "nothing blocks it"


def queue_again(tx: Any, run: int) -> None:
    from store import lifecycle

    lifecycle.requeue(tx, run, "ann")


def test_a_moment_of_the_past_tells_of_runs_that_are_gone(record: Record, clock: HandClock) -> None:
    (run,) = queued(record, "train:late")
    clock.forward(60)
    then = to_us(clock())
    clock.forward(60)
    end(record, run)
    remove(record, run)
    with record.read() as session:
        found = moment.moment(session, then)
        assert (found.running, found.queued, found.removed) == ([], [], 1)
        assert moment.moment(session, to_us(clock())).removed == 0


def test_a_backfill_does_not_run_a_time_again_whose_run_is_gone(record: Record, clock: HandClock) -> None:
    known = jobs_of(project())
    with record.transaction() as tx:
        definition = Definition(name="daily", job="backup", spec={"every_s": DAY_S}, catch_up="all")
        schedules.sync_schedules(tx, [definition], lambda _: to_us(clock()) // DAY * DAY)
        claimed = claim_due(tx, known)
    assert len(claimed) == 1
    end(record, claimed[0])
    remove(record, claimed[0])
    day = from_us(to_us(clock()) // DAY * DAY)
    clock.forward(DAY_S)
    request = BackfillRequest(start=day, end=clock())
    with record.read() as session:
        plan = backfill.plan(session, "daily", request, to_us(clock()))
    assert [(time.run, time.state) for time in plan.times] == [(claimed[0], "succeeded"), (None, None)]
    with record.transaction() as tx:  # as after a clock that was set back
        tx.connection.execute(text("UPDATE schedule SET next_at = :at"), {"at": to_us(day)})
        again = claim_due(tx, known)
    assert len(again) == 1, "only the time that had no run"


def test_what_was_removed_is_told_once_and_says_how_much_came_free(record: Record) -> None:
    gone = [ended(record, "train:late", "failed") for _ in range(3)]
    remove(record, *gone)
    with record.transaction() as tx:
        assert removal.tell(tx, "daemon", "because") is None, "their folders may be there yet"
        removal.settle(tx, {gone[0]: 1_000_000, gone[1]: 1_100_000})
    with record.read() as session:
        assert removal.left(session, 0, 10) == gone[2:]
    with record.transaction() as tx:
        told = removal.tell(tx, "daemon", "daemon.keep_runs is 1d")
        assert told is not None
        assert (told.runs, told.bytes) == (2, 2_100_000)
        assert removal.tell(tx, "daemon", "because") is None
    with record.read() as session:
        said = event_list.window(session, "kind=runs.removed", 0, 10, 0).items
    (one,) = said
    assert one.message == "2 old runs were removed, 2.1 MB; ended 2026-03-01; daemon.keep_runs is 1d"
    assert one.data["bytes"] == 2_100_000


def test_samples_of_the_box_are_nobodys_run(record: Record) -> None:
    with record.transaction() as tx:
        tx.connection.execute(text("INSERT INTO resource_sample (run, at, cpu_percent, rss) VALUES (0, 1, 1, 1)"))
    remove(record, full(record))
    assert rows(record, ["resource_sample"], samples.BOX) == {"resource_sample": 1}
