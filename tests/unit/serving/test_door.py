"""The door over HTTP: what clients of model servers ask, what browsers ask, and what nobody should send."""

from __future__ import annotations

import gzip
import socket
import statistics
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any

import httpx
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.serving.loaded import LoadedVersion
from store.routing import Arm, Route, Snapshot
from tests.examples import examples
from tests.unit.serving.door import MOST_BODY, Door, opened

ROW = {"distance": 500.0, "carrier": "AA", "hour": 12}
INPUTS = [
    {"name": "distance", "datatype": "FP32", "shape": [1], "data": [500.0]},
    {"name": "carrier", "datatype": "BYTES", "shape": [1], "data": ["AA"]},
    {"name": "hour", "datatype": "FP32", "shape": [1], "data": [12.0]},
]


def snapshot(loaded: LoadedVersion, epoch: int = 1, version: int = 3, previous: int | None = None) -> Snapshot:
    arm = Arm(version=version, digest=loaded.digest)
    before = Arm(version=previous, digest=loaded.digest) if previous is not None else None
    return Snapshot(epoch=epoch, routes={"late": Route(arms=(arm,), previous=before)})


@pytest.fixture(scope="module")
def door(loaded: LoadedVersion) -> Iterator[Door]:
    with opened({("late", 3): loaded, ("late", 2): loaded}, snapshot(loaded, previous=2)) as door:
        yield door


@pytest.fixture(scope="module")
def http(door: Door) -> Iterator[httpx.Client]:
    with door.client() as client:
        yield client


def test_health_and_metadata_are_those_of_the_protocol(http: httpx.Client) -> None:
    assert http.get("/v2/health/live").json() == {"live": True}
    assert http.get("/v2/health/ready").json() == {"ready": True}
    server = http.get("/v2").json()
    assert server["name"] == "trainshed"
    assert "binary_tensor_data" in server["extensions"]
    assert http.get("/v2/models/late/ready").json() == {"name": "late", "ready": True}
    assert http.get("/v2/models/late/versions/2/ready").json() == {"name": "late", "ready": True}
    model = http.get("/v2/models/late").json()
    assert model["versions"] == ["3", "2"]
    assert [one["name"] for one in model["inputs"]] == ["distance", "carrier", "hour"]
    assert http.get("/v2/models/late/config").json()["name"] == "late"


def test_a_request_in_tensors_and_one_in_rows_have_the_same_answer(http: httpx.Client) -> None:
    tensors = http.post("/v2/models/late/infer", json={"id": "a", "inputs": INPUTS}).json()
    assert (tensors["model_name"], tensors["model_version"], tensors["id"]) == ("late", "3", "a")
    rows = http.post("/v1/predict/late", json=ROW).json()
    assert (rows["model"], rows["version"]) == ("late", 3)
    score, label = tensors["outputs"]
    assert rows["predictions"][0]["probabilities"]["true"] == pytest.approx(score["data"][0])
    assert rows["predictions"][0]["label"] == label["data"][0] == "true"


def test_a_version_may_be_insisted_on_if_it_is_served(http: httpx.Client) -> None:
    assert http.post("/v1/predict/late/versions/2", json=ROW).json()["version"] == 2
    refused = http.post("/v1/predict/late/versions/7", json=ROW)
    assert refused.status_code == 404
    assert refused.json() == {"error": "version 7 of late is not served; these are: 3, 2"}


def test_compressed_requests_are_unpacked(http: httpx.Client) -> None:
    body = gzip.compress(orjson.dumps(ROW))
    assert http.post("/v1/predict/late", content=body, headers={"content-encoding": "gzip"}).status_code == 200


def test_the_repository_shows_what_is_loaded_and_promotion_changes_it(http: httpx.Client) -> None:
    index = http.post("/v2/repository/index").json()
    assert [(one["name"], one["version"], one["state"]) for one in index] == [
        ("late", "3", "READY"),
        ("late", "2", "READY"),
    ]
    assert http.post("/v2/repository/models/late/load").status_code == 200
    unload = http.post("/v2/repository/models/late/unload")
    assert unload.status_code == 409
    assert "trainshed promote late VERSION" in unload.json()["error"]


