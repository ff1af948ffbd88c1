"""`/v1/alerts`: what wants a person, who has said that they know of it, and the channels that tell of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal

from fastapi import Path, Query
from sqlmodel import Session

from daemon.api.part import part
from daemon.api.shed import Actor, After, Here, Limit, Name
from pipeline.config.alerts import AnyChannel
from store import alerts, outbox
from store.times import from_us
from store.wire import (
    AckRequest,
    AlertDetail,
    AlertState,
    AlertView,
    ChannelTest,
    ChannelView,
    Page,
    ResolveRequest,
)

router = part("alerts")
AlertId = Annotated[int, Path(ge=1)]
Which = Literal["unresolved", "any", "open", "acknowledged", "resolved"]
_STATES: Final[Mapping[Which, tuple[AlertState, ...]]] = {
    "unresolved": ("open", "acknowledged"),
    "any": (),
    "open": ("open",),
    "acknowledged": ("acknowledged",),
    "resolved": ("resolved",),
}


@router.get("/alerts")
def list_alerts(
    shed: Here,
    state: Annotated[Which, Query(description="Usual: those that are not over.")] = "unresolved",
    model: Annotated[str | None, Query(max_length=100, description="Only of this model.")] = None,
    limit: Limit = 50,
    after: After = None,
) -> Page[AlertView]:
    """Newest first."""
    with shed.daemon.record.read() as session:
        return alerts.list_alerts(session, states=_STATES[state], model=model, limit=limit, after=after)


@router.get("/alerts/channels")
def channels(shed: Here) -> Page[ChannelView]:
    """Those of the project file, and how each does."""
    known = shed.daemon.project.alerts.channels
    with shed.daemon.record.read() as session:
        return Page(items=[_channel(session, name, channel) for name, channel in known.items()])


@router.post("/alerts/channels/{name}/test")
def test(shed: Here, actor: Actor, name: Name) -> ChannelTest:
    """Sends a message that says that it is a test, whatever the quiet hours, and tells what was answered."""
    return shed.daemon.notifier.test(name, actor)


@router.get("/alerts/{alert}")
def show(shed: Here, alert: AlertId) -> AlertDetail:
    """One, with its evidence and who was told."""
    with shed.daemon.record.read() as session:
        row = alerts.get(session, alert)
        return AlertDetail(alert=alerts.alert_view(row), told=outbox.told(session, alert))


@router.post("/alerts/{alert}/ack")
def acknowledge(shed: Here, actor: Actor, alert: AlertId, request: AckRequest) -> AlertView:
    """Somebody knows of it: it needs nobody and there are no reminders, unless it becomes worse."""
    with shed.daemon.record.transaction() as tx:
        return alerts.acknowledge(tx, alert, actor, request.note)


@router.post("/alerts/{alert}/resolve")
def resolve(shed: Here, actor: Actor, alert: AlertId, request: ResolveRequest) -> AlertView:
    """Somebody says that it is over. What finds it again opens it again."""
    with shed.daemon.record.transaction() as tx:
        return alerts.resolve(tx, alert, actor, request.why, shed.daemon.alert_policy)


def _channel(session: Session, name: str, channel: AnyChannel) -> ChannelView:
    facts = outbox.channel_facts(session, name)
    trying = facts.oldest if facts.oldest is not None and facts.oldest.tries else None
    return ChannelView(
        name=name,
        kind=channel.kind,
        severities=list(channel.severities),
        waiting=facts.waiting,
        sent_at=from_us(facts.sent_at),
        tries=trying.tries if trying else 0,
        next_at=from_us(trying.due_at) if trying else None,
        fault=trying.fault if trying else "",
    )
