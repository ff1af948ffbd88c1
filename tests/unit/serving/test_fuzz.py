"""Whatever is sent, the door answers as it says it does, or closes; it never fails, hangs or grows."""

from __future__ import annotations

import json
import re
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.serving.loaded import LoadedVersion
from store.routing import Arm, Route, Snapshot
from tests.unit.serving.door import Door, opened

pytestmark = pytest.mark.slow
ROW = {"distance": 500.0, "carrier": "AA", "hour": 12}
GROWTH = 60_000_000
plainly = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@pytest.fixture(scope="module")
def door(loaded: LoadedVersion) -> Iterator[Door]:
    arm = Arm(version=3, digest=loaded.digest)
    with opened({("late", 3): loaded}, Snapshot(epoch=7, routes={"late": Route(arms=(arm,))}), patience_s=2.0) as door:
        yield door


@pytest.fixture(scope="module")
def client(door: Door) -> Iterator[httpx.Client]:
    with door.client() as client:
        yield client


@pytest.fixture(scope="module", autouse=True)
def bounded(door: Door) -> Iterator[None]:
    before = psutil.Process().memory_info().rss
    yield
    assert psutil.Process().memory_info().rss - before < GROWTH
    with door.client() as client:
        assert client.post("/v1/predict/late", json=ROW).status_code == 200


def values() -> st.SearchStrategy[Any]:
    leaves = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text()
    names = st.sampled_from(["distance", "carrier", "hour", "rows", "entities", "inputs", "id", "unit", "timeout_ms"])
    more = st.sampled_from(["parameters", "outputs", "name", "shape", "datatype", "data", "missing"])
    return st.recursive(
        leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(names | more | st.text(), inner, max_size=6)
    )


def fair(answer: httpx.Response) -> None:
    """An answer, or a refusal in words that names no fault of ours."""
    assert answer.status_code < 500, answer.text
    if answer.status_code != 200:
        assert set(answer.json()) == {"error"}


@plainly
@given(body=values())
def test_any_json_is_answered_or_refused_in_words(client: httpx.Client, body: Any) -> None:
    text = json.dumps(body).encode()
    for path in ("/v1/predict/late", "/v2/models/late/infer"):
        fair(client.post(path, content=text))


@plainly
@given(
    rows=st.lists(
        st.fixed_dictionaries({"distance": values(), "carrier": values(), "hour": values()}), min_size=1, max_size=3
    )
)
def test_a_row_with_all_its_columns_is_answered_or_refused_whatever_they_hold(
    client: httpx.Client, rows: list[dict[str, Any]]
) -> None:
    fair(client.post("/v1/predict/late", json=rows))


@plainly
@given(
    body=st.binary(max_size=300),
    header=st.none() | st.integers(-5, 400).map(str) | st.text("0123456789x", max_size=6),
    encoding=st.sampled_from([None, "gzip", "deflate", "br", ""]),
)
def test_any_bytes_behind_any_headers_are_refused_in_words(
    client: httpx.Client, body: bytes, header: str | None, encoding: str | None
) -> None:
    headers = {"inference-header-content-length": header, "content-encoding": encoding}
    given = {name: value for name, value in headers.items() if value is not None}
    fair(client.post("/v2/models/late/infer", content=body, headers=given))


PIECES = [
    *(b"GET ", b"POST ", b"/v1/predict/late", b"/v2", b"/%00", b" HTTP/1.1", b" HTTP/9.9", b"\r\n", b"\r\n\r\n"),
    *(b"content-length: 7\r\n", b"content-length: -1\r\n", b"transfer-encoding: chunked\r\n", b"host: x\r\n"),
    *(b"expect: 100-continue\r\n", b"authorization: Bearer \xff\r\n", b"5\r\n", b"0\r\n\r\n", b"{}", b"\x16\x03\x01"),
]


@settings(plainly, max_examples=60)
@given(sent=st.lists(st.sampled_from(PIECES) | st.binary(max_size=40), max_size=12).map(b"".join))
def test_raw_bytes_on_a_connection_end_in_an_answer_or_its_close(door: Door, sent: bytes) -> None:
    with door.connect() as connection:
        connection.sendall(sent)
        connection.shutdown(socket.SHUT_WR)
        heard = b""
        try:
            while piece := connection.recv(65536):
                heard += piece
        except ConnectionResetError:
            pass
        assert not re.findall(rb"^HTTP/1\.1 5\d\d", heard, re.MULTILINE), heard


def test_the_description_says_which_rows_are_answered(client: httpx.Client) -> None:
    """Rows made from the schema of /openapi.json are all answered."""
    schema = client.get("/openapi.json").json()["components"]["schemas"]["late.row"]
    made = {"number": 1.5, "string": "x", "boolean": True, "null": None}
    for name, column in schema["properties"].items():
        for kind in column["type"]:
            row = {**ROW, name: made[kind]}
            assert client.post("/v1/predict/late", json=row).status_code == 200, (name, kind)


CHECKS = (
    *("not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance"),
    *("positive_data_acceptance", "negative_data_rejection", "unsupported_method"),
)
SETTINGS = """
[checks]
not_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", 504]  # whoever allows 5e-324 ms is told that they are over
"""


def test_what_the_description_allows_is_answered_and_what_it_does_not_is_refused(door: Door, tmp_path: Path) -> None:
    """Schemathesis reads /openapi.json: requests that fit it, others that just do not, each answer held against it."""
    (tmp_path / "schemathesis.toml").write_text(SETTINGS)
    command = [sys.executable, "-P", "-m", "schemathesis.cli", "run", f"{door.url}/openapi.json", "--no-color"]
    bounds = ["--seed", "1", "--max-examples", "60", "--request-timeout", "20", "--checks", ",".join(CHECKS)]
    done = subprocess.run([*command, *bounds], cwd=tmp_path, capture_output=True, text=True, timeout=240)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert "1 selected / 1 total" in done.stdout
