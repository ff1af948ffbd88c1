"""What a report says wants a person, as alerts are made of it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pipeline.config.monitors import MonitorSection
from pipeline.watching.assessed import Assessed, plain
from pipeline.watching.assessment import Standing
from store.findings import Finding
from store.words import AlertSeverity


def of_columns(monitor: str, section: MonitorSection, columns: Sequence[Mapping[str, Any]]) -> list[Finding]:
    """One for each column that has drifted."""
    return [_of_column(monitor, section, one) for one in columns if one["state"] == "drifted"]


def known_columns(columns: Sequence[Mapping[str, Any]]) -> list[str]:
    """Those that something could be said of."""
    return [one["name"] for one in columns if one["state"] != "not yet"]


def of_standings(monitor: str, section: MonitorSection, standings: Sequence[Standing]) -> list[Finding]:
    return [_of_standing(section, one) for one in standings if one.stands]


def document(one: Finding) -> dict[str, Any]:
    """Plain JSON."""
    found: dict[str, Any] = plain(asdict(one))
    return found


def _of_column(monitor: str, section: MonitorSection, column: Mapping[str, Any]) -> Finding:
    name = column["name"]
    what = {"feature": "", "prediction": "the prediction ", "label": "the label "}[column["subject"]]
    return Finding(
        kind="drift",
        subject=name,
        severity=section.severity,
        title=f"{what}{name} has drifted",
        reason=column["reason"],
        evidence={
            key: column[key] for key in ("measures", "mean", "reference_mean", "missing", "new") if key in column
        },
        suggestion=f"`trainshed monitors show {monitor} --column {name}` shows since when: has its source changed?",
        model=section.model or "",
    )


def _of_standing(section: MonitorSection, one: Standing) -> Finding:
    told = one.newest
    often = f"; so in {one.found} of {one.windows} windows" if one.windows > 1 else ""
    return Finding(
        kind=told.kind,
        subject=told.subject,
        severity=_severity(section, told),
        title=told.title,
        reason=told.reason + often,
        evidence=told.evidence,
        suggestion=told.suggestion,
        model=section.model or "",
    )


def _severity(section: MonitorSection, told: Assessed) -> AlertSeverity:
    """What no label and no request has shown yet is no more than a warning."""
    guessed = told.kind in ("skew", "rot", "drift") or told.subject.endswith("(estimated)")
    return "warning" if guessed else section.severity
