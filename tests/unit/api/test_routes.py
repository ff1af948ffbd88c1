from __future__ import annotations

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from daemon.core import Daemon
from store import datasets, lifecycle, metrics, queue, registry, schedules
from store.facts import CheckFacts, ColumnFacts, DatasetFacts, VersionFacts
from store.queue import NewRun
from store.times import SECOND
from store.wire import MOST_CHANGES, Problem, PromoteRequest, RollbackRequest, RunRequest, RunView
from tui.client import Client
from tui.failure import ClientError, NoDaemon


def run_of(client: Client, job: str = "train:late") -> int:
    return client.submit(RunRequest(job=job)).id


def version_facts(value: float, *, passed: bool = True) -> VersionFacts:
    gate = {
        "gate": "beats_baseline",
        "outcome": "pass" if passed else "fail",
        "reason": "it is better" if passed else "it is worse",
        "value": value,
        "limit": 0.7,
    }
    return VersionFacts(
        model="late",
        digest=f"{value}".replace(".", "a"),
        path="versions/x",
        task="binary",
        objective="auc",
        metrics={"auc": {"value": value, "low": value - 0.01, "high": value + 0.01, "level": 0.95}},
        baseline={"auc": 0.7},
        evidence={},
        signature={"inputs": []},
        lineage={"run": 1},
        verdict={"passed": passed, "gates": [gate]},
        training_set="set",
        fingerprint="print",
    )


def add_version(daemon: Daemon, client: Client, value: float, *, passed: bool = True) -> int:
    run = run_of(client)
    with daemon.record.transaction() as tx:
        return registry.add_version(tx, version_facts(value, passed=passed), run)


def dataset_facts(version: int) -> DatasetFacts:
    return DatasetFacts(
        dataset="orders",
        kind="dataset",
        version=version,
        rows=10 + version,
        added=1,
        bytes=1000,
        columns=[ColumnFacts(name="id", type="int64")],
        fingerprint="f",
        sample=[{"id": 1}],
    )


# ------------------------------------------------------------------------------------------------------- the shed


@pytest.mark.slow
def test_the_status_names_the_shed_and_what_it_does(client: Client) -> None:
    run = run_of(client)
    status = client.status()
    assert (status.project, status.version) == ("shop", "0.1.0")
    assert [waiting.id for waiting in status.waiting] == [run]
    assert status.runs == {"queued": 1}
    assert status.rev == client.changes(0).rev


def test_jobs_come_in_the_order_of_the_work(client: Client) -> None:
    names = [job.name for job in client.jobs()]
    assert names == ["etl:orders", "features:habits", "train:late", "evaluate:late", "backup"]


@pytest.mark.slow
def test_the_schema_of_the_api_is_told(http: httpx.Client) -> None:
    schema = http.get("/openapi.json").json()
    assert schema["info"]["title"] == "Trainshed"
    promote = schema["paths"]["/v1/models/{model}/promote"]["post"]
    assert "Problem" in str(promote["responses"]["4XX"])
    operations = [one["operationId"] for path in schema["paths"].values() for one in path.values()]
    assert len(operations) == len(set(operations))


def test_an_edited_project_is_read_again_and_a_broken_one_is_refused(client: Client, project: Path) -> None:
    file = project / "trainshed.toml"
    good = file.read_text()
    file.write_text(good + '\n[datasets.more]\nsource = "orders"\n')
    client.reload()
    assert "etl:more" in [job.name for job in client.jobs()]
    file.write_text(good + "\n[colour]\n")
    with pytest.raises(ClientError, match="unknown key 'colour'"):
        client.reload()
    assert "etl:more" in [job.name for job in client.jobs()]
    told = [event for event in client.events(limit=9).items if event.kind in ("project.reloaded", "project.broken")]
    assert {event.kind for event in told} == {"project.reloaded", "project.broken"}
    assert "daemon" not in {event.actor for event in told}


