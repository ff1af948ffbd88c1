"""Models that nobody asks are let go of, and come back with the next request: real processes, real sockets.

One project for all tests: its start takes as long as they do.
"""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.acceptance.living import until
from tests.acceptance.stage import ROW, SERVING, Stage, scores
from tests.acceptance.test_traffic import change, comparison, heard

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
CLIENTS = 12
UNITS = [f"u{number}" for number in range(40)]


CANARY = """slow = "50ms"
[serving.canary]
stages = [{ share = 0.4, bake = "1h", least = 1000 }]
"""


@pytest.fixture(scope="module")
def started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    made = Stage(tmp_path_factory.mktemp("sleep"), serving=f'{SERVING}idle = "3s"\n{CANARY}', pressed=True)
    try:
        made.start()
        yield made
    finally:
        made.close()


@pytest.fixture
def stage(started: Stage) -> Stage:
    """Version 1 is in production and gets all requests, whatever the test before did."""
    if started.get("/v1/models/late")["aliases"] != {"production": 1}:
        started.promote(1)
    return started


def test_a_model_that_nobody_asks_sleeps_in_every_process_and_the_next_request_and_a_promotion_wake_it(
    stage: Stage,
) -> None:
    url = stage.until_warm()
    stage.promote(2)
    before, wakings = scores(url), line(stage)["cold_starts"]
    until_asleep(stage, url)
    assert (line(stage)["ready"], line(stage)["version"]) == (True, 2)
    with httpx.Client(base_url=url, trust_env=False, verify=False, timeout=20) as client:
        assert client.get("/v2/models/late/ready").json() == {"name": "late", "ready": True}
        assert [one["name"] for one in client.get("/v2/models/late").json()["inputs"]] == [
            "distance",
            "carrier",
            "hour",
        ]
        assert "reason" not in client.get("/openapi.json").json()["paths"]["/v1/predict/late"]
        assert client.post("/v1/predict/late", json={"distance": 1.0}).status_code == 400
        assert 'trainshed_serving_asleep{model="late",worker="1"} 1.0' in client.get("/metrics").text
    assert line(stage)["asleep"], "neither a look nor a request that cannot be read wakes it"

    assert together(url) == [before] * CLIENTS
    woken = line(stage)
    assert (woken["asleep"], woken["cold_starts"], woken["errors"]) == (False, wakings + 1, 0)
    assert woken["cold_ms"] > 0.0
    until(lambda: all(loaded == 2.0 for loaded in gauges(url, "resident_versions")), 30)  # the spare follows

    until_asleep(stage, url)
    assert gauges(url, "resident_versions") == [0.0, 0.0]
    back = stage.rollback()["served"]
    assert (back["pressed_s"], back["compiled"], back["workers"]) == (0.0, 0, 2)
    assert scores(url)[0] == 1
    until_asleep(stage, url)
    assert stage.promote(3)["served"]["workers"] == 2
    assert scores(url)[0] == 3
    assert stage.endpoints()["compilations"] == 0

    until_asleep(stage, url)
    with httpx.Client(base_url=url, trust_env=False, verify=False, timeout=20) as client:
        late = client.post("/v1/predict/late", json={"rows": [ROW], "timeout_ms": 0.001})
        assert late.status_code == 504  # its own time was over; the load goes on for the next one
    assert scores(url)[0] == 3

    until_asleep(stage, url)
    shutil.rmtree(stage.home.serving.executables_root)
    with httpx.Client(base_url=url, trust_env=False, verify=False, timeout=20) as client:
        lost = client.post("/v1/predict/late", json=ROW)
        assert (lost.status_code, lost.headers["retry-after"]) == (503, "1")
        assert "cannot be loaded again" in lost.json()["error"]
        until(lambda: client.post("/v1/predict/late", json=ROW).is_success, 120)  # it was pressed anew
    until(lambda: line(stage)["ready"] and stage.endpoints()["problem"] is None, 60)


def line(stage: Stage) -> dict[str, Any]:
    found: dict[str, Any] = stage.endpoints()["endpoints"][0]
    return found


def until_asleep(stage: Stage, url: str) -> None:
    """In the processes themselves too: what the daemon shows of them may be from before the last request."""
    until(lambda: gauges(url, "resident_versions") == [0.0, 0.0] and line(stage)["asleep"], 60)


def gauges(url: str, name: str) -> list[float]:
    """Of every worker."""
    with httpx.Client(base_url=url, trust_env=False, verify=False, timeout=20) as client:
        lines = client.get("/metrics").text.splitlines()
    return [float(one.rsplit(" ", 1)[1]) for one in lines if one.startswith(f"trainshed_serving_{name}{{")]


def together(url: str) -> list[tuple[int, float]]:
    """What clients hear that ask at the same moment."""
    found: list[tuple[int, float]] = []
    clients = [threading.Thread(target=lambda: found.append(scores(url))) for _ in range(CLIENTS)]
    for client in clients:
        client.start()
    for client in clients:
        client.join()
    return found


def test_a_canary_and_a_shadow_sleep_with_their_model_and_are_there_again_when_it_is(stage: Stage) -> None:
    """Who is asked is woken with the others; units keep their versions; a cold answer counts against nobody."""
    url = stage.until_warm()
    change(stage, do="canary", version=2)
    change(stage, do="shadow", version=3)
    before = heard(stage, UNITS)
    assert set(before.values()) == {1, 2}
    counted = line(stage)
    until(lambda: line(stage)["shadow"]["answered"] > 0, 30)

    until_asleep(stage, url)
    assert (line(stage)["ready"], gauges(url, "resident_versions")) == (True, [0.0, 0.0])
    assert heard(stage, UNITS) == before
    assert stage.endpoints()["compilations"] == 0
    woken = line(stage)
    assert (woken["asleep"], woken["errors"]) == (False, counted["errors"])
    # Of each version the first who waits for it: of the canary's nobody, where it is there before its first unit asks.
    assert woken["cold_starts"] - counted["cold_starts"] in (1, 2)
    answered = woken["shadow"]["answered"]
    heard(stage, UNITS)
    until(lambda: line(stage)["shadow"]["answered"] > answered, 30)
    assert line(stage)["shadow"]["failed"] == 0
    assert comparison(stage)["status"] == "running", "what was cold was slow for everybody"

    until_asleep(stage, url)
    change(stage, do="stop", kind="canary")  # the route changes under a model that sleeps
    change(stage, do="lift")
    assert set(heard(stage, UNITS).values()) == {1}
    until_asleep(stage, url)
    change(stage, do="canary", version=3)
    assert {1, 3} == set(heard(stage, UNITS).values())
    change(stage, do="stop", kind="canary")
