"""Plans: what a promotion would do, said before it is done."""

from __future__ import annotations

import pytest

from pipeline.judging.plan import planned_rollback
from store.errors import GateRefused
from tests.unit.registry.shelf import BEATS_PRODUCTION, FAILING, Shelf, compared_with


def test_the_first_plan_says_that_nothing_was_live(shelf: Shelf) -> None:
    shelf.version()
    plan = shelf.plan(1)
    assert plan.allowed
    assert plan.from_version is None
    assert plan.effects[0] == "production of late: none → version 1"
    assert plan.differences == []


def test_a_plan_shows_the_differences_to_the_live_version_and_how_to_undo(shelf: Shelf) -> None:
    shelf.promote(shelf.version())
    shelf.version(BEATS_PRODUCTION, evidence=compared_with(1))
    plan = shelf.plan(2)
    assert plan.allowed
    assert plan.differences[0].difference.low == 0.002
    assert plan.undo == "trainshed rollback late --to 1"
    assert plan.effects[0] == "production of late: version 1 → version 2"


def test_a_comparison_with_a_version_that_is_no_longer_live_does_not_count(shelf: Shelf) -> None:
    shelf.promote(shelf.version())
    shelf.promote(shelf.version())
    shelf.version(BEATS_PRODUCTION, evidence=compared_with(1))
    plan = shelf.plan(3)
    assert not plan.allowed
    assert plan.needs_override
    assert plan.differences == []
    assert "`trainshed run evaluate:late --set version=3`" in plan.gates[0].reason
    with pytest.raises(GateRefused, match="compared with version 1, and version 2 is in production now"):
        shelf.promote(3)
    shelf.judged_again(3, compared_with(2), BEATS_PRODUCTION)
    assert shelf.promote(3).to_version == 3


def test_a_plan_lists_what_callers_would_notice_in_the_signature(shelf: Shelf) -> None:
    shelf.promote(shelf.version())
    inputs = [
        {"name": "hour", "kind": "categorical", "vocabulary": ["1"]},
        {"name": "wind", "kind": "numeric", "vocabulary": []},
    ]
    shelf.version(signature={"inputs": inputs, "classes": ["no", "yes", "maybe"]})
    assert shelf.plan(2).signature_changes == [
        "needs numeric column wind, which the live version does not",
        "column hour was numeric and is categorical",
        "classes were no, yes and are no, yes, maybe",
    ]


def test_a_plan_for_what_is_live_already_has_nothing_to_do(shelf: Shelf) -> None:
    shelf.promote(shelf.version())
    plan = shelf.plan(1)
    assert not plan.allowed
    assert not plan.needs_override
    assert plan.warnings == ["production is version 1 already: there is nothing to do"]


def test_a_plan_warns_when_the_version_is_older_than_the_live_one(shelf: Shelf) -> None:
    shelf.version()
    shelf.version()
    shelf.promote(2)
    assert shelf.plan(1).warnings == ["version 1 is older than the live version 2"]


def test_a_plan_of_going_back_is_allowed_whatever_the_gates_say_of_an_old_version(shelf: Shelf) -> None:
    shelf.promote(shelf.version(FAILING), override=True, reason="only one there is")
    shelf.promote(shelf.version())
    with shelf.record.read() as session:
        plan = planned_rollback(session, "late", "production", None)
    assert (plan.from_version, plan.to_version, plan.allowed, plan.needs_override) == (2, 1, True, False)
    assert plan.gates[0].outcome == "fail"
    assert plan.undo == "trainshed rollback late --to 2"


def test_a_plan_of_going_back_shows_the_gates_as_they_were_judged_and_that_they_do_not_bind(shelf: Shelf) -> None:
    shelf.promote(shelf.version(BEATS_PRODUCTION))
    shelf.promote(shelf.version())
    with shelf.record.read() as session:
        plan = planned_rollback(session, "late", "production", None)
    assert plan.allowed
    assert [gate.outcome for gate in plan.gates] == ["pass"]
    assert plan.effects[-1] == (
        "version 1 was production before: its gates, shown as they were judged then, do not bind"
    )
    assert plan.warnings == []