def test_of_two_reloads_at_once_what_was_written_last_stays_in_force(daemon: Daemon, project: Path) -> None:
    """The race: the first has read the file, the second reads a newer one and is done, then the first one goes on."""
    file = project / "trainshed.toml"
    text = file.read_text(encoding="utf-8")
    newer = project / "newer.toml"
    newer.write_text(text.replace('"shop"', '"newer"'), encoding="utf-8")
    file.unlink()
    os.mkfifo(file)
    reloads = [threading.Thread(target=daemon.reload, args=("ann",)) for _ in range(2)]
    reloads[0].start()
    with file.open("w", encoding="utf-8") as slow:  # opens once the first one reads
        newer.rename(file)
        reloads[1].start()
        reloads[1].join(0.5)
        slow.write(text.replace('"shop"', '"older"'))
    for reload in reloads:
        reload.join(10)
        assert not reload.is_alive()
    assert daemon.project.project.name == "newer"


def test_a_shutdown_is_handed_on_as_it_was_asked(client: Client, stops: list[bool]) -> None:
    client.shutdown(drain=True)
    client.shutdown()
    assert stops == [True, False]


def test_the_history_can_be_read_as_it_stood(client: Client) -> None:
    run_of(client, "backup")
    assert client.events(subject="run 1").items
    assert client.events(at=datetime(2020, 1, 1, tzinfo=UTC)).items == []


def test_the_shed_can_be_seen_as_it_stood(client: Client, daemon: Daemon) -> None:
    add_version(daemon, client, 0.8)
    client.promote("late", PromoteRequest(version=1, reason="the first"))
    then = client.moment(datetime.now(UTC))
    assert [(a.alias, a.version, a.reason) for a in then.aliases] == [("production", 1, "the first")]
    assert [(run.job, run.state) for run in then.queued] == [("train:late", "queued")]
    before = client.moment(datetime(2020, 1, 1, tzinfo=UTC))
    assert (before.aliases, before.running, before.queued) == ([], [], [])


# --------------------------------------------------------------------------------------------------------- faults


def test_an_error_of_ours_is_a_problem_with_its_remedy(client: Client) -> None:
    with pytest.raises(ClientError, match="no job 'train:lat'") as refused:
        client.submit(RunRequest(job="train:lat"))
    assert refused.value.code == "NotFound"
    assert "trainshed check" in refused.value.remedy


FAULTS: list[tuple[str, str, object, int, str]] = [
    ("GET", "/v1/nothing", None, 404, "NoSuchRoute"),
    ("DELETE", "/v1/runs", None, 405, "NotAllowed"),
    ("POST", "/v1/runs", {"job": "backup", "colour": "red"}, 422, "InvalidRequest"),
    ("POST", "/v1/runs", {}, 422, "InvalidRequest"),
    ("GET", "/v1/runs?limit=0", None, 422, "InvalidRequest"),
    ("GET", "/v1/runs?after=nonsense", None, 409, "Refused"),
    ("GET", "/v1/runs/99", None, 404, "NotFound"),
    ("GET", "/v1/runs/99/logs/stdout", None, 404, "NotFound"),
    ("GET", "/v1/runs/99/metrics", None, 404, "NotFound"),
    ("GET", "/v1/runs/1/logs/passwd", None, 422, "InvalidRequest"),
    ("GET", "/v1/datasets/nothing", None, 404, "NotFound"),
    ("GET", "/v1/datasets/..%2f..%2fetc", None, 404, "NoSuchRoute"),
    ("GET", "/v1/datasets/..", None, 404, "NoSuchRoute"),
    ("GET", "/v1/datasets/Orders", None, 422, "InvalidRequest"),
    ("GET", "/v1/models/nothing/versions", None, 404, "NotFound"),
    ("GET", "/v1/models/late/versions/1/plan", None, 404, "NotFound"),
    ("POST", "/v1/schedules/nothing/pause", None, 404, "NotFound"),
    ("GET", "/v1/events?at=2026-01-01T00:00:00", None, 422, "InvalidRequest"),
    # What no record can hold is the caller's error, not ours.
    ("GET", "/v1/runs/100000000000000000000", None, 422, "InvalidRequest"),
    ("GET", "/v1/changes?since=100000000000000000000", None, 422, "InvalidRequest"),
    ("POST", "/v1/runs", {"job": "backup", "priority": 10**20}, 422, "InvalidRequest"),
    ("GET", "/v1/at?time=9999-12-31T23:59:59-12:00", None, 422, "InvalidRequest"),
]


