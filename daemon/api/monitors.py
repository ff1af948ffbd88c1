"""`/v1/monitors`: what is watched, window by window, what each look found, and how often it would have alarmed."""

from __future__ import annotations

import os
from typing import Annotated, Final

from fastapi import Query
from pydantic import AwareDatetime
from sqlmodel import Session

from daemon.api.part import part
from daemon.api.shed import After, Here, Limit, Name, Shed
from daemon.monitorview import monitor_view
from daemon.program import ask_program
from daemon.watchfacts import watch_facts
from pipeline.config.monitors import MonitorSection
from pipeline.config.references import nearest
from pipeline.config.watched import monitors_of
from pipeline.serving.starting import computing_environment
from store import schedules, watching
from store.errors import NotFound, StorageError
from store.tables import Schedule
from store.times import to_us
from store.watchviews import windows_page
from store.wire import BacktestView, DriftReportView, MonitorView, Page, WatchWindowView

router = part("monitors")
LONGEST_S: Final = 170.0
"""Of a version that was never looked at, all rows it learned from are read."""


@router.get("/monitors")
def list_monitors(shed: Here) -> Page[MonitorView]:
    """Those of the project file, then those that follow from what is served; each with its last report."""
    found = monitors_of(shed.daemon.project)
    with shed.daemon.record.read() as session:
        return Page(items=monitor_views(shed, session, found))


@router.get("/monitors/{name}")
def show(shed: Here, name: Name) -> MonitorView:
    section = known_monitor(shed, name)
    with shed.daemon.record.read() as session:
        return monitor_views(shed, session, {name: section})[0]


@router.get("/monitors/{name}/windows")
def windows(
    shed: Here,
    name: Name,
    since: Annotated[AwareDatetime | None, Query(description="Only those that ended later.")] = None,
    column: Annotated[str | None, Query(max_length=500, description="Only this one of their columns.")] = None,
    version: Annotated[int | None, Query(ge=0, description="Only those that it answered.")] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[WatchWindowView]:
    """Closed windows, newest first."""
    known_monitor(shed, name)
    with shed.daemon.record.read() as session:
        return windows_page(
            session,
            [name],
            limit=limit,
            after=after,
            since_us=None if since is None else to_us(since),
            version=version,
            column=column,
        )


@router.get("/monitors/{name}/reports")
def reports(shed: Here, name: Name, limit: Limit = 50, after: After = None) -> Page[DriftReportView]:
    """What each look that was not skipped has found, newest first."""
    known_monitor(shed, name)
    with shed.daemon.record.read() as session:
        return watching.reports_page(session, name, limit=limit, after=after)


@router.get("/monitors/{name}/backtest")
def backtest(
    shed: Here,
    name: Name,
    since: Annotated[AwareDatetime | None, Query(description="Only windows that ended later.")] = None,
    settings: Annotated[
        list[str] | None, Query(alias="set", description="Instead of the project file's, such as limits.psi=0.3.")
    ] = None,
) -> BacktestView:
    """How often it would have alarmed, from the windows that are stored, had it looked after each."""
    daemon = shed.daemon
    known_monitor(shed, name)
    with daemon.record.read() as session:
        facts = watch_facts(session, name, daemon.project)
    arguments = [
        str(daemon.home.root),
        str(daemon.project.root),
        name,
        f"--since={0 if since is None else to_us(since)}",
    ]
    arguments += [f"--set={one}" for one in settings or []]
    given = "" if facts is None else facts.model_dump_json()
    environ = computing_environment(os.environ)
    found = ask_program("pipeline.watching.backtest", arguments, LONGEST_S, environ, given)
    if "fault" in found:
        raise StorageError(**found["fault"])
    return BacktestView(**found)


def monitor_views(shed: Shed, session: Session, wanted: dict[str, MonitorSection]) -> list[MonitorView]:
    explicit = shed.daemon.project.monitors
    running = _schedules(session)
    last, stored = watching.last_reports(session), watching.count_windows(session)
    return [
        monitor_view(
            name,
            section,
            implied=name not in explicit,
            schedule=running.get(f"monitor:{name}"),
            report=last.get(name),
            stored=stored.get(name, 0),
        )
        for name, section in wanted.items()
    ]


def _schedules(session: Session) -> dict[str, Schedule]:
    """Job → the schedule that runs it: of several the first by name, of the sound ones."""
    rows = sorted(schedules.all_rows(session), key=lambda row: (bool(row.broken), row.name), reverse=True)
    return {row.job: row for row in rows if not row.broken}


def known_monitor(shed: Shed, name: str) -> MonitorSection:
    """Raises NotFound with the nearest."""
    found = monitors_of(shed.daemon.project)
    if name not in found:
        raise NotFound(
            f"there is no monitor {name!r}{nearest(name, found)}",
            where="monitors",
            remedy="`trainshed monitors list` shows them; a served model has one of its own name",
        )
    return found[name]
