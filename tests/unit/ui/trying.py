"""Experiments that stand still, for pictures: what their looks have found over two weeks; and one that is begun."""

from __future__ import annotations

from datetime import timedelta
from math import sin, sqrt
from typing import Any, Final

from daemon.traffic import Asked, change
from store.wire import (
    ArmFigures,
    AskedView,
    ComparisonView,
    DecisionView,
    ExperimentView,
    GuardrailAsked,
    GuardrailView,
    IntervalView,
    LookView,
    ReportView,
    RuleView,
    TrafficChange,
    TreatmentView,
)
from store.wire.experiments import Action
from tests.unit.ui.conftest import Served
from tests.unit.ui.moments import NOW

_DAYS: Final = 14
ASKED: Final = AskedView(
    metric="correct",
    better="higher",
    window_seconds=172_800.0,
    share=0.5,
    guardrails=[GuardrailAsked(metric="errors", better="lower", margin=0.005)],
    least_units=2_000,
    least_seconds=1_209_600.0,
    longest_seconds=3_628_800.0,
    alpha=0.05,
)


def interval(value: float, half: float | None) -> IntervalView:
    """None: too few units for one."""
    if half is None:
        return IntervalView(value=value, low=None, high=None)
    return IntervalView(value=value, low=value - half, high=value + half)


def looks(gain: float, count: int = 96) -> list[LookView]:
    """Intervals that narrow about a difference, the first ones unknown."""
    found = []
    for number in range(count):
        units = 60 * number
        value = gain + 0.05 * sin(number / 4) / (1 + number / 6)
        half = None if units < 200 else 2.2 / sqrt(units)
        found.append(
            LookView(
                at=NOW - timedelta(days=_DAYS * (1 - (number + 1) / count)),
                units=units,
                pending=0.14,
                difference=interval(value, half) if units else IntervalView(value=None, low=None, high=None),
                mismatch=0.61,
                action="go on",
            )
        )
    return found


def comparison(**changes: Any) -> ComparisonView:
    facts: dict[str, Any] = {
        "id": 7,
        "model": "late",
        "kind": "experiment",
        "name": "fresh_model",
        "control": 1,
        "treatments": [TreatmentView(version=2, share=0.5, room=1.0)],
        "status": "running",
        "stage": 0,
        "since": NOW - timedelta(days=_DAYS),
        "reason": "trained with May",
        "actor": "ann",
        "ended_by": None,
        "began_at": NOW - timedelta(days=_DAYS),
        "ended_at": None,
    }
    return ComparisonView(**{**facts, **changes})


def report(difference: IntervalView, action: Action, reason: str) -> ReportView:
    return ReportView(
        at=NOW - timedelta(minutes=2),
        metric="correct",
        better="higher",
        arms=[
            ArmFigures(version=1, share=0.5, exposed=3_310, units=2_851, mean=0.81213),
            ArmFigures(version=2, share=0.5, exposed=3_294, units=2_849, mean=0.81213 + (difference.value or 0.0)),
        ],
        pending=0.14,
        crossed=0,
        restated=12,
        unreadable=0,
        difference=difference,
        mismatch=0.61,
        guardrails=[
            GuardrailView(
                metric="errors",
                better="lower",
                margin=0.005,
                difference=interval(0.0004, 0.0021),
                answer="yes",
                reason="at most 0.0025 worse",
            )
        ],
        decision=DecisionView(action=action, reason=reason),
        findings=[
            RuleView(rule="sizes", answer="yes", reason="3310 and 3294 units: p = 0.61 that it is chance"),
            RuleView(rule="metric", answer="yes" if action == "promote" else "not yet", reason=reason),
        ],
    )


def experiment(gain: float, action: Action, reason: str, **changes: Any) -> ExperimentView:
    found = looks(gain)
    facts: dict[str, Any] = {
        "name": "fresh_model",
        "model": "late",
        "defined": True,
        "asked": ASKED,
        "comparison": comparison(),
        "report": report(found[-1].difference, action, reason),
        "looks": found,
    }
    return ExperimentView(**{**facts, **changes})


OPEN: Final = experiment(0.012, "go on", "the interval still holds no difference")
WON: Final = experiment(0.061, "promote", "correct +0.0610, between +0.0319 and +0.0901: better")
LOST: Final = experiment(
    -0.052,
    "roll back",
    "correct is worse",
    comparison=comparison(
        status="rolled back", reason="correct is worse", ended_by="daemon", ended_at=NOW - timedelta(minutes=2)
    ),
)
NEW: Final = experiment(0.0, "go on", "", comparison=None, report=None, looks=[])
FEW: Final = experiment(0.02, "go on", "88 of 2000 units", looks=looks(0.02)[:2])


def begin(shed: Served, **asked: Any) -> None:
    """As if it had been begun while endpoints were there."""
    project = shed.daemon.project
    wanted = TrafficChange(do="experiment", **asked)
    with shed.record.transaction() as tx:
        change(
            Asked(model="late", change=wanted, actor="anna", section=project.serving, experiments=project.experiments)
        )(tx)
