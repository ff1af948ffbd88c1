"""What the record knows of old runs: everything that keeps one is found, by an index."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import text

from store import alerts, comparisons, datasets, oldruns, registry, results, schedules, watching
from store.comparisons import Begun
from store.engine import Record
from store.facts import CheckFacts, DatasetFacts, TrainingSetFacts
from store.findings import Finding
from store.findings import Policy as Telling
from store.retention import Policy
from store.schedules import Definition
from store.tables import AliasEvent, Schedule
from tests.unit.record.conftest import HandClock
from tests.unit.record.old import DAY, DAY_S, end, ended, going, queued, verdicts, whys
from tests.unit.record.test_lineage import _version
from tests.unit.record.test_watching import report


def put_table(record: Record, run: int, name: str, version: int, **inputs: int) -> None:
    facts = DatasetFacts(
        dataset=name,
        kind="dataset",
        version=version,
        rows=1,
        added=1,
        bytes=1,
        columns=[],
        inputs=inputs,
        fingerprint="f",
    )
    with record.transaction() as tx:
        datasets.add_version(tx, run, facts)


def put_version(record: Record, run: int, inputs: dict[str, int], digest: str = "a" * 64) -> int:
    with record.transaction() as tx:
        return registry.add_version(tx, _version(inputs), run)


def put_alias(record: Record, version: int, before: int | None = None, alias: str = "production") -> None:
    with record.transaction() as tx:
        tx.session.add(
            AliasEvent(
                model="late",
                alias=alias,
                action="promote",
                from_version=before,
                to_version=version,
                actor="ann",
                created_at=tx.now,
            )
        )


def test_the_newest_runs_of_a_job_stay_and_older_ones_go(record: Record, clock: HandClock) -> None:
    runs = [ended(record, "monitor:late", "failed") for _ in range(5)]
    other = ended(record, "backup", "failed")
    clock.forward(31 * DAY_S)
    assert going(record, Policy(keep_us=30 * DAY, newest=2)) == runs[:3]
    assert whys(record, [other]) == ["it is one of the newest 1 of backup"]


def test_a_run_that_is_young_is_not_even_looked_at(record: Record, clock: HandClock) -> None:
    for _ in range(3):
        ended(record, "monitor:late", "failed")
    clock.forward(29 * DAY_S)
    assert verdicts(record) == {}


def test_the_last_that_ended_well_of_a_job_stays_however_many_fail_after_it(record: Record, clock: HandClock) -> None:
    first = ended(record, "etl:flights")
    second = ended(record, "etl:flights")
    nothing_to_do = ended(record, "etl:flights", "skipped")
    without_inputs = ended(record, "etl:flights", "skipped", fingerprint="")
    for _ in range(3):
        ended(record, "etl:flights", "failed")
    clock.forward(31 * DAY_S)
    found = verdicts(record)
    assert found[first].goes, "a later one did the same"
    assert whys(record, [second]) == ["it is the last good run of etl:flights"], "the last that did something"
    assert whys(record, [nothing_to_do]) == ["it is the last good run of etl:flights"], "the newest fingerprint"
    assert whys(record, [without_inputs]) == ["it is the last good run of etl:flights"], "the last that was not bad"


def test_the_last_good_run_and_the_last_run_of_each_schedule_stay(record: Record, clock: HandClock) -> None:
    nightly: dict[str, Any] = {"trigger": "schedule", "schedule": "nightly"}
    good = [ended(record, "train:late", scheduled_for=day * DAY, **nightly) for day in range(2)]
    bad = [ended(record, "train:late", "failed", scheduled_for=day * DAY, **nightly) for day in range(2, 4)]
    made_up = ended(record, "train:late", trigger="backfill", schedule="nightly", scheduled_for=DAY // 2)
    by_hand = [ended(record, "train:late") for _ in range(2)]
    clock.forward(31 * DAY_S)
    assert going(record) == [good[0], bad[0], by_hand[0]], "a backfill does not count as the schedule's last success"
    assert whys(record, [good[1], bad[1], made_up]) == [
        "it is the last good run of schedule nightly",
        "it is the last run of schedule nightly",
        "it is the last good run of schedule nightly",
    ]


def test_a_run_of_a_time_that_its_schedule_may_come_to_again_stays(record: Record, clock: HandClock) -> None:
    with record.transaction() as tx:
        schedules.sync_schedules(tx, [Definition(name="odd", job="backup", spec={"every_s": 60.0})], lambda _: 5 * DAY)
    runs = [
        ended(record, "backup", "failed", trigger="schedule", schedule="odd", scheduled_for=day * DAY)
        for day in (4, 6, 7)
    ]
    ended(record, "backup", "failed")
    clock.forward(31 * DAY_S)
    assert going(record) == runs[:1]
    assert whys(record, runs[1:2]) == ["schedule odd may come to its time again"]
    with record.read() as session:
        assert session.get(Schedule, "odd") is not None


def test_runs_that_made_versions_stay_and_those_that_made_their_data(record: Record, clock: HandClock) -> None:
    raw = [ended(record, "etl:raw") for _ in range(4)]
    flights = [ended(record, "etl:flights") for _ in range(4)]
    for version in range(4):
        put_table(record, raw[version], "raw", version)
        put_table(record, flights[version], "flights", version, raw=version)
    trained = [ended(record, "train:late") for _ in range(3)]
    for version, run in enumerate(trained):
        put_version(record, run, {"flights": version})
    put_alias(record, 2)
    for job in ("etl:raw", "etl:flights", "train:late"):
        ended(record, job)
    clock.forward(31 * DAY_S)
    assert going(record) == [raw[0], flights[0]], "late 1 is in no use; its own run stays"
    assert whys(record, [raw[1], flights[1], flights[2], flights[3], trained[0]]) == [
        "it made raw@1, from which late 2 was made",
        "it made flights@1, from which late 2 was made",
        "it made flights@2, from which late 3 was made",
        "it made flights@3, the newest",
        "it made late 1",
    ]
    put_alias(record, 3, before=2)
    assert going(record) == [raw[0], flights[0]], "one step back is late 2"
    put_alias(record, 3, before=3)
    assert going(record) == [*raw[:2], *flights[:2]]


def test_a_version_that_takes_traffic_keeps_what_it_was_made_from(record: Record, clock: HandClock) -> None:
    data = [ended(record, "etl:flights") for _ in range(5)]
    for version, run in enumerate(data):
        put_table(record, run, "flights", version)
    for version in range(4):
        put_version(record, ended(record, "train:late"), {"flights": version})
    put_alias(record, 3)
    ended(record, "etl:flights")
    clock.forward(31 * DAY_S)
    assert going(record) == data[:2], "late 3 is live, late 4 the newest"
    arm = {"version": 1, "low": 0.0, "high": 0.1, "room": 1.0}
    begun = Begun(
        model="late", kind="canary", name="", control=3, split={"treatments": [arm]}, plan={}, state={}, reason=""
    )
    with record.transaction() as tx:
        comparisons.begin(tx, begun, "ann", "a tenth")
    assert going(record) == data[1:2]
    with record.transaction() as tx:
        tx.connection.execute(text("INSERT INTO shadow VALUES ('late', 2, 1.0, 'ann', '', 0, 0)"))
    assert going(record) == []


def test_who_made_a_training_set_stays_though_another_run_made_the_version(record: Record, clock: HandClock) -> None:
    first, second = ended(record, "train:late", "failed"), ended(record, "train:late")
    facts = TrainingSetFacts(digest="a" * 64, model="late", path="p", rows=9, columns=[], inputs={}, query="q")
    with record.transaction() as tx:
        results.put_training_set(tx, first, facts)
    put_version(record, second, {})
    clock.forward(31 * DAY_S)
    assert whys(record, [first, second]) == ["it made the training set of late 1", "it made late 1"]


def test_a_report_keeps_its_run_while_something_rests_on_it(record: Record, clock: HandClock) -> None:
    runs = [ended(record, "monitor:late", "failed") for _ in range(5)]
    training = queued(record, "train:late", trigger="rule")[0]
    numbers = []
    with record.transaction() as tx:
        for run in runs[:4]:
            row = watching.put_report(tx, run, report())
            assert row is not None
            numbers.append(row.id)
        tx.finish()
        tx.connection.execute(
            text("UPDATE drift_report SET body = json_set(body, '$.retrain', json(:told)) WHERE id = :id"),
            {"told": f'{{"do": "retrain", "reason": "it drifted", "run": {training}}}', "id": numbers[1]},
        )
    _alarm(record, numbers[2], finds=True)
    clock.forward(31 * DAY_S)
    assert going(record) == runs[:1]
    assert whys(record, runs[1:4]) == [
        f"its report had the model trained again by run {training}",
        "alert 1 rests on its report",
        "its report is the last of monitor late",
    ]
    _alarm(record, numbers[2], finds=False)
    clock.forward(DAY_S)
    assert going(record) == [runs[0], runs[2]], "the alert is over"


def _alarm(record: Record, number: int | None, *, finds: bool) -> None:
    finding = Finding(kind="drift", subject="distance", severity="warning", title="it moved", reason="by 0.3")
    covered: Any = {"drift": ["distance"]}
    with record.transaction() as tx:
        found = [finding] if finds else []
        alerts.observe(tx, "monitor:late", found, tx.now, number, covered=covered, policy=Telling())


def test_the_last_that_checked_a_table_stays(record: Record, clock: HandClock) -> None:
    runs = [ended(record, "etl:flights", "failed") for _ in range(3)]
    check = CheckFacts(
        name="id",
        kind="not_null",
        severity="fail",
        outcome="fail",
        failing=1,
        total=2,
        allowed=0.0,
        detail="one is null",
    )
    with record.transaction() as tx:
        for run in runs[:2]:
            datasets.add_checks(tx, run, "flights", None, [check])
    clock.forward(31 * DAY_S)
    assert going(record) == runs[:1]
    assert whys(record, runs[1:2]) == ["it was the last to check flights"]


def test_what_another_one_waits_for_stays_and_what_was_asked_for_with_one_that_stays(
    record: Record, clock: HandClock
) -> None:
    first = queued(record, "etl:flights", "train:late")
    end(record, first[0])
    second = queued(record, "etl:flights", "train:late")
    put_table(record, end(record, second[0]), "flights", 0)
    end(record, second[1], "failed")
    for job in ("etl:flights", "train:late"):
        ended(record, job)
    clock.forward(31 * DAY_S)
    assert going(record) == []
    assert whys(record, [first[0], *second]) == [
        f"run {first[1]} waits for it",
        "it made flights@0, the newest",
        f"run {second[0]}, which it built upon, stays",
    ]
    end(record, first[1], "failed")
    clock.forward(31 * DAY_S)
    assert going(record) == first, "they are gone together"


def test_pages_go_on_where_the_one_before_ended_also_among_runs_that_ended_at_once(
    record: Record, clock: HandClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = [ended(record, "monitor:late", "failed") for _ in range(7)]
    clock.forward(31 * DAY_S)
    monkeypatch.setattr(oldruns, "PAGE", 2)
    assert going(record) == runs[:6]
    assert sorted(verdicts(record)) == runs


@pytest.mark.parametrize(
    "name", sorted(name for name in vars(oldruns) if name.startswith("_") and name.isupper() and name[1] != "E")
)
def test_no_question_looks_through_a_whole_table(record: Record, name: str) -> None:
    query = getattr(oldruns, name)
    if isinstance(query, str):
        return  # a part of others
    asked = {"runs": "[1]", "before": 0, "at": 0, "run": 0, "most": 5, "job": "j"}
    known = {key: value for key, value in asked.items() if f":{key}" in str(query)}
    with record.read() as session:
        plan = session.connection().execute(text(f"EXPLAIN QUERY PLAN {query}"), known).all()
    lines = [row[3] for row in plan]
    few = ("asked", "json_each", "alert_once")  # the last is of alerts that are open
    assert not [line for line in lines if line.startswith("SCAN") and not any(one in line for one in few)], lines