def test_metrics_and_statistics_count_what_was_answered(http: httpx.Client) -> None:
    http.post("/v1/predict/late", json=ROW)
    text = http.get("/metrics").text
    assert 'trainshed_serving_requests_total{door="plain",model="late",status="200",version="3",worker="1"}' in text
    assert 'trainshed_serving_phase_seconds_bucket{le="+Inf",model="late",phase="run"' in text
    assert "trainshed_serving_compilations_after_ready_total" in text
    stats = http.get("/v2/models/late/stats").json()["model_stats"][0]
    assert stats["inference_stats"]["success"]["count"] >= 1


def test_statistics_keep_what_was_answered_and_what_was_not_apart(loaded: LoadedVersion) -> None:
    with opened({("late", 3): loaded}, snapshot(loaded)) as door, door.client() as client:
        for row in (ROW, ROW, {"distance": 1}):
            client.post("/v1/predict/late", json=row)
        found = client.get("/v2/models/late/stats").json()["model_stats"][0]["inference_stats"]
        assert (found["success"]["count"], found["fail"]["count"]) == (2, 1)
        total = door.metrics.phases["late", "3", "total"].sum * 1e9
        assert found["success"]["ns"] + found["fail"]["ns"] == pytest.approx(total, abs=2.0)  # whole nanoseconds
        assert 0 < found["fail"]["ns"] < total


def test_who_wants_the_head_only_hears_what_get_would_say(http: httpx.Client) -> None:
    """As balancers and monitors ask."""
    for path in ("/v2/health/live", "/v2/health/ready", "/v2/models/late", "/metrics", "/openapi.json"):
        head, get = http.head(path), http.get(path)
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"] == get.headers["content-type"]
    refused = http.head("/v1/predict/late")
    assert (refused.status_code, refused.headers["allow"]) == (405, "POST")
    assert http.post("/metrics").headers["allow"] == "GET, HEAD"


def test_openapi_describes_each_models_columns(http: httpx.Client) -> None:
    found = http.get("/openapi.json").json()
    assert "/v1/predict/late" in found["paths"]
    assert found["components"]["schemas"]["late.row"]["required"] == ["distance", "carrier", "hour"]


@pytest.mark.parametrize(
    ("method", "path", "status", "said"),
    [
        ("GET", "/", 404, "there is nothing at /"),
        ("GET", "/v3/models", 404, "there is nothing at /v3/models"),
        ("GET", "/v2/trace/setting", 404, "not a part of the protocol"),
        ("POST", "/v2/models/none/infer", 404, "there is no model 'none' here; there are: late"),
        ("GET", "/v2/models/none/ready", 404, "there is no model 'none' here"),
        ("GET", "/v2/models/late/versions/x/ready", 404, "version x of late is not served"),
        ("GET", "/v2/models/late/infer", 405, "only POST is possible here"),
        ("POST", "/metrics", 405, "only GET is possible here"),
        ("GET", f"/v2/models/late/versions/{'9' * 5000}", 404, "version 99999999999999999999 of late"),
    ],
)
def test_what_is_not_here_is_said_as_json(http: httpx.Client, method: str, path: str, status: int, said: str) -> None:
    answer = http.request(method, path, json={"inputs": INPUTS} if method == "POST" else None)
    assert answer.status_code == status
    assert said in answer.json()["error"]


def test_a_reused_connection_is_answered_at_once(door: Door) -> None:
    """An inherited socket without TCP_NODELAY would wait about 40 ms for each second answer."""
    with door.client() as client:
        client.get("/v2/health/live")
        seconds = []
        for _ in range(50):
            began = time.perf_counter()
            client.get("/v2/health/live")
            seconds.append(time.perf_counter() - began)
    assert statistics.median(seconds) < 0.005


