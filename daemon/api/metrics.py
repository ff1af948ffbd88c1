"""`/metrics`: the shed in numbers, for Prometheus. Beside `/v1`, where every scraper looks for it."""

from __future__ import annotations

from typing import Final

from fastapi.responses import PlainTextResponse, Response
from sqlmodel import Session

from daemon.api import needs, wanting
from daemon.api.monitors import monitor_views
from daemon.api.part import part
from daemon.api.shed import Here, Shed
from pipeline.config.watched import monitors_of
from store import alerts, runs, watching
from store.alerts import alert_view
from store.watchviews import window_view
from store.wire import MonitorView, WatchWindowView

router = part("metrics", prefix="")
_ALERTS: Final = 1000
"""Are counted; nobody works through more."""


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(shed: Here) -> Response:
    """Runs, queue, schedules, datasets, models and what wants a person, in the text format of Prometheus."""
    # Here, for only who is scraped needs it.
    from daemon.exposition import CONTENT_TYPE, Shown, exposition

    identity = shed.identity
    with shed.daemon.record.read() as session:
        facts = wanting.facts(session, shed)
        counts, ends = runs.count_by_state(session), runs.ends_by_state(session)
        watched = _watched(shed, session)
        unresolved = [alert_view(row) for row in alerts.unresolved(session, limit=_ALERTS)]
    told = Shown(
        release=identity.release,
        started_at=identity.started_at,
        facts=facts,
        needs=needs.needs(facts),
        runs=counts,
        ends=ends,
        watched=watched,
        alerts=unresolved,
    )
    return Response(exposition(told), media_type=CONTENT_TYPE)


def _watched(shed: Shed, session: Session) -> list[tuple[MonitorView, WatchWindowView | None]]:
    """Monitors, each with its newest window."""
    found = []
    for view in monitor_views(shed, session, monitors_of(shed.daemon.project)):
        newest = watching.newest_windows(session, view.name, limit=1)
        found.append((view, window_view(newest[0]) if newest else None))
    return found
