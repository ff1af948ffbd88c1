"""Reports from real files: a prediction log and labels, taken into the lake, read by the program that reckons."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from pipeline.config.experiments import ExperimentSection
from pipeline.experiments.logged import against
from pipeline.experiments.questions import Asked, question_document
from pipeline.experiments.report import report
from pipeline.labels.box import LabelBox
from pipeline.labels.record import read_label
from pipeline.predictions.record import Prediction, to_line
from pipeline.predictions.segments import Segment
from pipeline.predictions.take import take
from store.home import Home
from store.times import to_us

ROOT = Path(__file__).parents[3]
START = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
UNITS = 400


def line(unit: str, hours: float, version: int, **other: Any) -> Prediction:
    at = to_us(START + hours * HOUR)
    answer = {"score": [0.75], "label": ["true"]}
    whole = Prediction(f"r-{unit}", at, "late", version, "assigned", unit, 5, 2500, 200, {"x": [1]}, answer)
    return whole._replace(**other)


def arm(number: int) -> int:
    return 1 + number % 2


class World:
    """A home whose log has `UNITS` units, half of them version 2's, one request each within five hours."""

    def __init__(self, folder: Path) -> None:
        self.home = Home(folder)
        self.log([line(f"u{n}", 5 * n / UNITS, arm(n)) for n in range(UNITS)], "w.1")

    def log(self, lines: list[Prediction], segment: str) -> None:
        written = Segment(self.home.serving.predictions("late"), segment)
        written.append(b"".join(map(to_line, lines)))
        written.close()

    def say(self, labels: list[dict[str, Any]], hours: float) -> None:
        box = LabelBox(self.home.serving, 10**9)
        box.put("late", [read_label(one, arrived_us=to_us(START + hours * HOUR)) for one in labels])
        box.close()

    def asked(self, hours: float, **settings: Any) -> Asked:
        given = {
            "model": "late",
            "metric": "correct",
            "window": "1d",
            "least_units": 100,
            "least_time": "1d",
        } | settings
        question = question_document(ExperimentSection.model_validate(given), ["false", "true"])
        now = to_us(START + hours * HOUR)
        return Asked(control=1, treatment=2, share=0.5, began=to_us(START), until=now + 1, now=now, question=question)

    def report(self, hours: float, **settings: Any) -> dict[str, Any]:
        take(self.home, keep=timedelta(0), disk=10**9, now=START)
        return report(self.home, "late", self.asked(hours, **settings))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def right(number: int) -> bool:
    """Version 2 is right about nine in ten, version 1 about six."""
    return (number // 2) % 10 < (9 if arm(number) == 2 else 6)


@pytest.mark.slow
def test_labels_decide_once_the_windows_are_over(world: World) -> None:
    world.say([{"request": f"r-u{n}", "value": right(n)} for n in range(UNITS)], hours=8)
    early = world.report(12)
    assert (early["pending"], early["decision"]["action"], early["difference"]["low"]) == (1.0, "go on", None)
    assert [one["exposed"] for one in early["arms"]] == [200, 200]
    late = world.report(30)
    assert (late["decision"]["action"], late["pending"], late["restated"]) == ("promote", 0.0, 0)
    assert [(one["version"], one["units"], one["mean"]) for one in late["arms"]] == [(1, 200, 0.6), (2, 200, 0.9)]
    found = late["difference"]
    assert found["value"] == pytest.approx(0.3)
    assert 0 < found["low"] < 0.3 < found["high"]
    assert late["mismatch"] == 1.0


@pytest.mark.slow
def test_an_answer_without_a_label_is_neither_right_nor_wrong(world: World) -> None:
    world.say([{"request": f"r-u{n}", "value": right(n)} for n in range(0, UNITS, 4)], hours=8)
    found = world.report(30)
    assert (found["arms"][0]["mean"], found["arms"][1]["mean"]) == (pytest.approx(0.6), None)
    assert found["arms"][1]["units"] == 200


def test_rewards_are_summed_by_unit_whatever_they_were_posted_by(world: World) -> None:
    rewards: list[dict[str, Any]] = []
    for n in range(1, UNITS, 2):
        at = (START + 6 * HOUR).isoformat()
        rewards.append({"unit": f"u{n}", "at": at, "value": 2, "name": "revenue"})
        rewards.append({"unit": f"u{n}", "at": (START + 7 * HOUR).isoformat(), "value": 1.5, "name": "revenue"})
        rewards.append({"request": f"r-u{n}", "value": n % 3 == 0, "name": "revenue"})
    rewards.append({"unit": "u0", "at": (START - HOUR).isoformat(), "value": 1e6, "name": "revenue"})
    rewards.append({"unit": "stranger", "at": (START + HOUR).isoformat(), "value": 1e6, "name": "revenue"})
    rewards.append({"unit": "u0", "at": (START + HOUR).isoformat(), "value": "much", "name": "revenue"})
    world.say(rewards, hours=8)
    found = world.report(40, metric="revenue")
    assert found["arms"][0]["mean"] == 0.0
    assert found["arms"][1]["mean"] == pytest.approx(3.5 + 67 / 200)
    assert (found["unreadable"], found["decision"]["action"]) == (1, "promote")


def test_a_reward_of_several_rows_is_their_sum_and_one_word_among_them_makes_it_unreadable(world: World) -> None:
    """Of `[true, false]` there was no number, and of `[5, "much"]` the number without the word."""
    rewards = [{"request": f"r-u{n}", "value": [True, False, 2.5], "name": "clicks"} for n in range(1, UNITS, 2)]
    rewards.append({"request": "r-u0", "value": [5, "much"], "name": "clicks"})
    world.say(rewards, hours=8)
    found = world.report(40, metric="clicks")
    assert [one["mean"] for one in found["arms"]] == [0.0, 3.5]
    assert found["unreadable"] == 1


@pytest.mark.slow
def test_where_no_unit_of_an_arm_differs_from_another_the_plainest_harm_is_seen(world: World) -> None:
    """All of control bring 1 and none of the treatment anything: nothing varied, so nothing could be said of it."""
    for name, which in (("bought", 0), ("alive", 1)):
        world.say([{"request": f"r-u{n}", "value": 1, "name": name} for n in range(which, UNITS, 2)], hours=8)
    harmed = world.report(40, metric="bought")
    assert (harmed["decision"]["action"], harmed["difference"]["value"]) == ("roll back", -1.0)
    assert -1.2 < harmed["difference"]["low"] < -1.0 < harmed["difference"]["high"] < -0.8
    assert world.report(40, metric="alive")["decision"]["action"] == "promote"
    guarded = world.report(40, guardrails=[{"metric": "bought", "margin": 0.01}])
    assert guarded["decision"]["reason"].startswith("bought 1 worse")
    # Where neither varies and both are alike nothing is known, as before.
    same = world.report(40, metric="nobody posts this")
    assert (same["decision"]["action"], same["difference"]["low"]) == ("go on", None)


@pytest.mark.slow
def test_what_came_after_the_unit_was_counted_restates(world: World) -> None:
    world.say([{"request": f"r-u{n}", "value": right(n)} for n in range(UNITS)], hours=8)
    world.say([{"request": "r-u1", "value": not right(1)}], hours=60)
    before, after = world.report(50), world.report(61)
    assert (before["restated"], after["restated"]) == (0, 1)
    assert after["arms"][1]["mean"] == pytest.approx(0.9 - 1 / 200)


def test_a_guardrail_of_errors_waits_for_no_window_and_takes_back_at_once(world: World) -> None:
    world.log([line(f"e{n}", 5.5, 2, status=503, outputs=None) for n in range(200)], "w.2")
    world.log([line(f"e{n}", 5.5, 1) for n in range(200, 400)], "w.3")
    rails = [{"metric": "errors", "margin": 0.02}, {"metric": "latency_ms", "margin": 5.0}]
    found = world.report(6, guardrails=rails)
    assert (found["decision"]["action"], found["pending"]) == ("roll back", 1.0)
    errors, latency = found["guardrails"]
    assert (errors["answer"], errors["difference"]["value"]) == ("no", pytest.approx(0.5))
    assert latency["difference"]["value"] == pytest.approx(0.0)
    assert found["decision"]["reason"].startswith("errors 0.5 worse, between ")


def test_an_arm_in_which_all_fail_is_harm_although_nothing_varies(world: World) -> None:
    world.log([line(f"e{n}", 5.5, 2, status=503) for n in range(150)], "w.2")
    world.log([line(f"e{n}", 5.5, 1) for n in range(150, 300)], "w.3")
    world.log([line(f"u{n}", 5.6, 2, status=503) for n in range(1, UNITS, 2)], "w.4")
    found = world.report(6, guardrails=[{"metric": "errors", "margin": 0.4}], metric="revenue")
    assert found["guardrails"][0]["difference"]["low"] > 0.5
    assert found["decision"]["action"] == "roll back"


def test_only_what_the_comparison_assigned_is_exposed(world: World) -> None:
    """Before its routing was in force control answered for all; copies, pins and strangers take no part."""
    world.log([line(f"u{n}", 0.0, 1, epoch=4) for n in range(UNITS)], "w.2")
    world.log([line(f"x{n}", 1.0, 2, why="shadow") for n in range(50)], "w.3")
    world.log([line("nobody", 1.0, 1, why="no unit")._replace(unit=None), line("pin", 1.0, 2, why="pinned")], "w.4")
    world.log([line("old", 1.0, 7), line("early", -1.0, 2), line("u0", 3.0, 2)], "w.5")
    found = world.report(30)
    assert [one["exposed"] for one in found["arms"]] == [199, 200]
    assert found["crossed"] == 1


def test_units_that_are_lost_in_one_arm_make_it_invalid(world: World) -> None:
    world.log([line(f"more{n}", 1.0, 1) for n in range(300)], "w.2")
    found = world.report(30)
    assert found["decision"]["action"] == "invalid"
    assert found["mismatch"] < 0.01


def test_before_anything_is_logged_it_goes_on(tmp_path: Path) -> None:
    world = World(tmp_path)
    found = report(Home(tmp_path / "empty"), "late", world.asked(30))
    assert (found["decision"]["action"], [one["exposed"] for one in found["arms"]]) == ("go on", [0, 0])
    assert world.report(-5)["decision"]["action"] == "go on"


def test_an_experiment_that_nobody_ever_meets_ends_at_its_longest(tmp_path: Path) -> None:
    """Its time was counted from the first exposure, so it held the model for ever."""
    asked = World(tmp_path).asked(49)
    asked["question"]["longest_s"] = 48 * 3_600.0
    found = report(Home(tmp_path / "empty"), "late", asked)
    assert found["decision"]["action"] == "roll back"
    assert "no unit has met" in found["decision"]["reason"]


@pytest.mark.parametrize(
    ("outputs", "label", "metric", "expected"),
    [
        ({"label": ["true", "false"]}, [True, True], "correct", [1.0, 0.0]),
        ({"label": ["true"]}, 1, "correct", [1.0]),
        ({"label": ["true"]}, "true", "correct", [1.0]),
        ({"label": ["true"]}, "perhaps", "correct", None),
        ({"label": ["true", "true"]}, True, "correct", None),
        ({"score": [2.5]}, 1, "absolute_error", [1.5]),
        ({"score": [2.5]}, "word", "absolute_error", None),
    ],
)
def test_an_answer_meets_its_label(outputs: Any, label: Any, metric: str, expected: list[float] | None) -> None:
    assert against(outputs, label, metric, ["false", "true"]) == expected


def test_a_label_may_be_spelt_as_its_sender_spells_it() -> None:
    for classes, label in ((["0", "1"], True), (["0.0", "1.0"], 1), (["0", "1"], 1)):
        assert against({"label": [classes[1]]}, label, "correct", classes) == [1.0]


@pytest.mark.slow
def test_the_program_answers_in_one_document_without_jax(world: World) -> None:
    rng = np.random.default_rng(1)
    world.say([{"request": f"r-u{n}", "value": bool(rng.random() < 0.5)} for n in range(UNITS)], hours=8)
    expected = world.report(30)
    command = [sys.executable, "-X", "importtime", "-P", "-m", "pipeline.experiments.report", str(world.home.root)]
    done = subprocess.run(
        [*command, "late", json.dumps(world.asked(30))], capture_output=True, check=True, cwd=ROOT, text=True
    )
    assert json.loads(done.stdout) == expected
    assert "| jax" not in done.stderr
