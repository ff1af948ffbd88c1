"""An experiment as text: where it stands, why, and its intervals over time as lines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from rich.console import RenderableType

from store.wire import (
    ArmFigures,
    AskedView,
    ComparisonView,
    DecisionView,
    ExperimentView,
    GuardrailView,
    IntervalView,
    LookView,
    ReportView,
    RuleView,
    TreatmentView,
)
from tui.draw.experiments import experiment, experiments, over_time, track
from tui.failure import Usage
from tui.render import console
from tui.verbs.experiments import _guardrail

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
ASKED = AskedView(
    metric="correct",
    better="higher",
    window_seconds=172_800,
    share=0.5,
    guardrails=[],
    least_units=1000,
    least_seconds=604_800,
    longest_seconds=None,
    alpha=0.05,
)


def interval(value: float, reach: float) -> IntervalView:
    return IntervalView(value=value, low=value - reach, high=value + reach)


def look(hours: int, found: IntervalView, action: Any = "go on") -> LookView:
    return LookView(
        at=START + timedelta(hours=hours), units=100 * hours, pending=0.5, difference=found, mismatch=1.0, action=action
    )


def running(**other: Any) -> ExperimentView:
    comparison = ComparisonView(
        id=1,
        model="late",
        kind="experiment",
        name="late_3",
        control=1,
        treatments=[TreatmentView(version=3, share=0.5, room=0.5)],
        status="running",
        stage=0,
        since=START,
        reason="trained with May",
        actor="anna",
        ended_by=None,
        began_at=START,
        ended_at=None,
    )
    report = ReportView(
        at=START + timedelta(days=8),
        metric="correct",
        better="higher",
        arms=[
            ArmFigures(version=1, share=0.5, exposed=4000, units=3000, mean=0.8),
            ArmFigures(version=3, share=0.5, exposed=4100, units=3100, mean=0.85),
        ],
        pending=0.247,
        crossed=2,
        restated=1,
        unreadable=0,
        difference=interval(0.05, 0.02),
        mismatch=0.93,
        guardrails=[
            GuardrailView(
                metric="errors",
                better="lower",
                margin=0.01,
                difference=interval(0.0, 0.004),
                answer="yes",
                reason="errors 0 better, between -0.004 and +0.004; at most 0.01 worse is allowed",
            )
        ],
        decision=DecisionView(action="promote", reason="correct +0.05, between +0.03 and +0.07: better"),
        findings=[RuleView(rule="correct", answer="yes", reason="correct +0.05, between +0.03 and +0.07: better")],
    )
    looks = [look(1, IntervalView(value=None, low=None, high=None)), look(20, interval(0.05, 0.02), "promote")]
    plain: dict[str, Any] = {"name": "late_3", "model": "late", "defined": False, "asked": ASKED}
    return ExperimentView(**{**plain, "comparison": comparison, "report": report, "looks": looks, **other})


def drawn(what: RenderableType) -> str:
    file = StringIO()
    console(file).print(what)
    return "\n".join(line.rstrip() for line in file.getvalue().splitlines())


def test_it_says_what_is_asked_where_it_stands_and_why() -> None:
    text = drawn(experiment(running()))
    assert text.splitlines()[:5] == [
        "experiment late_3 of late",
        "  v3 against v1, running; begun 2026-03-01 12:00:00Z by anna",
        "  trained with May",
        "  asks for correct, higher is better, of 50 % of the units; a unit counts 2 d after it met its version",
        "  at least 1,000 units in each arm and 7 d; alpha 0.05 over all looks",
    ]
    assert "v3       treatment     50 %  4,100    3,100  24.39 %     0.85" in text
    assert "correct  +0.05 [+0.03, +0.07], treatment minus control" in text
    assert "sizes  p = 0.93 that they are as planned" in text
    assert "2 units met both versions, and count in neither" in text
    assert "1 outcomes came after their unit had been counted, and restate it" in text
    assert "✔ errors   lower     0.01" in text
    assert "promote, 2026-03-09 12:00:00Z: correct +0.05, between +0.03 and +0.07: better" in text


def test_intervals_over_time_are_lines_about_zero() -> None:
    none, found = over_time(running().looks)
    assert none.startswith("  2026-03-01 13:00:00Z        100 units  -")
    assert found.endswith("│        ├────●─────┤  promote")
    assert track(interval(-1.0, 1.0), 2.0, 9) == "├─●─┤    "
    assert track(IntervalView(value=0.1, low=None, high=None), 2.0, 9) == "    │    "
    many = [look(hour, interval(0.0, 1 / hour)) for hour in range(1, 100)]
    lines = over_time(many, 10)
    assert len(lines) <= 11
    assert "2026-03-05 15:00:00Z" in lines[-1]


def test_one_that_never_ran_says_how_to_start_it() -> None:
    never = running(comparison=None, report=None, looks=[], defined=True)
    assert drawn(experiment(never)).splitlines()[-1] == "  trainshed experiment start late_3"
    assert "never ran" in drawn(experiments([never, running()], START))
    assert "there is none" in drawn(experiments([], START))


def test_a_guardrail_is_a_metric_and_a_margin() -> None:
    assert _guardrail("errors=0.01") == {"metric": "errors", "margin": 0.01}
    with pytest.raises(Usage, match="'errors' is no METRIC=MARGIN"):
        _guardrail("errors")
