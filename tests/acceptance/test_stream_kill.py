"""A monitor that follows the errors of a version is killed, again and again, and so is the daemon: no labelled row is
fed twice, and none is lost."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from pipeline.labels.box import LabelBox
from pipeline.labels.record import read_label
from pipeline.predictions.record import Prediction, to_line
from pipeline.predictions.segments import Segment
from tests.acceptance.living import until
from tests.acceptance.stage import Stage
from tests.acceptance.test_monitor_kill import kill_the_worker
from tests.thorough import repeats

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]
HOUR_US: Final = 3_600_000_000
PER, REQUESTS = 20, 400
MONITORS = """
[sources.raw]
kind = "file"
path = "*.csv"
format = "csv"
[datasets.flights]
source = "raw"
[models.late]
task = "binary"
dataset = "flights"
label = "late"
key = ["flight"]
numeric = ["distance", "hour"]
categorical = ["carrier"]
[monitors.late]
model = "late"
every = "30d"
[monitors.calm]
model = "late"
every = "30d"
[jobs."monitor:late"]
retries = 40
retry_delay = "100ms"
"""


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Version 1 is in production, and nothing is served: its log and its labels are written here."""
    one = Stage(tmp_path, versions=1, serving=MONITORS)
    one.start()
    one.promote(1)
    yield one
    one.close()


def now_us() -> int:
    return int(time.time() * 1e6)


def asked(stage: Stage, name: str, hours_ago: int) -> list[str]:
    """Requests within an hour, as workers write them."""
    segment, requests = Segment(stage.home.serving.predictions("late"), name), []
    for number in range(REQUESTS):
        at = now_us() - hours_ago * HOUR_US + number * 1_000_000
        columns = {"distance": [500.0] * PER, "carrier": ["AA"] * PER, "hour": [12] * PER}
        requests.append(f"{name}-{number}")
        said = {"score": [0.9] * PER}
        segment.append(to_line(Prediction(requests[-1], at, "late", 1, "no unit", None, 1, 9000, 200, columns, said)))
    segment.close()
    return requests


def labelled(stage: Stage, requests: list[str], *, wrong: float, arrived_us: int) -> None:
    rng = np.random.default_rng(len(requests[0]))
    box = LabelBox(stage.home.serving, 10**9)
    for request in requests:
        value = [bool(one) for one in rng.random(PER) >= wrong]
        box.put("late", [read_label({"request": request, "value": value}, arrived_us=arrived_us)])
    box.close()


def look(stage: Stage, rng: random.Random, times: int) -> int:
    """A look that is killed so often, and the daemon with it at times; attempts that it took."""
    run = stage.submit("monitor:late")
    for number in range(times):
        if not kill_the_worker(stage, run, rng):
            break
        if number % 2 == 1:
            stage.kill()
            stage.start()
    assert stage.wait(run, seconds=240)["run"]["state"] == "succeeded"
    return int(stage.run(run)["run"]["attempt"])


def followed(stage: Stage, monitor: str) -> tuple[int, dict[str, Any]]:
    """(reports that stored it, the state)."""
    (row,) = stage.rows("SELECT report, state FROM watch_stream WHERE monitor = ?", monitor)
    return int(row[0]), json.loads(row[1])


def test_each_labelled_row_is_fed_once_whoever_is_killed(stage: Stage) -> None:
    rng = random.Random(8)
    first, second = asked(stage, "first", 3), asked(stage, "second", 2)
    labelled(stage, first, wrong=0.1, arrived_us=now_us() - HOUR_US)
    attempts = look(stage, rng, repeats(3, 20))
    _, before = followed(stage, "late")
    assert before["adwin"]["seen"] == PER * REQUESTS
    assert before["rise"] is None
    labelled(stage, second, wrong=0.4, arrived_us=now_us())
    labelled(stage, first[:50], wrong=0.9, arrived_us=now_us())  # somebody corrects what is fed already
    minute = now_us() // 60_000_000 + 1
    until(lambda: now_us() // 60_000_000 >= minute and now_us() % 60_000_000 > 6_000_000, 90)
    attempts += look(stage, rng, repeats(3, 20))
    assert attempts > 2
    _, after = followed(stage, "late")
    assert after["adwin"]["seen"] == 2 * PER * REQUESTS
    calm = stage.submit("monitor:calm")
    assert stage.wait(calm, seconds=240)["run"]["state"] == "succeeded"
    _, at_once = followed(stage, "calm")
    assert after["adwin"] == at_once["adwin"]
    assert after["rise"] == at_once["rise"]
    assert after["rise"] is not None
    opened = stage.rows("SELECT subject, state, seen, reason FROM alert WHERE source = 'monitor:late'")
    assert [one[:3] for one in opened] == [("errors", "open", 1)]
    assert "the share of wrong answers rose from" in opened[0][3]
    assert "of 16,000)" in opened[0][3]
    told = stage.get("/v1/monitors/late")["findings"]
    assert [one["subject"] for one in told] == ["errors"]
