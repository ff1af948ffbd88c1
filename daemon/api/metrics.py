"""`/metrics`: the shed in numbers, for Prometheus. Beside `/v1`, where every scraper looks for it."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import PlainTextResponse, Response

from daemon.api import needs, wanting
from daemon.api.shed import Here
from store import runs

router = APIRouter(tags=["metrics"])


@router.get("/metrics", response_class=PlainTextResponse)
def metrics(shed: Here) -> Response:
    """Runs, queue, schedules, datasets, models and what wants a person, in the text format of Prometheus."""
    # Here, for only who is scraped needs it.
    from daemon.exposition import CONTENT_TYPE, Shown, exposition

    identity = shed.identity
    with shed.daemon.record.read() as session:
        facts, counts = wanting.facts(session, shed), runs.count_by_state(session)
    told = Shown(
        release=identity.release,
        started_at=identity.started_at,
        facts=facts,
        needs=needs.needs(facts),
        runs=counts,
    )
    return Response(exposition(told), media_type=CONTENT_TYPE)