@pytest.mark.slow
def test_every_fault_is_a_problem_with_a_remedy(http: httpx.Client) -> None:
    for method, path, body, status, code in FAULTS:
        answer = http.request(method, path, json=body)
        problem = Problem.model_validate_json(answer.content)
        assert answer.headers["content-type"] == "application/problem+json"
        assert (path, answer.status_code, problem.status, problem.code) == (path, status, status, code)
        assert problem.remedy


# ----------------------------------------------------------------------------------------------------------- runs


def test_runs_are_paged_from_the_newest(client: Client) -> None:
    for _ in range(5):
        run_of(client, "backup")
    first = client.runs(limit=2)
    second = client.runs(limit=2, after=first.next)
    last = client.runs(limit=2, after=second.next)
    assert [run.id for page in (first, second, last) for run in page.items] == [5, 4, 3, 2, 1]
    assert last.next is None


def test_runs_are_filtered_by_state_and_job(client: Client) -> None:
    run_of(client, "backup")
    run_of(client, "etl:orders")
    client.cancel(1)
    assert [run.id for run in client.runs(state="cancelled").items] == [1]
    assert [run.id for run in client.runs(job="etl:orders").items] == [2]


def test_upstream_runs_are_asked_for_with_the_run(client: Client) -> None:
    client.submit(RunRequest(job="train:late", upstream=True, params={"training.epochs": 3}))
    assert [run.job for run in client.runs().items] == ["train:late", "etl:orders"]
    assert client.run(2).params == {"training.epochs": 3}
    assert client.run(2).depends_on == [1]


def test_a_queued_run_is_cancelled_and_queued_again(client: Client) -> None:
    run = run_of(client)
    assert client.cancel(run).state == "cancelled"
    with pytest.raises(ClientError):
        client.cancel(run)
    assert client.retry(run).state == "queued"


def test_curves_are_thinned_and_compared(client: Client, daemon: Daemon) -> None:
    runs = [run_of(client), run_of(client)]
    steps = list(range(1000))
    with daemon.record.transaction() as tx:
        for run in runs:
            values = {"train/loss": [float(step * run) for step in steps]}
            metrics.add_points(tx, [metrics.Chunk(run, tx.now, steps, values)])
    curve = client.metric(runs[0], "train/loss", points=50)
    assert len(curve.points) <= 50
    assert (curve.points[0].step, curve.points[-1].step) == (0, 999)
    assert client.compare(runs).metrics == {"train/loss": [999.0, 1998.0]}


def test_a_log_is_read_by_offset_and_followed_to_its_end(client: Client, daemon: Daemon) -> None:
    run = run_of(client)
    with daemon.record.transaction() as tx:
        lifecycle.start_attempt(tx, run, "nonce")
    folder = daemon.home.attempt(run, 1)
    folder.root.mkdir(parents=True)
    folder.stdout.write_bytes(b"first\n")
    assert client.log(run, "stdout").text == "first\n"
    assert client.log(run, "stderr").text == ""

    def work() -> None:
        time.sleep(0.3)
        with folder.stdout.open("ab") as log:
            log.write("zweite Zeile: ä\n".encode())
        with daemon.record.transaction() as tx:
            lifecycle.mark_running(tx, run, 1)
            lifecycle.settle(tx, run, "failed", reason="over")

    working = threading.Thread(target=work)
    working.start()
    assert "".join(piece.text for piece in client.follow(run, "stdout")) == "first\nzweite Zeile: ä\n"
    working.join()


# -------------------------------------------------------------------------------------------------------- changes


def test_a_revision_of_another_history_is_answered_with_everything_at_once(client: Client) -> None:
    """Who asked with the revision of before a restore heard nothing, until as much had happened again."""
    client.submit(RunRequest(job="backup"))
    assert [run.job for run in client.changes(1_000_000, wait=20).runs] == ["backup"]


