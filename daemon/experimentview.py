"""Experiments as people read them. Pure, from the project file and rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from daemon.trafficview import comparison_view
from pipeline.config.experiments import ExperimentSection
from pipeline.experiments.questions import question_document
from pipeline.traffic.documents import split_of
from store.tables import Comparison
from store.times import from_us
from store.wire import AskedView, ExperimentView, LookView, ReportView


def defined_view(name: str, section: ExperimentSection) -> ExperimentView:
    """One that never ran."""
    return ExperimentView(
        name=name,
        model=section.model,
        defined=True,
        asked=_asked(question_document(section, []), section.share),
        comparison=None,
        report=None,
    )


def experiment_view(row: Comparison, *, defined: bool, looks: bool, problem: str = "") -> ExperimentView:
    """One that ran, or does. `looks`: with its intervals over time."""
    (treatment,) = split_of(row.control, row.split).treatments
    report = row.state.get("report")
    return ExperimentView(
        name=row.name,
        model=row.model,
        defined=defined,
        asked=_asked(row.plan, treatment.share),
        comparison=comparison_view(row),
        report=None if report is None else ReportView.model_validate(_at(report)),
        looks=[LookView.model_validate(_at(one)) for one in row.state.get("looks", [])] if looks else [],
        problem=problem if row.status == "running" else "",
    )


def _asked(plan: Mapping[str, Any], share: float) -> AskedView:
    return AskedView(
        metric=plan["metric"],
        better=plan["better"],
        window_seconds=plan["window_s"],
        share=share,
        guardrails=plan["guardrails"],
        least_units=plan["least_units"],
        least_seconds=plan["least_time_s"],
        longest_seconds=plan["longest_s"],
        alpha=plan["alpha"],
    )


def _at(document: Mapping[str, Any]) -> dict[str, Any]:
    return {**document, "at": from_us(document["at"])}
