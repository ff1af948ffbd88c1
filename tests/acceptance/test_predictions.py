"""The prediction log end to end: real clients, workers and daemons, and kill -9 of each."""

from __future__ import annotations

import os
import re
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


LITTLE = SERVING + '[serving.log]\nevery = "1d"\ndisk = 20000\n'


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """One home for all, with version 1 in production: each test `opens` the endpoints as it needs them."""
    made = Stage(tmp_path_factory.mktemp("predictions"), versions=1, serving=OFTEN, pressed=True)
    try:
        made.start()
        made.promote(1)
        yield made
    finally:
        made.close()


def opened(stage: Stage, serving: str) -> str:
    """The address of endpoints with these settings; with others than before they are begun anew."""
    file = stage.folder / "trainshed.toml"
    project, mark, before = file.read_text().partition("[serving]")
    if mark + before != serving.lstrip():
        closed(stage)
        file.write_text(project + serving.lstrip())
        stage.post("/v1/reload", {})
    stage.post("/v1/endpoints", {"on": True})
    return stage.until_warm()


def closed(stage: Stage) -> None:
    """No endpoints, so nothing more is written to the log."""
    stage.post("/v1/endpoints", {"on": False})
    until(lambda: stopped(stage), 60)


def asked(url: str, names: list[str]) -> list[str]:
    """Those of the requests that were answered."""
    answered = []
    with httpx.Client(base_url=url, trust_env=False, verify=False, timeout=20) as client:
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


def requests(stage: Stage, of: str) -> Counter[str]:
    """How often each request of a test is in the lake."""
    return Counter(row["request"] for row in table(stage) if row["request"].startswith(f"{of}-"))


def named(of: str, start: int, end: int) -> list[str]:
    return [f"{of}-{number}" for number in range(start, end)]


def line_of(stage: Stage) -> dict[str, Any]:
    line: dict[str, Any] = stage.endpoints()["endpoints"][0]
    return line


def total(stage: Stage) -> int:
    """Requests in the lake."""
    return int(stage.get("/v1/models/late/predictions", last=1)["total"])


def stopped(stage: Stage) -> bool:
    try:
        stage.status()
    except ServingError:
        return True
    return False


def test_every_request_is_in_the_lake_once_also_when_the_daemon_is_killed_in_between(stage: Stage) -> None:
    url = opened(stage, OFTEN)
    answered = asked(url, named("kept", 0, 50))
    for turn in range(3):  # killed at any moment, also while it reads
        stage.kill()
        answered += asked(url, named("kept", 50 + 50 * turn, 100 + 50 * turn))
        stage.start()
        answered += asked(url, named("kept", 1000 + 50 * turn, 1050 + 50 * turn))
    closed(stage)
    until(lambda: requests(stage, "kept").total() >= len(answered), 120)
    assert requests(stage, "kept") == Counter(answered)
    assert len(answered) == 350
    row = next(row for row in table(stage) if row["request"] == "kept-0")
    assert (row["model"], row["version"], row["why"], row["status"]) == ("late", 1, "assigned", 200)
    assert row["inputs"] == '{"distance":[500.0,500.0],"carrier":["AA","AA"],"hour":[12,12]}'
    # Finished, read and old: gone.
    until(lambda: not segments(stage.home.serving.predictions("late")), 60)
    assert requests(stage, "kept") == Counter(answered)


def test_a_worker_that_is_killed_loses_no_more_than_what_waited_and_nothing_counts_twice(stage: Stage) -> None:
    url = opened(stage, OFTEN)
    answered, last = asked(url, named("killed", 0, 100)), named("killed", 100, 110)
    until(lambda: requests(stage, "killed").total() == 100, 120)
    answered += asked(url, last)
    (victim,) = stage.pids("accepting")
    os.kill(victim, signal.SIGKILL)
    stage.until_warm()
    answered += asked(url, named("killed", 500, 550))
    closed(stage)
    until(lambda: requests(stage, "killed")["killed-549"], 120)
    found = requests(stage, "killed")
    assert set(found.values()) == {1}
    lost = set(answered) - set(found)
    assert lost <= set(last), "only what waited for its writer when it was killed"
    assert set(found) <= set(answered)


