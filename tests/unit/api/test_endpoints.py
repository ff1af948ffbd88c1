"""Endpoints over the API while nothing is served: off by default, on when asked, and aliases move as before."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from daemon.core import Daemon
from daemon.endpoints import Endpoints
from daemon.routes import settings_of, wanted_routes
from daemon.servingview import endpoint_view
from pipeline.config.load import load_project
from pipeline.config.serving import ServingSection
from pipeline.serving.histogram import ROWS, SECONDS, Histogram
from store import events, registry, servingsamples
from store.engine import Record
from store.home import Home
from store.routing import Arm, Route
from store.servingsamples import Counted
from store.tables import Run
from store.times import system_clock
from store.wire import PromoteRequest
from tests.unit.registry.shelf import Shelf, facts
from tui.client import Client
from tui.failure import ClientError


def test_endpoints_are_off_unless_the_project_asks_for_them(client: Client) -> None:
    view = client.endpoints()
    assert (view.wanted, view.running, view.url, view.endpoints, view.workers) == (False, False, None, [], [])


def test_an_operators_word_goes_before_the_project_file_until_it_is_taken_back(client: Client, daemon: Daemon) -> None:
    client.switch_endpoints(True)
    assert daemon.endpoints.wish.wanted
    assert client.endpoints().asked_by is not None
    client.switch_endpoints(False)
    assert not client.endpoints().wanted
    client.switch_endpoints(None)
    assert client.endpoints().asked_by is None
    kinds = [event.kind for event in client.events().items]
    assert kinds.count("endpoints.asked") == 3


def test_where_nothing_is_served_an_alias_moves_at_once(client: Client, daemon: Daemon) -> None:
    shelve(daemon.record)
    moved = client.promote("late", PromoteRequest(version=1, override=True, reason="the first"))
    assert moved.to_version == 1
    assert moved.served is None


def test_where_something_is_to_be_served_and_nobody_is_there_a_promotion_waits(
    client: Client, daemon: Daemon, http: httpx.Client
) -> None:
    shelve(daemon.record)
    client.switch_endpoints(True)
    refused = http.post("/v1/models/late/promote", json={"version": 1, "override": True, "reason": "the first"})
    assert refused.status_code == 503
    assert refused.json()["code"] == "NotServed"
    assert "the serving process is not there" in refused.json()["detail"]
    assert client.alias_history("late") == []


_HALTED = """
import fcntl, json, os, socket, sys
lock = open(sys.argv[1] + "/lock", "w")
fcntl.flock(lock, fcntl.LOCK_EX)
control = socket.socket(socket.AF_UNIX)
control.bind(sys.argv[1] + "/control.sock")
control.listen()
print("there", flush=True)
while True:
    connection, _ = control.accept()
    said = b""
    while said.count(b"\\n") < 2:
        said += connection.recv(4096)
    connection.sendall(json.dumps({"answer": {"pid": os.getpid(), "workers": []}}).encode() + b"\\n")
    connection.close()
