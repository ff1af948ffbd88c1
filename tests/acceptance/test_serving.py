"""Endpoints as an operator and their clients meet them: real processes, real sockets, kill -9."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import grpc
import httpx
import numpy as np
import pytest

from pipeline.process import procfs
from pipeline.serving.rpc.schema import INFERENCE, message
from pipeline.versions import seal
from store.engine import Record
from store.routing import read_snapshot
from store.times import system_clock
from tests.acceptance.living import crowd, until
from tests.acceptance.stage import ROW, Stage, scores
from tests.thorough import THOROUGH, repeats

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3600 if THOROUGH else 600)]


WRONG = 4
"""A version whose golden rows do not come back."""
PAUSE = 0.01
"""Seconds between two requests of a client while several things happen."""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Stage, dict[str, Any]]]:
    """One home for all tests that stop nothing for good: its start takes longer than they do. And what its first
    promotion said.
    """
    made = Stage(tmp_path_factory.mktemp("serving"))
    _shelve_wrong(made)
    try:
        made.start()
        yield made, made.promote(1)["served"]
    finally:
        made.close()


def _shelve_wrong(stage: Stage) -> None:
    digest = stage.bench.version(shift=9.0)
    folder = stage.home.bundle(digest)
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755)
    np.save(folder / "golden.npy", np.load(folder / "golden.npy") * np.float32(0.5))
    (folder / "manifest.json").unlink()
    wrong = seal.seal(folder)
    folder.rename(stage.home.bundle(wrong))
    record = Record.open(stage.home, system_clock)
    stage._shelve(record, wrong)
    record.close()


@pytest.fixture
def stage(served: tuple[Stage, Any]) -> Stage:
    """Whatever the test before did to it: its daemon lives, version 1 is in production, a worker and the spare are
    ready.
    """
    found, _ = served
    assert found.process is not None
    if found.process.poll() is not None:
        found.start()
    if found.get("/v1/models/late")["aliases"] != {"production": 1}:
        found.promote(1)
    found.until_warm()
    return found


def test_a_promoted_version_answers_and_a_rollback_presses_loads_and_compiles_nothing(
    stage: Stage, served: tuple[Stage, dict[str, Any]]
) -> None:
    first, before = served[1], stage.endpoints()
    assert first["compiled"] == 5
    url = stage.url()
    assert scores(url)[0] == 1
    second = stage.promote(2)["served"]
    assert second["compiled"] == 0  # the same architecture
    assert (second["workers"], second["epoch"]) == (2, before["epoch"] + 1)
    version, share = scores(url)
    assert version == 2
    back = stage.rollback()["served"]
    assert (back["pressed_s"], back["compiled"], back["workers"]) == (0.0, 0, 2)
    assert scores(url)[0] == 1
    assert scores(url)[1] < share
    view = stage.endpoints()
    assert view["compilations"] == 0
    assert view["problem"] is None
    assert (view["endpoints"][0]["version"], view["endpoints"][0]["previous"]) == (1, 2)
    assert view["endpoints"][0]["requests"] >= before["endpoints"][0]["requests"] + 2
    assert [event["subject"] for event in stage.history("endpoint")][:2] == ["late 1", "late 2"]


def test_a_candidate_whose_golden_rows_do_not_come_back_is_refused_and_what_answers_stays(stage: Stage) -> None:
    before = read_snapshot(stage.home.serving.routing)
    refused = stage.try_promote(WRONG)
    assert refused.status_code == 409
    assert refused.json()["code"] == "NotServable"
    assert "the golden rows do not come back: a score differs by" in refused.json()["detail"]
    assert read_snapshot(stage.home.serving.routing) == before
    assert scores(stage.url())[0] == 1
    assert stage.get("/v1/models/late")["aliases"] == {"production": 1}
    assert "was not put in service" in stage.history("endpoint.refused")[0]["message"]


def test_the_daemon_may_die_and_come_back_and_clients_notice_nothing(stage: Stage) -> None:
    url, pids = stage.url(), stage.pids()
    stage.kill()
    for _ in range(20):
        assert scores(url)[0] == 1
    stage.start()
    assert sorted(stage.pids()) == sorted(pids)
    assert stage.promote(2)["served"]["workers"] == 2
    assert scores(url)[0] == 2
    stage.process.terminate()  # type: ignore[union-attr]
    stage.process.wait(20)  # type: ignore[union-attr]
    assert scores(url)[0] == 2


def test_the_supervisor_keeps_workers_after_a_moment_in_which_it_could_not_read_the_routes(stage: Stage) -> None:
    """Its task had ended with the fault: it lived on, and of its workers that died none was replaced."""
    routing, (accepting,) = stage.home.serving.routing, stage.pids("accepting")
    kept = routing.read_bytes()
    routing.write_bytes(b"{")
    os.kill(accepting, signal.SIGKILL)
    until(lambda: "the supervisor stumbled" in stage.home.serving.log.read_text())
    routing.write_bytes(kept)
    stage.until_warm()
    assert scores(stage.url())[0] == 1


def test_what_was_promoted_while_the_daemon_looked_away_is_followed(stage: Stage) -> None:
    """Between the commit and the snapshot it may die: the next one follows the record."""
    url = stage.url()
    stage.kill()
    code = f"""
