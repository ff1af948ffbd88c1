"""Events of API Gateway as requests: whatever kind of API sent them, the app sees the same."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from pipeline.serving.refusal import Refusal
from pipeline.standalone.gateway import answer_of, request_of
from tests.unit.export.events import http_api, rest_api

BOTH = pytest.mark.parametrize("kind", [http_api, rest_api], ids=["http api", "rest api"])


@BOTH
def test_method_path_body_and_headers_are_those_that_the_client_sent(kind: Any) -> None:
    request = request_of(kind("/v1/predict/late", '{"carrier": "Ä"}', x_unit="anna"))
    assert (request.method, request.path, request.body) == ("POST", "/v1/predict/late", '{"carrier": "Ä"}'.encode())
    headers = dict(request.headers)
    assert headers[b"content-type"] == b"application/json"
    assert headers[b"x-unit"] == b"anna"
    assert headers[b"content-length"] == b"17"  # of the body that is here, whatever the gateway left in the headers


@BOTH
def test_a_base64_body_is_the_bytes_that_were_sent(kind: Any) -> None:
    sent = bytes(range(256))
    assert request_of(kind("/", base64.b64encode(sent).decode(), base64=True)).body == sent
    with pytest.raises(Refusal, match="says that it is base64, and is not") as caught:
        request_of(kind("/", "no base64 !", base64=True))
    assert caught.value.status == 400


@BOTH
def test_no_body_is_an_empty_one(kind: Any) -> None:
    request = request_of(kind("/v2/health/ready", None, method="GET"))
    assert (request.method, request.body) == ("GET", b"")


def test_the_name_of_a_stage_is_no_part_of_the_path() -> None:
    assert request_of(http_api("/v1/predict/late", "{}", stage="prod")).path == "/v1/predict/late"
    assert request_of(http_api("", None, stage="prod")).path == "/"
    # A path that only begins with the same letters keeps them, and so does one of the default stage.
    assert request_of({**http_api("/x", None, stage="v1"), "rawPath": "/v1beta/x"}).path == "/v1beta/x"
    assert request_of(http_api("/prod/x", None)).path == "/prod/x"
    assert request_of(rest_api("/v1/predict/late", "{}", stage="prod")).path == "/v1/predict/late"


@pytest.mark.parametrize("stage", ["v1", "v2", "metrics"])
def test_a_stage_that_is_called_as_a_part_of_a_path_takes_none_from_it(stage: str) -> None:
    """Of format 1.0, whose path has no stage, the `/v1` was taken away and nothing was found at what was left."""
    for path in ("/v1/predict/late", "/v2/health/ready", "/v2", "/metrics", "/openapi.json"):
        assert request_of(rest_api(path, "{}", stage=stage)).path == path
        assert request_of(http_api(path, "{}", stage=stage)).path == path


def test_what_is_escaped_in_a_path_is_unescaped() -> None:
    assert request_of(http_api("/v1/predict/my%20model", "{}")).path == "/v1/predict/my model"


def test_several_values_of_a_header_are_joined() -> None:
    event = rest_api("/", "{}")
    event["multiValueHeaders"]["Accept"] = ["text/plain", "application/json"]
    assert dict(request_of(event).headers)[b"accept"] == b"text/plain,application/json"


def test_headers_may_be_missing_altogether() -> None:
    event = {**rest_api("/", "{}"), "headers": None, "multiValueHeaders": None}
    assert request_of(event).headers == [(b"content-length", b"2")]


@pytest.mark.parametrize(
    "event",
    [
        {},
        [],
        "ping",
        None,
        {"Records": [{"eventSource": "aws:sqs"}]},
        {"requestContext": {"elb": {}}},
        {"version": "2.0", "requestContext": {"http": None}, "rawPath": "/"},
        {**rest_api("/", "{}"), "body": {"already": "read"}},
    ],
)
def test_what_is_no_event_of_a_gateway_is_refused(event: Any) -> None:
    with pytest.raises(Refusal) as caught:
        request_of(event)
    assert caught.value.status == 400


def test_text_goes_back_as_text_and_bytes_as_base64() -> None:
    json = answer_of(200, [(b"content-type", b"application/json"), (b"content-length", b"2")], b"{}")
    assert json == {
        "statusCode": 200,
        "headers": {"content-type": "application/json"},
        "body": "{}",
        "isBase64Encoded": False,
    }
    raw = answer_of(200, [(b"content-type", b"application/octet-stream")], b"\x00\xff")
    assert (raw["body"], raw["isBase64Encoded"]) == ("AP8=", True)
