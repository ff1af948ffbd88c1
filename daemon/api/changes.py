"""`/v1/changes`: what is new since a revision. Asking costs nothing while nothing changes."""

from __future__ import annotations

from typing import Annotated, Final

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Query, Request

from daemon.api.shed import Here, Shed
from store import changes
from store.wire import ChangesView

router = APIRouter(tags=["changes"])
_SLICE_SECONDS: Final = 2.0
"""How long a thread waits before it is seen whether the caller is still there."""
_WAITERS: Final = 100
_LONGEST: Final = 60.0


@router.get("/changes")
async def since(
    shed: Here,
    request: Request,
    since: Annotated[int, Query(ge=0, lt=2**63, description="The `rev` of the answer before.")],
    wait: Annotated[float, Query(ge=0, le=_LONGEST, description="Seconds to wait for something new.")] = 0.0,
) -> ChangesView:
    """Whole views of what changed after revision `since`, newest state only. Without news the lists are empty."""
    if since > shed.daemon.record.revision and await to_thread.run_sync(_unheard_of, shed, since):
        since = 0
    await news_or_time(shed, request, since, wait)
    return await to_thread.run_sync(_read, shed, since)


async def news_or_time(shed: Shed, request: Request, since: int, wait: float) -> None:
    """Returns when the record is newer than `since`, after `wait` seconds, or when nobody waits any more."""
    record = shed.daemon.record
    left = wait
    while left > 0 and record.revision <= since and not await request.is_disconnected():
        step = min(left, _SLICE_SECONDS)
        # Waiting threads are counted apart from working ones, so that many watchers never starve a command.
        await to_thread.run_sync(record.wait_for, since, step, limiter=waiters(request))
        left -= step


def waiters(request: Request) -> CapacityLimiter:
    """Threads that only wait: one limit for the whole app, made in its event loop."""
    state = request.app.state
    if not hasattr(state, "waiting"):
        state.waiting = CapacityLimiter(_WAITERS)
    limiter: CapacityLimiter = state.waiting
    return limiter


def _unheard_of(shed: Shed, since: int) -> bool:
    """Whether a revision is of another history, from before a backup was put back: then everything is news."""
    with shed.daemon.record.read() as session:  # the record announces a revision only after it can be read
        return since > changes.current_revision(session)


def _read(shed: Shed, since: int) -> ChangesView:
    with shed.daemon.record.read() as session:
        return changes.changes_since(session, since, shed.now)
