"""The facts from which `daemon.api.needs` judges what wants a person."""

from __future__ import annotations

from typing import Final

from sqlmodel import Session

from daemon.api.data import known_tables
from daemon.api.needs import Facts
from daemon.api.shed import Shed
from daemon.disk import free_bytes
from daemon.freshness import with_freshness
from daemon.waits import waiting
from store import aliases, datasets, runs, schedules, versions
from store.words import CANDIDATE, PRODUCTION

_LOOKED_AT: Final = 100
"""Of the queue."""


def facts(session: Session, shed: Shed) -> Facts:
    """Of the project as it is now; what only the record remembers wants nobody."""
    daemon, now = shed.daemon, shed.now
    degraded = daemon.degraded
    tables = [datasets.dataset_view(session, *known) for known in known_tables(daemon.project)]
    newest = [versions.list_versions(session, name, limit=1).items for name in daemon.project.models]
    return Facts(
        now=daemon.clock(),
        last=list(runs.last_runs(session, now, daemon.jobs).values()),
        schedules=schedules.list_schedules(session),
        newest=[version for page in newest for version in page],
        production=aliases.current(session, PRODUCTION),
        candidates=aliases.current(session, CANDIDATE),
        was_live=aliases.ever(session, PRODUCTION),
        tables=with_freshness(session, daemon.project, daemon.jobs, tables, daemon.clock()),
        checks=[
            check
            for table in tables
            if set(table.checks) - {"pass"}
            for check in datasets.last_checks(session, table.name)
        ],
        queue=waiting(session, now, _LOOKED_AT, degraded),
        degraded=degraded,
        endpoints=daemon.endpoints.problem,
        free=free_bytes(daemon.home.root),
        min_free=daemon.project.daemon.min_free,
    )
