"""An experiment as an operator runs it: real requests, labels posted at the endpoint, a daemon that is killed.

One project for all tests, which follow each other: its start takes longer than they do.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from textual.widgets import Input

from store.engine import Record
from store.times import system_clock
from tests.acceptance.living import until
from tests.acceptance.stage import ROW, Stage
from tests.unit.serving.bench import broken_at_13
from tests.unit.ui.acting import press, settle
from tests.unit.ui.acting import shown as on_screen
from tests.unit.ui.acting import until as come
from tui.app import ShedApp
from tui.client import Client
from tui.plan import PlanBox
from tui.settings import UiSettings

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
SERVING = """
[serving]
enabled = true
port = 0
max_batch = 16
workers = 1
spare = false
[serving.log]
every = "1d"
"""
BROKEN = 3


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Versions 1 and 2 are well, 3 fails at hour 13; 1 is in production."""
    made = Stage(tmp_path_factory.mktemp("experiments"), versions=2, serving=SERVING, pressed=True)
    record = Record.open(made.home, system_clock)
    made._shelve(record, made.bench.version(shift=0.1, function=broken_at_13))
    record.close()
    try:
        made.start()
        made.promote(1)
        until(lambda: [worker["state"] for worker in made.status()["workers"]] == ["accepting"], 240)
        yield made
    finally:
        made.close()


@pytest.fixture
def anyio_backend() -> str:
    """Textual knows asyncio only."""
    return "asyncio"


