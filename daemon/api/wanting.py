"""The facts from which `daemon.api.needs` judges what wants a person."""

from __future__ import annotations

from typing import Final

from sqlmodel import Session

from daemon.api.data import known_tables
from daemon.api.needs import MOST, Facts, needs
from daemon.api.shed import Shed
from daemon.daemonalerts import NEEDS
from daemon.disk import free_bytes
from daemon.freshness import freshness_then, with_freshness
from daemon.shadows import idle
from daemon.trafficview import comparison_view
from daemon.waits import waiting
from daemon.watchman import Seen
from store import alerts, aliases, comparisons, datasets, runs, samples, schedules, versions
from store.past import newest_of_jobs, runs_then
from store.pastschedules import schedules_then
from store.times import from_us
from store.wire import AlertView
from store.words import CANDIDATE, PRODUCTION

_LOOKED_AT: Final = 100
"""Of the queue."""


def facts_then(session: Session, shed: Shed, at: int) -> Facts:
    """The same as they were at a time (µs), as far as the record tells. Which datasets and models the project has is
    as now; why a run waited, whether one had stalled and what was wrong with the daemon is not kept."""
    daemon = shed.daemon
    then = from_us(at)
    planned = schedules_then(session, schedules.all_rows(session), at)
    running = {schedule.name for schedule in planned if schedule.enabled and not schedule.broken}
    on = [row for row in schedules.all_rows(session) if row.name in running]
    tables = [datasets.dataset_view(session, *known, at=at) for known in known_tables(daemon.project)]
    newest = [versions.newest_then(session, name, at) for name in daemon.project.models]
    box = samples.last_box(session, at)
    return Facts(
        now=then,
        last=runs_then(session, newest_of_jobs(session, daemon.jobs, at), at),
        schedules=planned,
        newest=[version for version in newest if version is not None],
        production=aliases.current(session, PRODUCTION, at=at),
        candidates=aliases.current(session, CANDIDATE, at=at),
        was_live=aliases.ever(session, PRODUCTION, at=at),
        tables=freshness_then(session, daemon.project, daemon.jobs, tables, then, on, at),
        checks=[
            check
            for table in tables
            if set(table.checks) - {"pass"}
            for check in datasets.last_checks(session, table.name, at=at)
        ],
        compared=[
            comparison_view(row) for row in comparisons.newest(session, at=at) if row.ended_at and row.ended_at <= at
        ],
        alerts=_alerts(session, at),
        free=box.disk_free if box is not None else None,
        min_free=daemon.project.daemon.min_free,
    )


def facts(session: Session, shed: Shed) -> Facts:
    """Of the project as it is now; what only the record remembers wants nobody."""
    daemon, now = shed.daemon, shed.now
    degraded = daemon.degraded
    tables = [datasets.dataset_view(session, *known) for known in known_tables(daemon.project)]
    pointing = aliases.current(session)
    return Facts(
        now=daemon.clock(),
        last=list(runs.last_runs(session, now, daemon.jobs).values()),
        schedules=schedules.list_schedules(session),
        newest=versions.newest(session, daemon.project.models, aliases.parted(pointing)),
        production=[alias for alias in pointing if alias.alias == PRODUCTION],
        candidates=[alias for alias in pointing if alias.alias == CANDIDATE],
        was_live=aliases.ever(session, PRODUCTION),
        tables=with_freshness(session, daemon.project, daemon.jobs, tables, daemon.clock()),
        checks=[
            check
            for table in tables
            if set(table.checks) - {"pass"}
            for check in datasets.last_checks(session, table.name)
        ],
        shadows=idle(session),
        compared=[daemon.canaries.view(row) for row in comparisons.newest(session)],
        alerts=_alerts(session),
        queue=waiting(session, now, _LOOKED_AT, degraded),
        degraded=degraded,
        endpoints=daemon.endpoints.problem,
        free=free_bytes(daemon.home.root),
        min_free=daemon.project.daemon.min_free,
    )


def _alerts(session: Session, at: int | None = None) -> list[AlertView]:
    """Unresolved ones, without those that only repeat to channels what is told here anyway."""
    rows = alerts.unresolved(session, limit=MOST, at=at, but=NEEDS)
    return [alerts.alert_view(row) for row in rows]


def seen(shed: Shed) -> Seen | None:
    """For the watchman: what needs a person, and each job's newest run. None while the daemon drains."""
    if shed.daemon.draining:
        return None
    with shed.daemon.record.read() as session:
        found = facts(session, shed)
    return needs(found), found.last
