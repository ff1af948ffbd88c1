"""The demo's clients against a real server: they ask in order, and say how a flight ended once it has landed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.acceptance.living import until
from tui.demo.flown import Flown, flown
from tui.demo.traffic import Traffic
from tui.failure import Failure

LANDS_LATER = 100.0


class Endpoint(ThreadingHTTPServer):
    """Answers every request with version 1, refuses those about the plane `bad`, and the first post of labels."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Door)
        self.asked: list[dict[str, Any]] = []
        self.labels: list[dict[str, Any]] = []
        self.refused = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"


class Door(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: Endpoint

    def do_POST(self) -> None:
        sent = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status = 200
        if self.path == "/v1/predict/late":
            self.server.asked.append(sent)
            status = 503 if sent["unit"] == "bad" else 200
        elif not self.server.refused:
            self.server.refused, status = True, 503
        else:
            self.server.labels += sent
        body = json.dumps({"version": 1, "predictions": [{"probabilities": {"0": 0.25, "1": 0.75}}]}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    with Endpoint() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


def flight(number: int, *, plane: str = "N1") -> Flown:
    """Leaves at its number, and lands a while later."""
    return Flown(id=f"f{number}", unit=plane, leaves=number, landed=number + LANDS_LATER, late=number % 2, row={"a": 1})


@pytest.mark.slow
def test_every_flight_is_asked_about_once_and_labelled_once_it_has_landed(endpoint: Endpoint) -> None:
    with Traffic(endpoint.url, "late", [flight(n) for n in range(300)]) as traffic:
        until(lambda: traffic.asked == 300)
    assert sorted(sent["id"] for sent in endpoint.asked) == sorted(f"f{n}" for n in range(300))
    assert endpoint.asked[0] == {"rows": [{"a": 1}], "id": endpoint.asked[0]["id"], "unit": "N1"}
    assert {one["request"]: one["value"] for one in endpoint.labels} == {f"f{n}": n % 2 for n in range(200)}
    heard = traffic.heard()
    assert sum(one.labelled for one in heard) == 200
    assert {(one.version, one.score) for one in heard} == {(1, 0.75)}
    assert (traffic.asked, traffic.answered, traffic.units, traffic.failures) == (300, 300, 1, [])


def test_a_request_without_a_prediction_has_failed(endpoint: Endpoint) -> None:
    with Traffic(endpoint.url, "late", [flight(1), flight(2, plane="bad")]) as traffic:
        until(lambda: traffic.asked == 2)
    assert (traffic.answered, len(traffic.failures)) == (1, 1)
    assert traffic.failures[0].startswith("f2: Server error '503")


def test_more_can_be_awaited_and_then_more_has_come(endpoint: Endpoint) -> None:
    with Traffic(endpoint.url, "late", [flight(n) for n in range(200)]) as traffic:
        before = traffic.asked
        traffic.await_more(50, 30)
        assert traffic.asked >= before + 50


def test_traffic_that_dries_up_is_a_failure_and_no_wait_for_ever(endpoint: Endpoint) -> None:
    with Traffic(endpoint.url, "late", [flight(1)]) as traffic:
        until(lambda: traffic.asked == 1)
        with pytest.raises(Failure, match="only 1 requests"):
            traffic.await_more(1, 0.1)


def test_a_flight_is_joined_with_its_plane_and_its_landing_and_one_that_never_landed_is_left_out() -> None:
    rows = [
        {"at": 1368609300.0, "carrier": "UA", "flight": 1545, "origin": "EWR", "sched_minutes": 120.0, "seats": None},
        {"at": 1368609300.0, "carrier": "AA", "flight": 7, "origin": "JFK", "sched_minutes": 60.0, "seats": 9.0},
    ]
    there = {"carrier": "UA", "flight": 1545, "origin": "EWR", "time_hour": "2013-05-15T09:00:00Z", "minute": 15}
    published = [
        {**there, "tailnum": "N1", "arr_delay": 15},
        {**there, "carrier": "AA", "flight": 7, "origin": "JFK", "tailnum": "N2", "arr_delay": None},
    ]
    (only,) = flown(rows, published, ["seats"])
    assert only == Flown(
        id="UA 1545 EWR 2013-05-15T09:15Z",
        unit="N1",
        leaves=1368609300.0,
        landed=1368609300.0 + 135 * 60,
        late=1,
        row={"seats": None},
    )
