"""Monitors as people read them: what the project file says, and where the record has them. Pure."""

from __future__ import annotations

from pipeline.config.base import duration_text
from pipeline.config.monitors import MonitorSection, RetrainSection
from store.tables import DriftReport, Schedule
from store.times import from_us
from store.watching import finding_view
from store.wire import MonitorView


def monitor_view(
    name: str,
    section: MonitorSection,
    *,
    implied: bool,
    schedule: Schedule | None,
    report: DriftReport | None,
    stored: int,
) -> MonitorView:
    """`schedule`: the one that runs it; `report`: its last; `stored`: its windows in the record."""
    return MonitorView(
        name=name,
        job=f"monitor:{name}",
        model=section.model,
        dataset=section.dataset,
        implied=implied,
        description=section.description,
        owner=section.owner,
        window=section.window,
        reference=section.held_against,
        severity=section.severity,
        least_rows=section.least_rows,
        windows=section.windows,
        needed=section.needed,
        retrains="" if section.retrain is None else retrains(section.retrain),
        schedule=None if schedule is None else schedule.name,
        every=duration_text(section.every),
        paused=schedule is not None and not schedule.enabled,
        next_at=from_us(schedule.next_at) if schedule is not None and schedule.enabled else None,
        version=None if report is None else report.version,
        state=None if report is None else report.state,
        reason="nobody has looked yet" if report is None else report.reason,
        at=None if report is None else from_us(report.at),
        report=None if report is None else report.id,
        run=None if report is None else report.run,
        stored=stored,
        kept="" if section.keep_windows is None else duration_text(section.keep_windows),
        findings=[] if report is None else [finding_view(one) for one in report.findings],
        rev=max(0 if report is None else report.rev, 0 if schedule is None else schedule.rev),
    )


def retrains(section: RetrainSection) -> str:
    """`after 2 reports in a row with drift or performance, at most 3 times in 30d, not within 7d of the last`."""
    said = f"after {section.reports} reports in a row with" if section.reports > 1 else "after a report with"
    often = f"at most {section.budget} times in {duration_text(section.per)}"
    return f"{said} {' or '.join(section.on)}, {often}, not within {duration_text(section.cool_down)} of the last"
