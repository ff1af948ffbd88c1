"""`/v1/status`, `/v1/box`, `/v1/events`, `/v1/at`, `/v1/shutdown`: the shed as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from daemon.api import needs, wanting
from daemon.api.schedules import with_next
from daemon.api.shed import Actor, After, Here, Limit
from store import events, runs
from store.moment import moment, step
from store.times import from_us, to_us
from store.wire import BoxView, Done, EventView, MomentView, Page, ScheduleView, ShutdownRequest, StatusView, StepView

router = APIRouter(tags=["system"])
_NEXT: Final = 5


@router.get("/status")
def status(shed: Here) -> StatusView:
    """What needs a person, what is live, what runs, what comes next."""
    daemon, identity, now = shed.daemon, shed.identity, shed.now
    revision = daemon.record.revision
    with daemon.record.read() as session:
        found = wanting.facts(session, shed)
        return StatusView(
            project=daemon.project.project.name,
            project_dir=str(identity.folder),
            home=str(daemon.home.root),
            version=identity.release,
            pid=identity.pid,
            started_at=identity.started_at,
            degraded=found.degraded,
            box=daemon.box(),
            runs=runs.count_by_state(session),
            running=runs.running(session, now),
            waiting=runs.waiting(session, now),
            needs_you=needs.needs(found),
            production=list(found.production),
            next_schedules=soonest(found.schedules),
            rev=revision,
        )


@router.get("/box")
def box(shed: Here) -> BoxView:
    """The machine, as last measured."""
    return shed.daemon.box()


@router.get("/events")
def list_events(
    shed: Here,
    subject: str | None = None,
    kind: str | None = None,
    at: Annotated[AwareDatetime | None, Query(description="The history as it stood then.")] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[EventView]:
    """The history, newest first."""
    with shed.daemon.record.read() as session:
        return events.list_events(
            session, subject=subject, kind=kind, at=to_us(at) if at else None, limit=limit, after=after
        )


@router.get("/at")
def moment_at(
    shed: Here,
    time: Annotated[AwareDatetime, Query(description="Any moment of the past, with its offset.")],
) -> MomentView:
    """The shed as it stood then: what was live, who put it there and why, what ran, waited, was to come, and what
    wanted a person."""
    at = to_us(time)
    with shed.daemon.record.read() as session:
        facts = wanting.facts_then(session, shed, at)
        then = moment(session, at)
        coming = soonest(with_next(session, facts.schedules, time))
        return then.model_copy(update={"needs_you": needs.needs(facts), "next_schedules": coming})


@router.get("/at/step")
def step_from(
    shed: Here,
    time: Annotated[AwareDatetime, Query(description="Any moment, with its offset.")],
    later: Annotated[bool, Query(description="The event after it; else the one before.")] = False,
) -> StepView:
    """When something happened next, or last, as seen from a moment."""
    with shed.daemon.record.read() as session:
        return StepView(at=from_us(step(session, to_us(time), later=later)))


@router.post("/reload")
def reload(shed: Here, actor: Actor) -> Done:
    """Reads trainshed.toml again. A broken one is refused, and the one before stays in force."""
    shed.daemon.reload(actor)
    return Done(message="the project file was read again")


@router.post("/shutdown", status_code=202)
async def shutdown(shed: Here, actor: Actor, request: ShutdownRequest) -> Done:
    """Ends the daemon; runs go on. With `drain`, after the last run has ended."""
    shed.ask_to_stop(request.drain)
    if request.drain:
        return Done(message=f"the daemon starts nothing new and stops when the last run has ended, as {actor} asked")
    return Done(message=f"the daemon stops, as {actor} asked; runs go on")


def soonest(planned: Sequence[ScheduleView]) -> list[ScheduleView]:
    """The schedules that are due next."""
    due = [(s.next_at, s.name, s) for s in planned if s.enabled and not s.broken and s.next_at is not None]
    return [schedule for _, _, schedule in sorted(due, key=lambda entry: entry[:2])[:_NEXT]]
