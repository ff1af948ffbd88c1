"""What wants a person: each kind of need, what acts on it, and that one thing is told once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from daemon.api.needs import MOST, STUCK, Facts, needs
from store.wire import (
    AlertView,
    AliasView,
    CheckView,
    DatasetView,
    Fault,
    FreshnessView,
    GateView,
    NeedView,
    QueuedView,
    RunView,
    ScheduleView,
    VerdictView,
    VersionView,
)

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


def run(number: int, job: str = "etl:orders", state: str = "failed", **fields: Any) -> RunView:
    kind, _, target = job.partition(":")
    return RunView.model_validate(
        {
            "id": number,
            "job": job,
            "kind": kind,
            "target": target,
            "state": state,
            "trigger": "manual",
            "actor": "ann",
            "priority": 0,
            "pool": "default",
            "attempt": 1,
            "max_attempts": 1,
            "created_at": NOW - 2 * HOUR,
            "ended_at": NOW - HOUR,
            "rev": 1,
            **fields,
        }
    )


def schedule(**fields: Any) -> ScheduleView:
    values = {"name": "nightly", "job": "etl:orders", "spec": "every 1d", "timezone": "UTC", "overlap": "skip"}
    state = {"catch_up": "last", "enabled": True, "paused_reason": "", "broken": "", "next_at": None, "last_at": NOW}
    return ScheduleView.model_validate({**values, **state, "failures": 0, "rev": 1, **fields})


def check(outcome: str, run: int = 1, version: int | None = 0) -> CheckView:
    return CheckView.model_validate(
        {
            "dataset": "orders",
            "version": version,
            "run": run,
            "check": "not_null(id)",
            "kind": "not_null",
            "severity": "fail",
            "outcome": outcome,
            "failing": 1,
            "total": 9,
            "share": 0.1,
            "allowed": 0.0,
            "detail": "1 of 9 rows have no id",
            "sample": [],
            "at": NOW,
        }
    )


def table(name: str = "orders", made_from: tuple[str, ...] = (), *, stale: bool = True) -> DatasetView:
    fresh = FreshnessView(
        basis="check", allowed_seconds=86_400, age_seconds=90_000, stale=stale, reason="its newest row is 25 hours old"
    )
    return DatasetView(
        name=name,
        kind="dataset",
        made_from=list(made_from),
        version=1,
        rows=1,
        bytes=1,
        updated_at=NOW,
        newest=NOW,
        checks={},
        rev=1,
        freshness=fresh,
    )


def queued(number: int, minutes: float, wait: str = "room") -> QueuedView:
    view = run(number, state="queued")
    return QueuedView.model_validate(
        {
            "place": number,
            "run": view,
            "wait": wait,
            "why": "pool default is full (2 of 2)",
            "waited_seconds": minutes * 60,
        }
    )


def version(number: int, *, passed: bool) -> VersionView:
    gate = GateView(gate="gap", outcome="pass" if passed else "fail", reason="")
    return VersionView(
        model="late",
        version=number,
        run=number,
        digest="d",
        created_at=NOW,
        objective="auc",
        metrics={},
        baseline={},
        verdict=VerdictView(passed=passed, gates=[gate], at=NOW),
        aliases=[],
        rev=1,
    )


def live(number: int) -> AliasView:
    return AliasView(model="late", alias="production", version=number, since=NOW, actor="ann", reason="")


def found(**fields: Any) -> list[NeedView]:
    return needs(Facts(now=NOW, **fields))


def only(**fields: Any) -> NeedView:
    (need,) = found(**fields)
    return need


def test_nothing_wants_a_person_where_all_is_well() -> None:
    well = found(
        last=[run(1, state="succeeded"), run(2, state="upstream_failed")],
        schedules=[schedule(), schedule(enabled=False, paused_reason="by ann")],
        tables=[table(stale=False)],
        checks=[check("pass")],
        queue=[queued(3, 5), queued(4, 90, "upstream"), queued(5, 90, "time"), queued(6, 90, "line")],
        newest=[version(2, passed=True)],
        production=[live(2)],
        free=10**10,
        min_free=10**9,
    )
    assert well == []


def test_trouble_of_endpoints_is_told_with_the_command_that_shows_them() -> None:
    (need,) = needs(Facts(now=NOW, endpoints="late 4 cannot be served: the golden rows do not come back"))
    assert (need.severity, need.command) == ("fail", "trainshed endpoints")
    assert "golden rows" in need.message


def test_a_failed_run_is_opened() -> None:
    need = only(last=[run(7, fault=Fault(code="SourceDenied", what="wrong password"))])
    assert (need.severity, need.action, need.at) == ("fail", "look", NOW - HOUR)
    assert (need.target.kind, need.target.name, need.target.number) == ("run", "etl:orders", 7)
    assert (need.message, need.command) == ("etl:orders failed: wrong password", "trainshed runs show 7")


def test_a_silent_run_is_opened() -> None:
    need = only(last=[run(7, state="running", stalled=True)])
    assert (need.severity, need.action, need.target.number) == ("warn", "look", 7)


def test_broken_checks_are_told_once_for_a_table() -> None:
    need = only(checks=[check("warn"), check("fail"), check("pass")])
    assert (need.severity, need.action, need.command) == ("fail", "look", "trainshed data checks orders")
    assert (need.target.kind, need.target.name) == ("dataset", "orders")
    assert need.message.count("1 of 9 rows") == 2


def test_checks_that_failed_a_run_are_told_by_the_run() -> None:
    assert [need.subject for need in found(last=[run(7)], checks=[check("fail", run=7, version=None)])] == ["run 7"]


def test_stale_data_are_fetched_anew_at_their_root() -> None:
    need = only(tables=[table("orders", ("orders",)), table("shaped", ("orders",))])
    assert (need.severity, need.action, need.target.kind, need.target.name) == ("warn", "run", "job", "etl:orders")
    assert need.command == "trainshed run etl:orders --upstream"
    assert need.at == NOW - HOUR, "since then it is stale"
    assert [n.subject for n in found(tables=[table()], last=[run(7)])] == ["run 7"], "its run failed, and is told"
    found_old = check("warn").model_copy(update={"kind": "freshness"})
    assert [n.target.kind for n in found(tables=[table()], checks=[found_old])] == ["dataset"], "its check says so"


def test_a_stuck_queue_is_told_with_its_reason() -> None:
    minutes = STUCK.total_seconds() / 60
    need = only(queue=[queued(1, minutes + 5), queued(2, minutes + 15), queued(3, minutes - 5)])
    assert (need.severity, need.action, need.target.kind) == ("warn", "look", "queue")
    assert need.message == "run 2 (etl:orders) has waited for 45 minutes, and 1 more: pool default is full (2 of 2)"


def test_a_disk_that_is_getting_full_is_told_before_it_is() -> None:
    need = only(free=15 * 10**8, min_free=10**9)
    assert (need.severity, need.target.kind, "1.5 GB free" in need.message) == ("warn", "daemon", True)
    need = only(free=5 * 10**8, min_free=10**9, degraded="the disk has 0.50 GB free")
    assert (need.severity, need.action, need.command) == ("fail", "doctor", "trainshed doctor")


def test_a_schedule_that_gave_up_is_resumed_and_a_broken_one_is_mended() -> None:
    paused = only(schedules=[schedule(enabled=False, failures=3, paused_reason="3 runs in a row did not succeed")])
    assert (paused.action, paused.command) == ("resume", "trainshed schedules resume nightly")
    assert (paused.target.kind, paused.target.name) == ("schedule", "nightly")
    broken = only(schedules=[schedule(broken="the project has no job etl:orders")])
    assert (broken.severity, broken.action) == ("fail", "check")


def test_a_candidate_that_passed_waits_for_a_plan() -> None:
    need = only(newest=[version(3, passed=True)], production=[live(2)])
    assert (need.severity, need.action, need.command) == ("note", "plan", "trainshed plan late 3")
    assert (need.target.kind, need.target.name, need.target.number) == ("version", "late", 3)


def test_a_candidate_that_was_refused_names_its_gates() -> None:
    need = only(newest=[version(3, passed=False)], production=[live(2)])
    assert (need.severity, need.action, need.message) == (
        "warn",
        "look",
        "version 3 of late was refused by its gates: gap",
    )


def test_what_was_taken_back_or_is_older_than_production_wants_nobody() -> None:
    assert found(newest=[version(3, passed=False)], was_live={("late", 3)}) == []
    assert found(newest=[version(3, passed=True)], production=[live(4)]) == []


def test_the_worst_comes_first_then_the_newest() -> None:
    told = found(
        degraded="draining",
        last=[run(1, "etl:a", ended_at=NOW - 3 * HOUR), run(2, "etl:b", ended_at=NOW - HOUR)],
        tables=[table()],
        newest=[version(1, passed=True)],
    )
    assert [need.subject for need in told] == ["daemon", "run 2", "run 1", "orders", "late 1"]


def test_one_thing_is_told_once_and_no_more_than_anybody_reads() -> None:
    runs = [run(number, f"etl:d{number}") for number in range(MOST + 20)]
    assert len(found(last=[*runs, *runs])) == MOST
    assert len(found(last=[run(1), run(1)])) == 1


@pytest.mark.parametrize("severity", ["fail", "warn"])
def test_every_need_says_what_a_program_can_do(severity: str) -> None:
    told = found(last=[run(1)], checks=[check(severity)], queue=[queued(2, 90)], tables=[table("b")])
    assert all(need.command.startswith("trainshed ") and need.action and need.target.kind for need in told)


def test_what_somebody_put_forward_waits_though_it_was_live_before_until_it_is_live_again() -> None:
    put = AliasView(model="late", alias="candidate", version=2, since=NOW, actor="ann", reason="better in May")
    live = AliasView(model="late", alias="production", version=1, since=NOW, actor="ann", reason="")
    facts = Facts(now=NOW, candidates=[put], production=[live], was_live={("late", 1), ("late", 2)})
    (need,) = needs(facts)
    assert need.message == "version 2 waits as candidate: better in May"
    assert (need.action, need.command) == ("plan", "trainshed plan late 2")
    again = live.model_copy(update={"version": 2})
    assert needs(Facts(now=NOW, candidates=[put], production=[again])) == []


def alert(number: int, title: str, **fields: Any) -> AlertView:
    empty = dict.fromkeys(
        ("report", "acknowledged_at", "acknowledged_by", "resolved_at", "resolved_by"),
    )
    words = {"note": "", "why": "", "suggestion": "", "reason": "PSI 0.4 where 0.2 counts", "subject": title}
    known = {"source": "monitor:late", "kind": "drift", "model": "late", "severity": "warning", "state": "open"}
    times = {"opened_at": NOW - HOUR, "seen_at": NOW, "seen": 1, "reopened": 0, "evidence": {}, "rev": 1}
    return AlertView.model_validate({**empty, **words, **known, **times, "id": number, "title": title, **fields})


def test_an_alert_is_acknowledged_by_its_key() -> None:
    (only,) = needs(Facts(now=NOW, alerts=[alert(7, "temp has drifted")]))
    assert (only.subject, only.severity, only.action, only.target.number) == ("alert 7", "warn", "acknowledge", 7)
    assert only.command == "trainshed alerts ack 7"


def test_many_alerts_of_one_look_are_one_need_that_names_the_first() -> None:
    moved = [alert(n, f"{name} has drifted") for n, name in ((9, "dewp"), (8, "temp"), (11, "visib"), (12, "wind"))]
    worse = alert(10, "auc has fallen", kind="performance", severity="critical")
    first, second = needs(Facts(now=NOW, alerts=[*moved, worse]))
    assert first.message.startswith("auc has fallen")
    assert second.message == "4 alerts: temp has drifted, dewp has drifted, visib has drifted and 1 more"
    assert (second.action, second.command) == ("look", "trainshed alerts list --model late")


def test_an_alert_that_somebody_knows_of_needs_nobody() -> None:
    known = alert(8, "temp has drifted", acknowledged_at=NOW - HOUR, acknowledged_by="ann", state="acknowledged")
    assert needs(Facts(now=NOW, alerts=[known])) == []