def test_what_was_answered_while_no_daemon_was_there_is_read_by_the_next_one(stage: Stage) -> None:
    url = opened(stage, SELDOM)
    before, counted = total(stage), line_of(stage)
    stage.process.terminate()  # type: ignore[union-attr]
    stage.process.wait(30)  # type: ignore[union-attr]
    assert asked(url, named("alone", 0, 200)) == named("alone", 0, 200)
    stage.start()
    until(lambda: requests(stage, "alone").total() == 200, 120)
    # What came since is read before somebody looks, however seldom it is read otherwise.
    asked(url, ["the last"])
    seen = until(lambda: shown(stage, "the last"), 60)
    assert (seen["total"], seen["dropped"], seen["current"], seen["problem"]) == (before + 201, 0, True, None)
    assert seen["items"][0]["inputs"] == {"distance": [500.0, 500.0], "carrier": ["AA", "AA"], "hour": [12, 12]}
    assert (seen["items"][0]["rows"], len(seen["items"])) == (2, 3)
    line = line_of(stage)
    assert (line["logged"] - counted["logged"], line["dropped"]) == (201, 0)
    said = verb(stage, "predictions", "late", "--last", "2")
    assert "the last" in said
    assert f"2 of {before + 201} requests, the newest first" in said


def test_labels_that_came_to_the_endpoint_are_in_the_lake_once_also_without_a_daemon(tmp_path: Path) -> None:
    """In a home of its own: its labels are counted over all requests there are."""
    stage = Stage(tmp_path, versions=1, serving=OFTEN, pressed=True)
    try:
        stage.start()
        stage.promote(1)
        url = stage.until_warm()
        asked(url, named("late", 0, 40))
        for turn in range(2):  # the second time all of them come again, and one with another value
            stage.kill()
            for name in named("late", 0, 30):
                labelled(url, name, name == "late-7" and turn == 1)
            stage.start()
        seen = until(lambda: covered(stage, 30), 120)
        counts = tuple(seen[name] for name in ("requests", "labels", "restated", "repeated", "strays"))
        assert counts == (40, 30, 1, 29, 0)
        said = verb(stage, "labels", "late")
        assert "75 %" in said
        assert "1 were restated, 29 came again as they were" in said
    finally:
        stage.close()


def labelled(url: str, request: str, value: bool) -> None:
    with httpx.Client(base_url=url, trust_env=False, verify=False, timeout=20) as client:
        client.post("/v1/labels/late", json={"request": request, "value": value}).raise_for_status()


def covered(stage: Stage, count: int) -> dict[str, Any] | None:
    found: dict[str, Any] = stage.get("/v1/models/late/labels")
    return found if found["labelled"] == count and found["restated"] else None


def shown(stage: Stage, newest: str) -> dict[str, Any] | None:
    """The view, once all is read and its newest request is that one: a line waits some 20 ms for its writer."""
    seen: dict[str, Any] = stage.get("/v1/models/late/predictions", last=3)
    return seen if seen["current"] and seen["items"] and seen["items"][0]["request"] == newest else None


def verb(stage: Stage, *words: str) -> str:
    command = [TRAINSHED, *words, "--project", str(stage.folder)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def test_a_disk_that_is_full_for_the_log_drops_lines_and_says_how_many(stage: Stage) -> None:
    url = opened(stage, LITTLE)
    before, counted = total(stage), line_of(stage)
    assert asked(url, named("many", 0, 300)) == named("many", 0, 300)  # nobody notices

    def all_counted() -> tuple[int, int] | None:
        line = line_of(stage)
        found = line["logged"] - counted["logged"], line["dropped"] - counted["dropped"]
        return found if sum(found) == 300 else None

    logged, dropped = until(all_counted, 30)
    assert dropped > 0
    assert total(stage) == before + logged
    metrics = httpx.get(f"{url}/metrics", trust_env=False, verify=False).text
    assert re.search(rf'outcome="dropped",worker="\d+"}} {dropped}\.0', metrics)