def test_who_waits_for_changes_is_woken_by_one(client: Client) -> None:
    since = client.status().rev
    asking = threading.Timer(0.3, lambda: run_of(client, "backup"))
    asking.start()
    began = time.monotonic()
    changes = client.changes(since, wait=10)
    assert time.monotonic() - began < 5
    assert [run.job for run in changes.runs] == ["backup"]
    assert changes.rev > since
    asking.join()


def test_without_news_the_answer_is_empty_and_comes_in_time(client: Client) -> None:
    since = client.status().rev
    began = time.monotonic()
    changes = client.changes(since, wait=0.5)
    assert 0.4 < time.monotonic() - began < 3
    assert (changes.runs, changes.events, changes.rev) == ([], [], since)


@pytest.mark.slow
def test_waiting_for_a_run_sees_each_of_its_states(client: Client) -> None:
    run = run_of(client, "backup")
    seen: list[str] = []
    cancelling = threading.Timer(0.3, lambda: client.cancel(run))
    cancelling.start()
    ended = client.wait_for(run, lambda changed: seen.extend(view.state for view in changed))
    cancelling.join()
    assert ended.state == "cancelled"
    assert seen == ["cancelled"]


@pytest.mark.slow
def test_a_run_that_ends_with_many_others_is_not_waited_for_for_ever(client: Client, daemon: Daemon) -> None:
    """Changes name the newest only, and it was not among them."""
    run = run_of(client, "backup")
    ended: list[RunView] = []
    waiting = threading.Thread(target=lambda: ended.append(client.wait_for(run)), daemon=True)
    waiting.start()
    time.sleep(0.3)
    new = NewRun(job="backup", kind="backup", target="", trigger="manual", actor="ann")
    with daemon.record.transaction() as tx:
        queue.submit_all(tx, [[new]] * (MOST_CHANGES + 1))
        lifecycle.request_cancel(tx, run, "ann")
    waiting.join(5)
    assert [view.state for view in ended] == ["cancelled"]


@pytest.mark.slow
def test_many_watchers_leave_room_for_commands(client: Client) -> None:
    since = client.status().rev
    watchers = [threading.Thread(target=lambda: client.changes(since, wait=20)) for _ in range(60)]
    for watcher in watchers:
        watcher.start()
    time.sleep(0.5)
    began = time.monotonic()
    run_of(client, "backup")
    assert time.monotonic() - began < 5
    for watcher in watchers:
        watcher.join(10)
        assert not watcher.is_alive()


# ----------------------------------------------------------------------------------------------------------- data


def test_a_dataset_shows_its_versions_and_checks(client: Client, daemon: Daemon) -> None:
    run = run_of(client, "etl:orders")
    check = CheckFacts(
        name="unique", kind="unique", severity="fail", outcome="pass", failing=0, total=10, allowed=0, detail="fine"
    )
    with daemon.record.transaction() as tx:
        for version in (0, 1):
            datasets.add_version(tx, run, dataset_facts(version))
        datasets.add_checks(tx, run, "orders", 1, [check])
    assert [(d.name, d.kind, d.version) for d in client.datasets()] == [
        ("orders", "dataset", 1),
        ("habits", "feature view", None),
    ]
    detail = client.dataset("orders")
    assert detail.latest is not None
    assert (detail.latest.rows, detail.sample) == (11, [{"id": 1}])
    earlier = client.dataset("orders", 0)
    assert earlier.latest is not None
    assert (earlier.latest.version, earlier.latest.rows, earlier.checks) == (0, 10, [])
    with pytest.raises(ClientError, match="there is no orders@7"):
        client.dataset("orders", 7)
    assert [v.version for v in client.dataset_versions("orders").items] == [1, 0]
    assert [c.check for c in client.checks("orders")] == ["unique"]
    assert [c.check for c in client.checks("orders", history=True)] == ["unique"]
    assert client.dataset("habits").latest is None


def test_feature_views_tell_entity_time_and_how_long_a_value_holds(client: Client) -> None:
    (view,) = client.features()
    assert (view.name, view.entity, view.time, view.ttl_seconds) == ("habits", ["customer"], "at", 2 * 86_400)