# ------------------------------------------------------------------------------------------------ bad clients


def ask(door: Door, data: bytes) -> bytes:
    """Sends bytes and reads until the server closes, or has answered a whole message."""
    with door.connect() as connection:
        with suppress(OSError):  # it may have heard enough before all is sent
            connection.sendall(data)
            connection.shutdown(socket.SHUT_WR)
        return everything(connection)


def everything(connection: socket.socket) -> bytes:
    found = b""
    while True:
        try:
            piece = connection.recv(65536)
        except ConnectionResetError:
            return found
        if not piece:
            return found
        found += piece


def test_a_body_above_the_limit_is_refused_whether_it_is_declared_or_not(http: httpx.Client) -> None:
    declared = http.post("/v1/predict/late", content=b"[" + b" " * MOST_BODY)
    assert declared.status_code == 413
    assert f"at most {MOST_BODY} bytes" in declared.json()["error"]
    chunked = http.post("/v1/predict/late", content=iter([b" " * 60_000, b" " * 60_000]))
    assert chunked.status_code == 413


def test_what_is_not_http_hears_a_sentence_and_is_let_go(door: Door) -> None:
    answer = ask(door, b"\x16\x03\x01\x02\x00\x01\x00hello\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400")
    assert b'{"error":' in answer


def test_an_endless_header_is_ended(door: Door) -> None:
    with door.connect() as connection:
        connection.sendall(b"GET /v2 HTTP/1.1\r\nHost: x\r\nX-Long: ")
        with pytest.raises(OSError, match=r"reset|[Bb]roken"):
            connection.sendall(b"a" * 100_000_000)


@pytest.mark.slow
def test_clients_that_send_half_a_request_or_read_no_answer_are_closed_after_the_patience(
    loaded: LoadedVersion,
) -> None:
    serving = opened({("late", 3): loaded}, snapshot(loaded), patience_s=0.4, unread=4096)
    with serving as door, ExitStack() as closing:
        silent, half_a_head, half_a_body, deaf = (closing.enter_context(door.connect()) for _ in range(4))
        half_a_head.sendall(b"POST /v1/predict/late HTTP/1.1\r\nHos")
        half_a_body.sendall(b'POST /v1/predict/late HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{"dist')
        deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        threading.Thread(target=flood, args=(deaf,)).start()
        began = time.monotonic()
        for one in (silent, half_a_head, half_a_body):
            assert everything(one).startswith(b"HTTP/1.1 408")
        while door.server.connections:
            assert time.monotonic() - began < 120  # what is not read fills the buffers of the system first
            time.sleep(0.02)
        with door.client() as client:
            assert client.post("/v1/predict/late", json=ROW).status_code == 200


def flood(connection: socket.socket) -> None:
    """Asks again and again, and never reads."""
    request = b"GET /openapi.json HTTP/1.1\r\nHost: x\r\n\r\n" * 20
    try:
        while True:
            connection.sendall(request)
    except OSError:
        return


