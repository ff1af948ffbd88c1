"""Which version is pressed before its promotion: the newest that may follow, and none while a run waits for the box."""

from __future__ import annotations

from typing import Any

from daemon.pressahead import Candidate, choose, untold


def candidate(**changes: Any) -> Candidate:
    plain: dict[str, Any] = {"model": "late", "version": 3, "digest": "c", "production": 2, "programs": None}
    return Candidate(**{**plain, **changes})


def test_a_version_that_passed_its_gates_is_pressed_if_it_is_newer_than_what_is_in_production() -> None:
    assert choose([candidate()], (), None).candidate == candidate()
    assert choose([candidate(production=None)], (), None).candidate is not None
    assert choose([candidate(production=3)], (), None).candidate is None
    assert choose([candidate(production=4)], (), None).candidate is None


def test_what_is_pressed_or_was_tried_is_left_alone_and_the_next_models_turn_comes() -> None:
    rain = candidate(model="rain", digest="r")
    assert choose([candidate(programs="k"), rain], (), None).candidate == rain
    assert choose([candidate(), rain], {"c"}, None).candidate == rain
    assert choose([candidate(), rain], {"c", "r"}, None).candidate is None


def test_a_run_that_waits_for_the_processor_goes_first() -> None:
    choice = choose([candidate()], (), "run 7")
    assert (choice.candidate, choice.reason) == (None, "run 7 waits for the processor, and goes first")
    assert "is pressed" in choose([candidate(programs="k")], (), "run 7").reason


def test_a_version_that_was_pressed_while_no_daemon_was_there_is_told_by_the_next_one_once() -> None:
    assert untold([candidate(programs="k")]) == [candidate(programs="k")]
    assert untold([candidate(), candidate(programs="k", told=True), candidate(programs="k", production=3)]) == []
