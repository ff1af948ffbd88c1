"""The airline's API of the demo: a real process, asked over real HTTP."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

API = Path(__file__).parents[3] / "assets" / "demo" / "flights" / "api.py"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[httpx.Client, str]]:
    """A client of a running API that has published the first three days, and the admin token."""
    announced = tmp_path_factory.mktemp("api") / "api.json"
    command = [sys.executable, str(API), "--port", "0", "--until", "2013-01-04", "--announce", str(announced)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline().startswith("export FLIGHTS_API=http://127.0.0.1:")
        facts = json.loads(announced.read_text())
        assert announced.stat().st_mode & 0o077 == 0
        with httpx.Client(base_url=facts["url"], trust_env=False, verify=False) as client:
            yield client, facts["token"]
        child.terminate()


def ask(client: httpx.Client, path: str, **query: str | int) -> Any:
    """The answer, asking again while the API refuses."""
    for _ in range(5):
        answer = client.get(path, params=query or None)
        if answer.status_code not in (429, 503):
            return answer
    raise AssertionError("refused five times")


def pages(client: httpx.Client, name: str, **query: str | int) -> list[list[dict[str, Any]]]:
    found, cursor = [], None
    while True:
        answer = ask(client, f"/v1/{name}", **query, **({"cursor": cursor} if cursor else {})).json()
        found.append(answer[name])
        cursor = answer["next_cursor"]
        if cursor is None:
            return found


@pytest.mark.slow
def test_a_page_is_a_day_and_all_pages_are_what_is_published(served: tuple[httpx.Client, str]) -> None:
    found = pages(served[0], "flights")
    assert [len(page) for page in found] == [842, 943, 914]
    assert [{row["day"] for row in page} for page in found] == [{1}, {2}, {3}]
    assert found[0][0]["time_hour"] <= found[0][-1]["time_hour"]


def test_a_limit_parts_a_day_and_loses_nothing(served: tuple[httpx.Client, str]) -> None:
    whole = [row for page in pages(served[0], "flights") for row in page]
    parted = [row for page in pages(served[0], "flights", limit=100) for row in page]
    assert parted == whole


def test_since_gives_rows_of_that_hour_and_later_ones(served: tuple[httpx.Client, str]) -> None:
    whole = [row for page in pages(served[0], "flights") for row in page]
    hour = "2013-01-02T20:00:00Z"
    later = [row for page in pages(served[0], "flights", since=hour) for row in page]
    assert later == [row for row in whole if row["time_hour"] >= hour]
    assert pages(served[0], "flights", since="2013-01-02T20:00:00+00:00") == pages(served[0], "flights", since=hour)


def test_missing_values_are_null_and_numbers_are_numbers(served: tuple[httpx.Client, str]) -> None:
    rows = [row for page in pages(served[0], "flights") for row in page]
    cancelled = [row for row in rows if row["dep_time"] is None]
    assert cancelled
    assert all(row["arr_delay"] is None for row in cancelled)
    assert isinstance(rows[0]["distance"], int)
    assert isinstance(rows[0]["carrier"], str)


@pytest.mark.parametrize(("name", "rows"), [("planes", 3322), ("airports", 1458), ("airlines", 16)])
def test_tables_without_time_are_there_whole(served: tuple[httpx.Client, str], name: str, rows: int) -> None:
    assert sum(map(len, pages(served[0], name))) == rows


def test_an_unchanged_answer_is_not_sent_twice(served: tuple[httpx.Client, str]) -> None:
    first = ask(served[0], "/v1/airlines")
    again = served[0].get("/v1/airlines", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("path", "status"),
    [("/v1/trains", 404), ("/flights", 404), ("/v1/flights?limit=0", 400), ("/v1/flights?since=x", 400)],
)
def test_wrong_questions_are_refused_with_a_reason(served: tuple[httpx.Client, str], path: str, status: int) -> None:
    answer = ask(served[0], path)
    assert (answer.status_code, bool(answer.json()["error"])) == (status, True)


def test_only_the_token_publishes_and_old_pages_stay_as_they_are(served: tuple[httpx.Client, str]) -> None:
    client, token = served
    before = pages(client, "flights")
    assert client.post("/admin/publish?until=2013-01-06").status_code == 401
    wrong = {"Authorization": "Bearer guess"}
    assert client.post("/admin/publish?until=2013-01-06", headers=wrong).status_code == 401
    right = {"Authorization": f"Bearer {token}"}
    assert client.post("/admin/publish?until=soon", headers=right).status_code == 400
    assert client.post("/admin/publish?until=2013-01-06", headers=right).json() == {"until": "2013-01-06"}
    after = pages(client, "flights")
    assert after[: len(before)] == before
    assert len(after) == 5


@pytest.mark.slow
def test_it_refuses_the_first_request_now_and_then_and_says_when_to_come_back() -> None:
    command = [sys.executable, str(API), "--port", "0", "--until", "2013-02-01", "--trouble", "1"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        url = child.stdout.readline().strip().partition("=")[2]
        with httpx.Client(base_url=url, trust_env=False, verify=False) as client:
            first = [client.get("/v1/airlines", params={"n": n}) for n in range(12)]
            again = [client.get("/v1/airlines", params={"n": n}) for n in range(12)]
        child.terminate()
    assert {answer.status_code for answer in first} == {429, 503}
    assert all(answer.headers["Retry-After"] == "1" for answer in first if answer.status_code == 429)
    assert {answer.status_code for answer in again} == {200}


@pytest.mark.slow
def test_it_goes_by_itself_when_nobody_asks() -> None:
    began = time.monotonic()
    command = [sys.executable, str(API), "--port", "0", "--until", "2013-01-02", "--idle-exit", "0.2"]
    assert subprocess.run(command, stdout=subprocess.DEVNULL, timeout=20, check=False).returncode == 0
    assert time.monotonic() - began < 15
