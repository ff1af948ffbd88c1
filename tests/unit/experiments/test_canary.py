"""A canary goes up stage by stage, waits for time and requests, and is taken back by excess events."""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta

import pytest

from pipeline.experiments.canary import Seen, step
from pipeline.experiments.stages import Plan, Stage, State, begun

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
PLAN = Plan()


def seen(
    requests: int,
    errors: tuple[int, int] = (0, 0),
    slow: tuple[int, int] = (0, 0),
    refusals: tuple[int, int] = (0, 0),
) -> Seen:
    return Seen(requests=requests, events={"errors": errors, "slow answers": slow, "refusals": refusals})


def test_without_harm_it_passes_all_stages_and_is_finished() -> None:
    state, moves, now = begun(NOW), [], NOW
    for stage in PLAN.stages:
        assert PLAN.stages[state.stage] == stage
        now += stage.bake
        done = step(PLAN, state, seen(stage.least, errors=(1, 99), slow=(0, 3)), now)
        moves.append(done.move)
        state = done.state
    assert moves == ["advance", "advance", "finish"]
    assert done.reason == "0.5 of the units for 1h, 5,000 requests, no sign of harm"


def test_a_stage_lasts_its_time_and_its_requests() -> None:
    state = begun(NOW)
    young = step(PLAN, state, seen(10**6), NOW + timedelta(minutes=9))
    assert (young.move, young.state) == ("hold", state)
    assert young.reason == "0.01 of the units since 2026-03-02T12:00:00+00:00, which has to last 10m"
    lonely = step(PLAN, state, seen(99), NOW + timedelta(days=3))
    assert (lonely.move, lonely.reason) == ("hold", "the canary has answered 99 requests at 0.01; 100 are needed")


def test_a_clock_that_was_put_back_only_prolongs_it() -> None:
    assert step(PLAN, begun(NOW), seen(1000), NOW - timedelta(days=1)).move == "hold"


def test_harm_acts_at_once_and_says_its_numbers() -> None:
    found = step(PLAN, State(stage=1, since=NOW), seen(400, errors=(20, 36)), NOW + timedelta(seconds=1))
    assert found.move == "roll back"
    assert found.reason.startswith("errors: 20 of 56 are the canary's, which has 0.1 of the units; p = ")
    assert [one.answer for one in found.findings] == ["no", "not yet", "not yet"]


def test_a_version_that_refuses_whom_production_answers_is_taken_back() -> None:
    found = step(PLAN, begun(NOW), seen(0, refusals=(7, 0)), NOW + timedelta(minutes=1))
    assert found.move == "roll back"
    assert found.reason.startswith("refusals: 7 of 7 are the canary's, which has 0.01 of the units; p = ")
    # Clients that send nonsense do so to both.
    assert step(PLAN, begun(NOW), seen(0, refusals=(7, 700)), NOW + timedelta(minutes=1)).move == "hold"


def test_slow_answers_are_harm_too_and_what_is_tolerated_is_not() -> None:
    counts = seen(400, slow=(30, 100))
    assert step(PLAN, State(stage=1, since=NOW), counts, NOW).move == "roll back"
    patient = Plan(tolerated={"errors": 1.0, "slow answers": 3.0})
    assert step(patient, State(stage=1, since=NOW), counts, NOW).move == "hold"


def test_evidence_of_a_stage_before_is_not_forgotten() -> None:
    warned = {"errors": (math.log(180),), "slow answers": (0.0,)}
    assert step(PLAN, State(stage=1, since=NOW), seen(5, errors=(4, 1)), NOW).move == "hold"
    assert step(PLAN, State(stage=1, since=NOW, passed=warned), seen(5, errors=(4, 1)), NOW).move == "roll back"


def test_the_next_state_keeps_the_evidence_of_the_stage() -> None:
    done = step(PLAN, begun(NOW), seen(100, errors=(2, 50)), NOW + timedelta(minutes=10))
    assert (done.move, done.state.stage) == ("advance", 1)
    assert done.state.since == NOW + timedelta(minutes=10)
    assert {kind: len(log_es) for kind, log_es in done.state.passed.items()} == dict.fromkeys(PLAN.tolerated, 1)


def test_plans_that_make_no_sense_are_refused() -> None:
    one = PLAN.stages[0]
    for stages in ((), (one, one), PLAN.stages[::-1]):
        with pytest.raises(ValueError, match="each with a larger share than the one before"):
            Plan(stages=stages)
    for tolerated in ({}, {"errors": 0.5}):
        with pytest.raises(ValueError, match="each tolerated at least once"):
            Plan(tolerated=tolerated)
    for share, least in ((0.0, 1), (1.0, 1), (0.5, -1)):
        with pytest.raises(ValueError, match="a stage has a share between 0 and 1"):
            Stage(share=share, bake=timedelta(0), least=least)