"""


@pytest.fixture
def halted(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds the lock of a home's serving, answers, and does not do as it is told."""
    folder = Home(tmp_path / "home").serving.root
    folder.mkdir(parents=True)
    process = subprocess.Popen([sys.executable, "-c", _HALTED, str(folder)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "there\n"
    yield process
    process.kill()
    process.communicate()


@pytest.mark.slow
def test_a_supervisor_that_does_not_end_is_not_told_to_have_stopped(
    tmp_path: Path, halted: subprocess.Popen[str]
) -> None:
    (tmp_path / "trainshed.toml").write_text('[project]\nname = "p"\n[serving]\ndrain = "1s"\n')
    project = load_project(tmp_path)
    record = Record.open(Home(tmp_path / "home"), system_clock)
    endpoints = Endpoints(record, lambda: project, lambda: None)

    def told() -> list[str]:
        with record.read() as session:
            return [event.kind for event in events.list_events(session, kind="endpoints").items]

    endpoints.start()
    _until(lambda: bool(told()), 15)
    assert told() == ["endpoints.trouble"]
    assert endpoints.problem is not None
    assert f"(pid {halted.pid}) was told to stop and has not ended" in endpoints.problem
    endpoints.wake()  # it is not told, nor waited for, again and again
    halted.kill()
    halted.wait()
    _until(lambda: len(told()) > 1, 5)
    assert told() == ["endpoints.stopped", "endpoints.trouble"]
    assert not endpoints.problem
    endpoints.stop()
    record.close()


def _until(holds: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_on_a_disk_without_room_the_word_of_the_operator_before_stays(client: Client, daemon: Daemon) -> None:
    client.switch_endpoints(False)
    daemon.home.serving.asked.with_name("asked.json.new").mkdir()  # whatever hinders the write
    with pytest.raises(ClientError, match="it cannot be written"):
        client.switch_endpoints(True)
    assert client.endpoints().asked_by is not None
    assert not client.endpoints().wanted


def test_a_plan_says_what_becomes_of_the_endpoint_if_there_is_one(client: Client, daemon: Daemon) -> None:
    shelve(daemon.record)
    assert not any("endpoint" in effect for effect in client.plan("late", 1).effects)
    client.switch_endpoints(True)
    assert "its endpoint answers with version 1 once every process has loaded it" in client.plan("late", 1).effects[-1]


def test_what_was_counted_is_told_over_time_and_of_one_model_alone(client: Client, daemon: Daemon) -> None:
    late = Counted(model="late", version=1, seconds=10.0, requests=50, rows=50, runs=25, latency=((8, 50),))
    rain = Counted(model="rain", version=3, seconds=10.0, requests=10, errors=10)
    with daemon.record.transaction() as tx:
        servingsamples.add(tx, [late, rain])
    series = client.endpoint_history("late").series
    assert [(one.model, one.version) for one in series] == [("late", 1)]
    assert series[0].lately is not None
    assert (series[0].lately.requests, series[0].lately.batch_rows) == (50, 2.0)
    assert [(one.model, one.version) for one in client.endpoint_history().series] == [("late", 1), ("rain", 3)]
    assert client.endpoint_history(at=daemon.clock() - timedelta(hours=1)).series == []


def shelve(record: Record) -> None:
    with record.transaction() as tx:
        run = Run(job="train:late", kind="train", target="late", trigger="manual", actor="anna", created_at=tx.now)
        tx.session.add(run)
        tx.session.flush()
        registry.add_version(tx, facts(), run.id or 0)


def test_routes_follow_from_the_moves_of_production_and_keep_the_version_before(tmp_path: Path) -> None:
    shelf = Shelf(Home(tmp_path))
    for digest in "abc":
        shelf.version(digest=digest * 64)

    def route() -> tuple[int, int | None]:
        with shelf.record.read() as session:
            found = wanted_routes(session, ServingSection())["late"]
        return found.arms[0].version, found.previous.version if found.previous else None

    shelf.promote(1)
    assert route() == (1, None)
    shelf.promote(3, override=True, reason="t")
    assert route() == (3, 1)
    shelf.rollback()
    assert route() == (1, 3)
    shelf.promote(2, alias="candidate")
    assert route() == (1, 3)
    with shelf.record.read() as session:
        assert wanted_routes(session, ServingSection(models=["other"])) == {}
    shelf.record.close()


def test_settings_are_the_project_files_words(daemon: Daemon) -> None:
    serving = ServingSection(port=9000, max_batch=100, timeout="250ms")
    project = daemon.project.model_copy(update={"serving": serving})
    settings = settings_of(project)
    assert (settings.port, settings.largest_batch, settings.timeout_s) == (9000, 100, 0.25)
    assert settings.host == "127.0.0.1"


def test_a_models_line_adds_what_its_workers_have_counted() -> None:
    total, batches = Histogram(SECONDS), Histogram(ROWS)
    for _ in range(10):
        total.observe(0.001)
        batches.observe(4)
    worker = {
        "requests": [["late", "2", "rest", 200, 9], ["late", "2", "plain", 503, 1], ["late", "1", "rest", 200, 5]],
        "rows": [["late", "2", 40]],
        "phases": [["late", "2", "total", total.facts()]],
        "batches": [["late", "2", batches.facts()]],
        "log_predictions": [["late", "written", 8], ["late", "dropped", 1], ["rain", "dropped", 5]],
    }
    route = Route(arms=(Arm(version=2, digest="b"),), previous=Arm(version=1, digest="a"))
    crew = [{"state": "accepting", "missing": {}}, {"state": "ready", "missing": {}}]
    view = endpoint_view("late", route, crew, [worker, worker], 7.5)
    assert (view.version, view.previous, view.ready) == (2, 1, True)
    assert (view.logged, view.dropped) == (16, 2)
    assert (view.requests, view.errors, view.batch_rows, view.rps) == (20, 2, 4.0, 7.5)
    assert view.p50_ms is not None
    assert 0.5 < view.p50_ms < 1.6


def test_a_model_that_a_worker_could_not_load_is_not_ready_and_says_why() -> None:
    route = Route(arms=(Arm(version=2, digest="b"),))
    view = endpoint_view("late", route, [{"state": "accepting", "missing": {"late 2": "golden"}}], [], None)
    assert (view.ready, view.reason) == (False, "golden")
    assert endpoint_view("late", route, [], [], None).reason == "no worker accepts requests yet"