# --------------------------------------------------------------------------------------------------------- models


def test_a_version_is_planned_promoted_and_rolled_back(client: Client, daemon: Daemon) -> None:
    first, second = (add_version(daemon, client, value) for value in (0.75, 0.77))
    (model,) = client.models()
    assert (model.versions, model.latest, model.aliases) == (2, second, {})
    plan = client.plan("late", first)
    moved = client.promote("late", PromoteRequest(version=first, token=plan.token, reason="the first"))
    assert (moved.from_version, moved.to_version, moved.reason) == (None, first, "the first")
    client.promote("late", PromoteRequest(version=second))
    assert client.version("late", second).version.aliases == ["production"]
    back = client.rollback_plan("late")
    assert (back.from_version, back.to_version) == (second, first)
    undone = client.rollback("late", RollbackRequest(to=back.to_version, expected=back.from_version, reason="slow"))
    assert (undone.action, undone.to_version) == ("rollback", first)
    assert [move.action for move in client.alias_history("late")] == ["rollback", "promote", "promote"]


def test_a_plan_that_was_overtaken_is_refused(client: Client, daemon: Daemon) -> None:
    first, second = (add_version(daemon, client, value) for value in (0.75, 0.77))
    stale = client.plan("late", first)
    client.promote("late", PromoteRequest(version=second))
    with pytest.raises(ClientError, match="moved after the plan was made") as refused:
        client.promote("late", PromoteRequest(version=first, token=stale.token))
    assert refused.value.code == "Conflict"


def test_a_version_that_fails_its_gates_needs_an_override_with_a_reason(client: Client, daemon: Daemon) -> None:
    version = add_version(daemon, client, 0.6, passed=False)
    for request in (PromoteRequest(version=version), PromoteRequest(version=version, override=True)):
        with pytest.raises(ClientError) as refused:
            client.promote("late", request)
        assert refused.value.code == "GateRefused"
    moved = client.promote("late", PromoteRequest(version=version, override=True, reason="known fault"))
    assert moved.overridden


def test_a_version_that_passed_and_waits_wants_a_person(client: Client, daemon: Daemon) -> None:
    version = add_version(daemon, client, 0.75)
    assert [need.command for need in client.status().needs_you] == [f"trainshed plan late {version}"]
    client.promote("late", PromoteRequest(version=version))
    assert client.status().needs_you == []


def test_a_version_that_was_taken_back_wants_nobody(client: Client, daemon: Daemon) -> None:
    for value in (0.75, 0.76):
        version = add_version(daemon, client, value)
        client.promote("late", PromoteRequest(version=version, override=True, reason="for the test"))
    client.rollback("late", RollbackRequest())
    assert client.status().needs_you == []


# ------------------------------------------------------------------------------------------------------ schedules


def test_a_schedule_is_paused_with_a_reason_and_goes_on_from_now(client: Client, daemon: Daemon) -> None:
    definition = schedules.Definition(
        name="nightly", job="train:late", spec={"cron": "30 2 * * *"}, timezone="Europe/Berlin"
    )
    with daemon.record.transaction() as tx:
        schedules.sync_schedules(tx, [definition], lambda _: tx.now + SECOND)
    paused = client.pause("nightly", reason="the source moves house")
    assert (paused.enabled, paused.paused_reason) == (False, "the source moves house")
    resumed = client.resume("nightly")
    assert resumed.enabled
    assert resumed.next_at is not None
    assert timedelta(0) < resumed.next_at - datetime.now(UTC) < timedelta(days=1, hours=1)
    times = client.next_times("nightly", count=3).times
    assert len(times) == 3
    assert all("T02:30:00+0" in time for time in times)


def test_without_a_daemon_the_client_says_how_to_start_one(tmp_path: Path) -> None:
    with Client(tmp_path / "trainshed.sock") as client, pytest.raises(NoDaemon) as failed:
        client.status()
    assert failed.value.exit_code == 3
    assert "trainshed up" in failed.value.remedy