from pathlib import Path
from pipeline.judging.plan import planned
from store import registry
from store.engine import Record
from store.home import Home
from store.times import system_clock
from store.wire import PromoteRequest
record = Record.open(Home(Path({str(stage.home.root)!r})), system_clock)
with record.transaction() as tx:
    request = PromoteRequest(version=2, override=True, reason="by hand")
    registry.promote(tx, "late", request, "anna", planned(tx.session, "late", 2, "production"))
record.close()
"""
    subprocess.run([sys.executable, "-P", "-c", f"import sys; sys.path.insert(0, {ROOT!r})\n{code}"], check=True)
    stage.start()
    until(lambda: scores(url)[0] == 2, 120)


ROOT = str(Path(__file__).parents[2])


def test_endpoints_are_off_until_somebody_wants_them_and_stop_when_nobody_does(tmp_path: Path) -> None:
    stage = Stage(tmp_path, versions=1, serving="[serving]\nport = 0\nmax_batch = 4\n")
    try:
        stage.start()
        assert stage.promote(1)["served"] is None
        assert not stage.home.serving.control.exists()
        assert stage.endpoints()["running"] is False
        stage.post("/v1/endpoints", {"on": True})
        url = stage.until_warm()
        assert scores(url)[0] == 1
        pids = stage.pids()
        stage.post("/v1/endpoints", {"on": False})
        until(lambda: not any(procfs.is_alive(pid) for pid in pids), 60)
        assert stage.endpoints()["wanted"] is False
        stage.post("/v1/endpoints", {"on": None})
        assert stage.endpoints()["asked_by"] is None
    finally:
        stage.close()


# ------------------------------------------------------------------------------------------------------ kill -9


def test_the_spare_takes_the_place_of_a_worker_that_is_killed_and_nobody_who_asks_twice_is_lost(stage: Stage) -> None:
    url, restarts = stage.url(), stage.status()["restarts"]
    epoch = read_snapshot(stage.home.serving.routing).epoch
    kills = repeats(2, 100)
    for _ in range(kills):
        with Clients(url, connections=3) as clients:
            until(lambda: clients.answered > 30)
            (victim,) = stage.pids("accepting")
            os.kill(victim, signal.SIGKILL)
            killed = time.monotonic()
            asked_again(url)
            assert time.monotonic() - killed < 1.0 * crowd()
            answered = clients.answered
            until(lambda: clients.answered > answered + 30)  # noqa: B023
        assert clients.lost == []
        stage.until_warm()
    assert read_snapshot(stage.home.serving.routing).epoch == epoch
    assert stage.status()["restarts"] == restarts + kills


def test_workers_outlive_their_supervisor_and_the_next_one_takes_them_up_with_the_socket(stage: Stage) -> None:
    url, pids = stage.url(), stage.pids()
    with Clients(url, connections=2, pause=PAUSE) as clients:
        for _ in range(repeats(3, 100)):
            supervisor = stage.status()["pid"]
            os.kill(supervisor, signal.SIGKILL)
            until(lambda: supervised(stage, supervisor), 60)  # noqa: B023
            assert sorted(stage.pids()) == sorted(pids)
            assert stage.url() == url
    assert clients.lost == []
    assert clients.broken == 0
    assert stage.promote(2)["served"]["workers"] == 2
    assert scores(url)[0] == 2


def supervised(stage: Stage, before: int) -> bool:
    """Whether another supervisor than `before` knows both workers."""
    found = stage.endpoints()
    return bool(found["pid"] not in (None, before) and len(found["workers"]) == 2)


# ---------------------------------------------------------------------------------------------------- under load


def test_promotions_and_rollbacks_under_load_lose_no_request_and_no_connection_goes_back_in_time(stage: Stage) -> None:
    url = stage.url()
    stage.promote(2)
    named = {stage.endpoints()["epoch"]: 2}
    switched: list[float] = []
    rpc = stage.endpoints()["grpc"]
    others = Clients(rpc, connections=2, door=RpcDoor, pause=PAUSE)
    with Clients(url, connections=3, pause=PAUSE) as clients, others:
        moves = repeats(24, 1000)
        for turn in range(moves):
            moved = stage.rollback() if turn % 3 else stage.promote(3 if named[max(named)] != 3 else 1)
            named[moved["served"]["epoch"]] = moved["to_version"]
            switched.append(moved["served"]["switched_s"])
        until(lambda: clients.answered > 200 and others.answered > 100)
    assert clients.lost + others.lost == []
    assert clients.broken + others.broken == 0
    assert max(named) - min(named) == moves
    for seen in clients.seen + others.seen:
        assert seen == sorted(seen, key=lambda one: one[0]), "an older epoch answered after a newer one"
        assert all(named[epoch] == version for epoch, version in seen if epoch in named)
    assert float(np.quantile(switched, 0.99 if THOROUGH else 0.9)) < 0.1 * crowd()
    assert stage.endpoints()["compilations"] == 0


def test_a_supervisor_that_is_told_to_end_answers_what_it_has_and_leaves_nothing(stage: Stage) -> None:
    pids = [stage.status()["pid"], *stage.pids()]
    stage.kill()
    os.kill(pids[0], signal.SIGTERM)
    until(lambda: not any(procfs.is_alive(pid) for pid in pids), 30)
    assert not stage.home.serving.control.exists()


class RestDoor:
    """One connection over HTTP."""

    broken = httpx.TransportError

    def __init__(self, address: str) -> None:
        self._client = httpx.Client(base_url=address, trust_env=False, timeout=30, verify=False)

    def ask(self) -> tuple[int, int]:
        """Epoch and version of an answer. Raises `broken` when there is none, AssertionError when it is a refusal."""
        answer = self._client.post("/v1/predict/late", json=ROW)
        assert answer.status_code == 200, answer.text
        return int(answer.headers["x-routing-epoch"]), int(json.loads(answer.content)["version"])

    def close(self) -> None:
        self._client.close()


class RpcDoor:
    """One connection over gRPC."""

    broken = grpc.RpcError

    def __init__(self, address: str) -> None:
        self._channel = grpc.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)])
        self._infer = self._channel.unary_unary(
            "/inference.GRPCInferenceService/ModelInfer",
            request_serializer=lambda one: one.SerializeToString(),
            response_deserializer=message(INFERENCE, "ModelInferResponse").FromString,
        )
        self._request = message(INFERENCE, "ModelInferRequest")(model_name="late")
        for name in ("distance", "hour"):
            self._request.inputs.add(name=name, datatype="FP32", shape=[1]).contents.fp32_contents.append(12.0)
        carrier = self._request.inputs.add(name="carrier", datatype="BYTES", shape=[1])
        carrier.contents.bytes_contents.append(b"AA")

    def ask(self) -> tuple[int, int]:
        answer, call = self._infer.with_call(self._request, timeout=30)
        return int(dict(call.trailing_metadata())["x-routing-epoch"]), int(answer.model_version)

    def close(self) -> None:
        self._channel.close()


class Clients:
    """Threads that ask on connections of their own, one request after another, and once more when one breaks.

    With a `pause` of so many seconds after each answer (none in make thorough) they leave the cores to whom they ask.
    """

    def __init__(
        self, url: str, *, connections: int, door: type[RestDoor] | type[RpcDoor] = RestDoor, pause: float = 0.0
    ) -> None:
        self.url = url
        self.door = door
        self.pause = 0.0 if THOROUGH else pause
        self.answered = 0
        self.broken = 0
        """Connections that ended in the middle of a request."""
        self.lost: list[str] = []
        """Requests without an answer, or with a wrong one, after the second try."""
        self.seen: list[list[tuple[int, int]]] = [[] for _ in range(connections)]
        """(epoch, version) of each answer on each connection."""
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._ask_on, args=(seen,)) for seen in self.seen]

    def __enter__(self) -> Clients:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join()

    def _ask_on(self, seen: list[tuple[int, int]]) -> None:
        door = self.door(self.url)
        while not self._ended.is_set():
            try:
                seen.append(self._twice(door))
                self.answered += 1
                self._ended.wait(self.pause)
            except (AssertionError, door.broken) as error:
                self.lost.append(repr(error))
        door.close()

    def _twice(self, door: RestDoor | RpcDoor) -> tuple[int, int]:
        try:
            return door.ask()
        except door.broken:
            self.broken += 1
            return door.ask()


def asked_again(url: str) -> None:
    """As a client does that tries again when its connection broke."""
    try:
        scores(url)
    except httpx.TransportError:
        scores(url)
