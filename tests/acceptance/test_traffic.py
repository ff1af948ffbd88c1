"""Traffic as an operator parts it: two workers, real clients, versions that fail or are slow, kill -9 in between.

One project for all tests, which follow each other: its start takes longer than they do.
"""

from __future__ import annotations

import os
import signal
import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from pipeline.traffic.documents import split_of
from pipeline.traffic.route import assigned
from store.engine import Record
from store.errors import ServingError
from store.times import system_clock
from tests.acceptance.living import crowd, until
from tests.acceptance.stage import ROW, Stage
from tests.unit.serving.bench import broken_at_13, slow_at_13

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SERVING = """
[serving]
enabled = true
port = 0
max_batch = 16
workers = 2
spare = false
press_ahead = false
slow = "30s"
[serving.log]
every = "1d"
[serving.canary]
stages = [{ share = 0.3, bake = "1s", least = 10 }, { share = 0.6, bake = "1s", least = 10 }]
"""
BROKEN, SLOW = 3, 4
UNITS = [f"u{number}" for number in range(120)]


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Versions 1 and 2 are well, 3 fails and 4 is slow at hour 13; 1 is in production."""
    made = Stage(tmp_path_factory.mktemp("traffic"), versions=2, serving=SERVING, pressed=True)
    record = Record.open(made.home, system_clock)
    for function in (broken_at_13, slow_at_13):
        made._shelve(record, made.bench.version(shift=0.1, function=function))
    record.close()
    try:
        made.start()
        made.promote(1)
        until_accepting(made)
        yield made
    finally:
        made.close()


def until_accepting(stage: Stage) -> None:
    def accepting() -> bool:
        try:
            return [worker["state"] for worker in stage.status()["workers"]] == ["accepting"] * 2
        except ServingError:
            return False

    until(accepting, 240)


def heard(stage: Stage, units: list[str], hour: int = 12) -> dict[str, int]:
    """Unit → the version that it heard, or the status that it got; each on a connection of its own.

    Without `verify=False` a client reads the certificates: 20 ms, more than all else that it does.
    """
    url, found = stage.url(), {}
    for unit in units:
        with httpx.Client(base_url=url, trust_env=False, verify=False, timeout=60) as client:
            answer = client.post("/v1/predict/late", json={"rows": [{**ROW, "hour": hour}], "unit": unit, "id": unit})
        found[unit] = answer.json()["version"] if answer.is_success else answer.status_code
    return found


def change(stage: Stage, **asked: Any) -> dict[str, Any]:
    asked.setdefault("override", True)
    found: dict[str, Any] = stage._long("/v1/models/late/traffic", {"change": {"reason": "t", **asked}})
    return found


def endpoint(stage: Stage) -> dict[str, Any]:
    found: dict[str, Any] = stage.endpoints()["endpoints"][0]
    return found


def comparison(stage: Stage) -> dict[str, Any]:
    found: dict[str, Any] = stage.get("/v1/models/late/traffic")["comparison"]
    return found


def test_a_unit_keeps_its_version_over_workers_and_restarts_and_a_ramp_takes_it_from_nobody(stage: Stage) -> None:
    change(stage, do="weights", shares={2: 0.3})
    before = heard(stage, UNITS)
    row = stage.rows("SELECT control, split FROM comparison WHERE status = 'running'")[0]
    split = split_of(row[0], httpx.Response(200, text=row[1]).json())
    assert before == {unit: assigned(split, unit) for unit in UNITS}
    assert Counter(before.values())[2] > 15
    for victim in stage.pids():
        os.kill(victim, signal.SIGKILL)
        until(lambda: victim not in stage.pids(), 60)  # noqa: B023
        until_accepting(stage)
    assert heard(stage, UNITS) == before
    change(stage, do="weights", shares={2: 0.7})
    after = heard(stage, UNITS)
    assert {unit for unit in UNITS if before[unit] == 2} < {unit for unit in UNITS if after[unit] == 2}
    arms = until(lambda: _counted(stage, len(UNITS)), 30)
    assert [(arm["version"], arm["role"], arm["share"]) for arm in arms] == [(1, "control", 0.3), (2, "treatment", 0.7)]
    assert sum(arm["units"] for arm in arms) == pytest.approx(len(UNITS), rel=0.05)
    refused = httpx_post(stage, {"change": {"do": "weights", "shares": {2: 0.1}, "reason": "t"}})
    assert (refused["status"], refused["code"]) == (409, "Conflict")
    assert "`trainshed weights late --stop`" in refused["remedy"]
    change(stage, do="stop", kind="weights")
    assert set(heard(stage, UNITS[:20]).values()) == {1}


def _counted(stage: Stage, requests: int) -> list[dict[str, Any]] | None:
    """The arms, once all requests of the stage are counted."""
    arms: list[dict[str, Any]] = endpoint(stage)["arms"]
    return arms if sum(arm["compared"] or 0 for arm in arms) == requests else None


def httpx_post(stage: Stage, body: dict[str, Any]) -> dict[str, Any]:
    with stage._client() as client:
        found: dict[str, Any] = client.post("/v1/models/late/traffic", json=body).json()
    return found


def test_a_slow_shadow_is_dropped_and_counted_and_those_who_ask_wait_for_none_of_it(stage: Stage) -> None:
    change(stage, do="shadow", version=SLOW)
    rows = [{**ROW, "hour": 13}] * 100
    with httpx.Client(base_url=stage.url(), trust_env=False, verify=False, timeout=60) as client:
        for number in range(60):
            answer = client.post("/v1/predict/late", json={"rows": rows, "id": f"copied-{number}"})
            assert answer.json()["version"] == 1
    shadow = until(lambda: _all_copied(stage, 60), 120)
    assert shadow["dropped"] > 0
    assert shadow["failed"] == 0
    assert shadow["answered"] > 0
    logged = stage.get("/v1/models/late/predictions", last=200)["items"]
    copies = [one for one in logged if one["why"] == "shadow"]
    assert {one["version"] for one in copies} == {SLOW}
    assert {one["request"] for one in copies} <= {f"copied-{number}" for number in range(60)}
    change(stage, do="lift")
    assert endpoint(stage)["shadow"] is None


def _all_copied(stage: Stage, copies: int) -> dict[str, Any] | None:
    shadow: dict[str, Any] = endpoint(stage)["shadow"]
    return shadow if sum(shadow[name] for name in ("answered", "failed", "dropped")) == copies else None


def test_a_canary_that_fails_is_taken_back_once_also_if_the_daemon_was_killed_in_the_middle(stage: Stage) -> None:
    change(stage, do="canary", version=BROKEN)
    stage.kill()
    met = heard(stage, UNITS, hour=13)
    assert set(met.values()) == {1, 500}
    time.sleep(1.5)  # twice a second the workers write down what they have counted
    stage.start()
    began = time.monotonic()
    row = until(lambda: found if (found := comparison(stage))["status"] == "rolled back" else None, 60)
    assert time.monotonic() - began < 5.0 * crowd()
    assert row["reason"].startswith("errors: ")
    assert "are the canary's, which has 0.3 of the units" in row["reason"]
    assert set(heard(stage, UNITS, hour=13).values()) == {1}
    assert len(stage.history("comparison.rolled_back")) == 1
    (need,) = [one for one in stage.get("/v1/status")["needs_you"] if one["severity"] == "fail"]
    assert need["message"] == f"the canary of late {BROKEN} was taken back: {row['reason']}"
    change(stage, do="stop", kind="canary")  # somebody has seen it
    assert not [one for one in stage.get("/v1/status")["needs_you"] if one["severity"] == "fail"]


def test_a_canary_goes_up_by_its_stages_and_waits_and_is_over_when_production_moves(stage: Stage) -> None:
    change(stage, do="canary", version=2)

    def passed() -> bool:
        heard(stage, UNITS)
        return bool(comparison(stage)["passed"])

    until(passed, 120)
    found = comparison(stage)
    assert (found["status"], found["stage"], found["treatments"][0]["share"]) == ("running", 1, 0.6)
    assert found["waits"] == "all stages are passed: `trainshed promote late 2`"
    kinds = [event["kind"] for event in reversed(stage.history("comparison"))][-3:]
    assert kinds == ["comparison.began", "comparison.advanced", "comparison.passed"]
    stage.promote(2)
    ended = comparison(stage)
    assert (ended["status"], ended["reason"].partition(",")[0]) == ("finished", "version 2 was promoted")
    query = "SELECT ended_at FROM comparison WHERE id = ? INTERSECT SELECT created_at FROM alias_event"
    assert len(stage.rows(query, ended["id"])) == 1  # one transaction
    assert set(heard(stage, UNITS[:20]).values()) == {2}