def test_more_connections_than_allowed_hear_that_they_are_too_many(loaded: LoadedVersion) -> None:
    with opened({("late", 3): loaded}, snapshot(loaded), most_connections=3) as door:
        kept = [door.connect() for _ in range(3)]
        for one in kept:
            one.sendall(b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\n\r\n")
            assert one.recv(1000).startswith(b"HTTP/1.1 200")
        with door.connect() as fourth:
            answer = everything(fourth)
        assert answer.startswith(b"HTTP/1.1 503")
        assert b"retry-after: 1" in answer
        for one in kept:
            one.close()


def test_a_client_that_goes_away_in_the_middle_of_its_body_leaves_nothing_behind(door: Door) -> None:
    for _ in range(20):
        with door.connect() as connection:
            connection.sendall(b'POST /v1/predict/late HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n{"dist')
    with door.client() as client:
        assert client.post("/v1/predict/late", json=ROW).status_code == 200
        assert 'status="499"' in client.get("/metrics").text
        assert 'status="500"' not in client.get("/metrics").text


def test_a_full_queue_is_said_with_retry_after_and_within_milliseconds(loaded: LoadedVersion) -> None:
    with opened({("late", 3): loaded}, snapshot(loaded), queue_rows=5, slow=True) as door:
        answers: list[Any] = []

        def many() -> None:
            with door.client() as client:
                for _ in range(15):
                    answers.append(client.post("/v1/predict/late", json=[ROW] * 4))

        threads = [threading.Thread(target=many) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        statuses = {answer.status_code for answer in answers}
        assert statuses == {200, 503}
        refused = next(answer for answer in answers if answer.status_code == 503)
        assert refused.headers["retry-after"] == "1"


# --------------------------------------------------------------------------------------------------- switching


def test_a_switch_is_seen_by_the_next_request_and_what_is_not_in_the_snapshot_answers_nobody(
    loaded: LoadedVersion,
) -> None:
    with opened({("late", 3): loaded}, snapshot(loaded)) as door, door.client() as client:
        door.put("late", 4, loaded)
        assert client.post("/v1/predict/late/versions/4", json=ROW).status_code == 404
        door.switch(snapshot(loaded, epoch=2, version=4, previous=3))
        assert client.post("/v1/predict/late", json=ROW).json()["version"] == 4
        door.switch(snapshot(loaded, epoch=1))  # an older one changes nothing
        assert client.post("/v1/predict/late", json=ROW).json()["version"] == 4


def test_a_version_that_the_snapshot_has_and_nobody_loaded_is_not_ready_and_says_why(loaded: LoadedVersion) -> None:
    with opened({}, snapshot(loaded)) as door, door.client() as client:
        door.within(lambda: door.shelf.missing.update({("late", 3): "the golden rows do not come back"}))
        assert client.get("/v2/health/ready").status_code == 503
        assert client.get("/v2/models/late/ready").json() == {"name": "late", "ready": False}
        refused = client.post("/v1/predict/late", json=ROW)
        assert refused.status_code == 503
        assert "the golden rows do not come back" in refused.json()["error"]


def test_a_server_that_drains_answers_what_it_has_and_says_that_it_is_not_ready(loaded: LoadedVersion) -> None:
    with opened({("late", 3): loaded}, snapshot(loaded)) as door, door.client() as client:
        door.within(lambda: setattr(door.desk, "draining", True))
        assert client.get("/v2/health/ready").status_code == 503
        assert client.get("/v2/health/live").status_code == 200
        assert client.post("/v1/predict/late", json=ROW).status_code == 200


# ------------------------------------------------------------------------------------------------- any bytes at all

_PIECES = st.sampled_from(
    [
        b"POST /v1/predict/late HTTP/1.1\r\n",
        b"POST /v2/models/late/infer HTTP/1.1\r\n",
        b"GET /v2 HTTP/1.1\r\n",
        b"Host: x\r\n",
        b"Content-Length: 5\r\n",
        b"Content-Length: -1\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Encoding: gzip\r\n",
        b"Inference-Header-Content-Length: 3\r\n",
        b"Expect: 100-continue\r\n",
        b"Connection: upgrade\r\nUpgrade: websocket\r\n",
        b"\r\n",
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
        b"{}",
        b'{"inputs": []}',
    ]
)


@pytest.mark.slow
@settings(max_examples=examples(150), suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.lists(_PIECES | st.binary(max_size=40), max_size=12))
def test_whatever_bytes_come_the_server_lives_and_says_nothing_of_its_own_fault(
    door: Door, pieces: list[bytes]
) -> None:
    answer = ask(door, b"".join(pieces))
    assert b"HTTP/1.1 5" not in answer
    assert b'{"live":true}' in ask(door, b"GET /v2/health/live HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
