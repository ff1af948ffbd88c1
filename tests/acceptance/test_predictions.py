"""The prediction log end to end: real clients, workers and daemons, and kill -9 of each."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.predictions.segments import segments
from store import lake
from store.errors import ServingError
from tests.acceptance.living import until
from tests.acceptance.stage import ROW, SERVING, Stage

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
OFTEN = SERVING + '[serving.log]\nevery = "300ms"\nkeep = "0s"\n'
TRAINSHED = str(Path(sys.executable).with_name("trainshed"))
SELDOM = SERVING + '[serving.log]\nevery = "1d"\n'


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    made = Stage(tmp_path, versions=1, serving=OFTEN)
    try:
        made.start()
        yield made
    finally:
        made.close()


def asked(url: str, names: list[str]) -> list[str]:
    """Those of the requests that were answered."""
    answered = []
    with httpx.Client(base_url=url, trust_env=False, timeout=20, verify=False) as client:
        for name in names:
            body = {"rows": [ROW, ROW], "id": name, "unit": f"unit-{name}"}
            try:
                client.post("/v1/predict/late", json=body).raise_for_status()
                answered.append(name)
            except httpx.TransportError:
                continue
    return answered


def table(stage: Stage) -> list[dict[str, Any]]:
    path = stage.home.predictions("late")
    return lake.dataset_at(path).to_table().to_pylist() if (path / "_delta_log").is_dir() else []


def requests(stage: Stage) -> Counter[str]:
    return Counter(row["request"] for row in table(stage))


def named(start: int, end: int) -> list[str]:
    return [f"r-{number}" for number in range(start, end)]


def stopped(stage: Stage) -> bool:
    try:
        stage.status()
    except ServingError:
        return True
    return False


def test_every_request_is_in_the_lake_once_also_when_the_daemon_is_killed_in_between(stage: Stage) -> None:
    stage.promote(1)
    url = stage.until_warm()
    answered = asked(url, named(0, 50))
    for turn in range(3):  # killed at any moment, also while it reads
        stage.kill()
        answered += asked(url, named(50 + 50 * turn, 100 + 50 * turn))
        stage.start()
        answered += asked(url, named(1000 + 50 * turn, 1050 + 50 * turn))
    stage.post("/v1/endpoints", {"on": False})
    until(lambda: stopped(stage), 60)
    until(lambda: len(table(stage)) >= len(answered), 120)
    assert requests(stage) == Counter(answered)
    assert len(answered) == 350
    row = table(stage)[0]
    assert (row["model"], row["version"], row["why"], row["status"]) == ("late", 1, "assigned", 200)
    assert row["inputs"] == '{"distance":[500.0,500.0],"carrier":["AA","AA"],"hour":[12,12]}'
    # Finished, read and old: gone.
    until(lambda: not segments(stage.home.serving.predictions("late")), 60)
    assert requests(stage) == Counter(answered)


def test_labels_that_came_to_the_endpoint_are_in_the_lake_once_also_without_a_daemon(stage: Stage) -> None:
    stage.promote(1)
    url = stage.until_warm()
    asked(url, named(0, 40))
    for turn in range(2):  # the second time all of them come again, and one with another value
        stage.kill()
        for name in named(0, 30):
            labelled(url, name, name == "r-7" and turn == 1)
        stage.start()
    seen = until(lambda: covered(stage, 30), 120)
    assert (seen["requests"], seen["labels"], seen["restated"], seen["repeated"], seen["strays"]) == (40, 30, 1, 29, 0)
    said = verb(stage, "labels", "late")
    assert "75 %" in said
    assert "1 were restated, 29 came again as they were" in said


def labelled(url: str, request: str, value: bool) -> None:
    with httpx.Client(base_url=url, trust_env=False, timeout=20) as client:
        client.post("/v1/labels/late", json={"request": request, "value": value}).raise_for_status()


def covered(stage: Stage, count: int) -> dict[str, Any] | None:
    found: dict[str, Any] = stage.get("/v1/models/late/labels")
    return found if found["labelled"] == count and found["restated"] else None


def test_what_was_answered_while_no_daemon_was_there_is_read_by_the_next_one(tmp_path: Path) -> None:
    stage = Stage(tmp_path, versions=1, serving=SELDOM)
    try:
        stage.start()
        stage.promote(1)
        url = stage.until_warm()
        stage.process.terminate()  # type: ignore[union-attr]
        stage.process.wait(30)  # type: ignore[union-attr]
        assert asked(url, named(0, 200)) == named(0, 200)
        stage.start()
        until(lambda: len(table(stage)) == 200, 120)
        # What came since is read before somebody looks, however seldom it is read otherwise.
        asked(url, ["the last"])
        seen = until(lambda: shown(stage, "the last"), 60)
        assert (seen["total"], seen["dropped"], seen["current"], seen["problem"]) == (201, 0, True, None)
        assert seen["items"][0]["inputs"] == {"distance": [500.0, 500.0], "carrier": ["AA", "AA"], "hour": [12, 12]}
        assert (seen["items"][0]["rows"], len(seen["items"])) == (2, 3)
        line = stage.endpoints()["endpoints"][0]
        assert (line["logged"], line["dropped"]) == (201, 0)
        said = verb(stage, "predictions", "late", "--last", "2")
        assert "the last" in said
        assert "2 of 201 requests, the newest first" in said
    finally:
        stage.close()


def shown(stage: Stage, newest: str) -> dict[str, Any] | None:
    """The view, once its newest request is that one: a line waits some 20 ms for its writer."""
    seen: dict[str, Any] = stage.get("/v1/models/late/predictions", last=3)
    return seen if seen["items"] and seen["items"][0]["request"] == newest else None


def verb(stage: Stage, *words: str) -> str:
    command = [TRAINSHED, *words, "--project", str(stage.folder)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def test_a_worker_that_is_killed_loses_no_more_than_what_waited_and_nothing_counts_twice(stage: Stage) -> None:
    stage.promote(1)
    url = stage.until_warm()
    answered, sent_last = asked(url, named(0, 100)), 10
    until(lambda: len(table(stage)) == 100, 120)
    answered += asked(url, named(100, 100 + sent_last))
    (victim,) = stage.pids("accepting")
    os.kill(victim, signal.SIGKILL)
    stage.until_warm()
    answered += asked(url, named(500, 550))
    stage.post("/v1/endpoints", {"on": False})
    until(lambda: stopped(stage), 60)
    until(lambda: requests(stage)["r-549"], 120)
    found = requests(stage)
    assert set(found.values()) == {1}
    lost = set(answered) - set(found)
    assert lost <= set(named(100, 100 + sent_last)), "only what waited for its writer when it was killed"
    assert set(found) <= set(answered)


def test_a_disk_that_is_full_for_the_log_drops_lines_and_says_how_many(tmp_path: Path) -> None:
    little = SERVING + '[serving.log]\nevery = "1d"\ndisk = 20000\n'
    stage = Stage(tmp_path, versions=1, serving=little)
    try:
        stage.start()
        stage.promote(1)
        url = stage.until_warm()
        assert asked(url, named(0, 300)) == named(0, 300)  # nobody notices

        def counted() -> dict[str, Any] | None:
            line: dict[str, Any] = stage.endpoints()["endpoints"][0]
            return line if line["logged"] + line["dropped"] == 300 else None

        line = until(counted, 30)
        assert line["dropped"] > 0
        seen = stage.get("/v1/models/late/predictions", last=1)
        assert seen["total"] == line["logged"]
        metrics = httpx.get(f"{url}/metrics", trust_env=False).text
        assert f'outcome="dropped",worker="1"}} {float(line["dropped"])}' in metrics
    finally:
        stage.close()