def trainshed(stage: Stage, *words: str) -> str:
    command = [sys.executable, "-P", "-c", "from tui.cli import app; app()", *words, f"--project={stage.folder}"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def shown(stage: Stage, name: str, *words: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(trainshed(stage, "experiment", "show", name, "--json", *words))
    return found


def heard(stage: Stage, units: list[str], hour: int = 12) -> dict[str, tuple[int, str] | None]:
    """Unit → the version that answered and what it said, or None."""
    found: dict[str, tuple[int, str] | None] = {}
    with httpx.Client(base_url=stage.url(), trust_env=False, verify=False, timeout=60) as client:
        for unit in units:
            answer = client.post(
                "/v1/predict/late", json={"rows": [{**ROW, "hour": hour}], "unit": unit, "id": f"of-{unit}"}
            )
            said = answer.json()
            found[unit] = (said["version"], said["predictions"][0]["label"]) if answer.is_success else None
    return found


@pytest.mark.anyio
async def test_one_is_begun_looked_at_and_ended_by_keys(stage: Stage, tmp_path: Path) -> None:
    app = ShedApp(
        connect=lambda: Client(stage.home.socket),
        title="late@box",
        settings=UiSettings(utc=True),
        environ={},
        copies=tmp_path,
        now=lambda: datetime.now(UTC),
        start="serving",
    )
    async with app.run_test(size=(160, 45)) as pilot:
        await settle(pilot)
        await come(lambda: "● v1" in on_screen(pilot))
        await press(pilot, "X")
        app.screen.query_one(Input).value = "2 correct share=50% window=3s"
        await press(pilot, "enter")
        box = app.screen.query_one(PlanBox)
        assert box.proposal.title == "Begin an experiment of late"
        assert "0.5 of the units" in on_screen(pilot)
        await press(pilot, "tab", *"try", "enter", *"late", "enter")  # the reason, and the model that it is about
        await come(lambda: not app.screen.query(PlanBox))
        found = stage.get("/v1/models/late/traffic")["comparison"]
        assert (found["kind"], found["name"], found["status"], found["reason"]) == (
            "experiment",
            "late_2",
            "running",
            "try",
        )
        await come(lambda: "v1+" in on_screen(pilot) and "⇄" in on_screen(pilot))
        met = await asyncio.to_thread(heard, stage, [f"w{number}" for number in range(60)])
        assert {said[0] for said in met.values() if said} == {1, 2}  # real requests are parted
        await press(pilot, "d")
        await come(lambda: "v2 against v1" in on_screen(pilot) and "running" in on_screen(pilot))
        await press(pilot, "X", "tab", "tab", *"late", "enter")
        await come(lambda: stage.get("/v1/models/late/traffic")["comparison"]["status"] == "stopped")
        await come(lambda: "stopped" in on_screen(pilot))
    met = heard(stage, [f"w{number}" for number in range(20)])
    assert {said[0] for said in met.values() if said} == {1}


def test_labels_that_come_late_decide_it_and_a_killed_daemon_forgets_none_of_it(stage: Stage) -> None:
    asked = ["--metric", "correct", "--window", "3s", "--least-units", "100", "--least-time", "0s", "--name", "better"]
    begun = trainshed(stage, "experiment", "start", "late", "2", *asked, "--yes", "--override", "--reason", "t")
    assert "correct decides, higher is better; a unit counts 3s after it first met its version" in begun
    units = [f"u{number}" for number in range(400)]
    answers = heard(stage, units)
    early = shown(stage, "better")
    assert early["report"]["decision"]["action"] == "go on"
    assert sum(arm["exposed"] for arm in early["report"]["arms"]) == 400
    labels = []
    for number, (unit, said) in enumerate(answers.items()):
        assert said is not None
        right = said[0] == 2 or number % 5 < 2  # version 2 is always right, version 1 in two of five
        labels.append({"request": f"of-{unit}", "value": (said[1] == "true") is right})
    with httpx.Client(base_url=stage.url(), trust_env=False, verify=False, timeout=60) as client:
        assert client.post("/v1/labels/late", json=labels).is_success
    stage.kill()
    time.sleep(3.0)  # the windows close
    stage.start()
    found = until(lambda: one if (one := shown(stage, "better"))["comparison"]["passed"] else None, 120)
    control, treatment = found["report"]["arms"]
    assert (control["exposed"], treatment["exposed"]) == (control["units"], treatment["units"])
    assert (treatment["mean"], found["report"]["pending"], found["report"]["crossed"]) == (1.0, 0.0, 0)
    assert 0.3 < control["mean"] < 0.5
    assert found["report"]["difference"]["low"] > 0.3
    assert found["report"]["mismatch"] > 0.01
    assert [one["action"] for one in (found["looks"][0], found["looks"][-1])] == ["go on", "promote"]
    text = trainshed(stage, "experiment", "show", "better", "--last")
    assert "intervals over time" in text
    assert "promote, " in text
    (need,) = [one for one in stage.get("/v1/status")["needs_you"] if "experiment" in one["message"]]
    assert need["message"] == "experiment better of late is decided: version 2 has won and waits to be promoted"
    stage.promote(2)
    assert shown(stage, "better")["comparison"]["status"] == "finished"
    assert len(stage.history("comparison.decided")) == 1
    assert {said[0] for said in heard(stage, units[:40]).values() if said} == {2}


def test_a_version_that_fails_is_taken_back_by_its_guardrail(stage: Stage) -> None:
    asked = ["--metric", "correct", "--guardrail", "errors=0.05", "--name", "risky"]
    trainshed(stage, "experiment", "start", "late", str(BROKEN), *asked, "--yes", "--override", "--reason", "t")
    units = [f"v{number}" for number in range(400)]
    met = heard(stage, units, hour=13)
    assert {None if said is None else said[0] for said in met.values()} == {None, 2}
    found = shown(stage, "risky")
    assert found["comparison"]["status"] == "rolled back"
    assert found["comparison"]["reason"].startswith("errors 1 worse, between ")
    assert {said[0] for said in heard(stage, units[:40], hour=13).values() if said} == {2}
    assert None not in heard(stage, units[:40], hour=13).values()
    (need,) = [one for one in stage.get("/v1/status")["needs_you"] if "risky" in one["message"]]
    assert (need["severity"], need["command"]) == ("fail", "trainshed experiment show risky")
    trainshed(stage, "experiment", "stop", "risky", "--yes")
    assert not [one for one in stage.get("/v1/status")["needs_you"] if "risky" in one["message"]]
