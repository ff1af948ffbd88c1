from __future__ import annotations

import getpass
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from daemon.api.door import MAX_BODY
from store.wire import Problem, RunRequest
from tui.client import Client


def problem(answer: httpx.Response) -> Problem:
    assert answer.headers["content-type"] == "application/problem+json"
    return Problem.model_validate_json(answer.content)


def test_whoever_comes_by_the_socket_is_named_in_the_record(client: Client) -> None:
    assert client.submit(RunRequest(job="backup")).actor == getpass.getuser()
    assert client.events().items[0].actor == getpass.getuser()


def test_over_tcp_nobody_comes_in_without_the_token(tcp: httpx.Client, token: str) -> None:
    for shown in ("", "Bearer", "Bearer wrong", "Bearer \u00e9", f"Basic {token}", token, f"Bearer {token}x"):
        refused = tcp.get("/v1/jobs", headers=[(b"Authorization", shown.encode())])
        assert refused.status_code == 401
        assert "token" in problem(refused).remedy


def test_over_tcp_not_even_the_schema_is_told_to_strangers(tcp: httpx.Client) -> None:
    assert tcp.get("/openapi.json").status_code == 401


def test_over_tcp_the_token_opens_and_its_holder_is_known_by_address(tcp: httpx.Client, token: str) -> None:
    answer = tcp.post("/v1/runs", json={"job": "backup"}, headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 201
    assert answer.json()["actor"] == "token@127.0.0.1"


def test_a_body_that_says_it_is_too_large_is_not_even_read(http: httpx.Client) -> None:
    assert problem(http.post("/v1/runs", content=b" " * (MAX_BODY + 1))).code == "TooLarge"


def test_a_body_that_does_not_say_how_large_it_is_is_bounded_too(http: httpx.Client) -> None:
    def pieces() -> Iterator[bytes]:
        for _ in range(3):
            yield b" " * (MAX_BODY // 2)

    assert http.post("/v1/runs", content=pieces()).status_code == 413


def test_of_a_request_whose_sender_goes_away_before_its_end_nothing_is_done(socket_path: Path, client: Client) -> None:
    """What had come until then may mean something else than the whole."""
    begun = b'{"job": "backup"}'
    head = f"POST /v1/runs HTTP/1.1\r\nHost: shed\r\nContent-Type: application/json\r\nContent-Length: {len(begun) + 9}"
    with socket.socket(socket.AF_UNIX) as caller:
        caller.connect(str(socket_path))
        caller.sendall(head.encode() + b"\r\n\r\n" + begun)
        time.sleep(0.3)  # so much has been read when it goes away
    time.sleep(0.5)
    assert client.runs().items == []


def test_a_text_that_is_no_unicode_is_refused_with_the_request(http: httpx.Client) -> None:
    for path, body in (
        ("/v1/runs", b'{"job": "backup", "params": {"\\ud800": 1}}'),
        ("/v1/models/late/rollback", b'{"alias": "\\ud800"}'),
        ("/v1/labels", b'{"model": "\\ud800", "labels": [{"request": "a", "value": 1}]}'),
    ):
        answer = http.post(path, content=body, headers={"Content-Type": "application/json"})
        assert (path, answer.status_code) == (path, 404 if path == "/v1/labels" else 422)
        assert problem(answer).remedy


def test_an_argument_that_no_program_can_be_given_is_refused(http: httpx.Client) -> None:
    answer = http.get("/v1/models/late/labels?name=a%00b")
    assert (answer.status_code, problem(answer).code) == (409, "Refused")
    assert "the character with the number 0" in problem(answer).detail


def test_what_is_no_http_harms_nobody(socket_path: Path, client: Client) -> None:
    for text in (b"", b"GARBAGE\r\n\r\n", b"GET /v1/jobs HTTP/9.9\r\n\r\n", b"GET /v1/jobs HTTP/1.1\r\n\r\n"):
        with socket.socket(socket.AF_UNIX) as caller:
            caller.connect(str(socket_path))
            caller.sendall(text)
    assert client.jobs()
