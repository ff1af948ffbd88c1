"""Experiments: what is asked, where it stands, and how its interval came about."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from store.wire.base import Wire
from store.wire.traffic import ComparisonView, RuleView

Action = Literal["promote", "roll back", "go on", "invalid"]
Better = Literal["higher", "lower"]


class IntervalView(Wire):
    """Treatment minus control, with an interval that may be looked at any time. Null: nothing is known yet."""

    value: float | None
    low: float | None
    high: float | None


class GuardrailAsked(Wire):
    metric: str
    better: Better
    margin: float
    """How much worse it may become, in the metric's own unit."""


class GuardrailView(GuardrailAsked):
    """A metric that must not be harmed, and what is known of it."""

    difference: IntervalView
    answer: Literal["yes", "no", "not yet"]
    reason: str


class ArmFigures(Wire):
    """A version in an experiment."""

    version: int
    share: float
    """Of the units, as planned."""
    exposed: int
    """Units that met it."""
    units: int
    """Of them, those whose window is over; the others are pending."""
    mean: float | None
    """The metric, of those units; null without any."""


class DecisionView(Wire):
    action: Action
    reason: str


class ReportView(Wire):
    """Where an experiment stood at a moment."""

    at: datetime
    metric: str
    better: Better
    arms: list[ArmFigures]
    """Control first."""
    pending: float
    """Share of the units whose window is open."""
    crossed: int
    """Units that met both versions, and count in neither."""
    restated: int
    """Outcomes that arrived after their unit had been counted without them."""
    unreadable: int
    """Labels that are no number, no class of the model, or not one for each row of their request."""
    difference: IntervalView
    mismatch: float
    """The smallest always-valid p-value of the arms' sizes so far."""
    guardrails: list[GuardrailView]
    decision: DecisionView
    findings: list[RuleView]


class LookView(Wire):
    """What a look said; of many, ever fewer are kept the longer they are past."""

    at: datetime
    units: int
    """Of both arms, whose window is over."""
    pending: float
    difference: IntervalView
    mismatch: float
    action: Action


class AskedView(Wire):
    """What an experiment asks."""

    metric: str
    better: Better
    window_seconds: float
    share: float
    """Of the units that meet the version."""
    guardrails: list[GuardrailAsked]
    least_units: int
    least_seconds: float
    longest_seconds: float | None
    alpha: float


class ExperimentView(Wire):
    """An experiment by its name: the last one that ran, or one of the project file that never has."""

    name: str
    model: str
    defined: bool
    """By the project file."""
    asked: AskedView
    comparison: ComparisonView | None
    report: ReportView | None
    """Of the last look."""
    looks: list[LookView] = []
    """Oldest first; lists leave them out."""
    problem: str = ""
    """Why the last look could not be had."""
