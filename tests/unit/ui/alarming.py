"""Alerts of the shop: five of them, in every state and severity; and what channels were told, for pictures."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from store import alerts
from store.findings import Finding, Policy
from store.times import to_us
from store.wire import AlertDetail, ToldView
from tests.unit.ui.conftest import Served
from tests.unit.ui.moments import NOW
from tui.client import Client

POLICY: Final = Policy(channels={"ops": {"warning", "critical"}, "mail": {"critical"}})
AUC: Final = Finding(
    kind="performance",
    subject="auc",
    severity="critical",
    title="auc of late has fallen",
    reason="auc 0.712 in the windows of Jun 13 and Jun 14, 0.041 below the 0.753 that version 1 was judged by; "
    "0.020 is allowed; 62% of 4,812 rows have a label",
    evidence={"metric": "auc", "value": 0.712, "reference": 0.753, "drop": 0.041, "limit": 0.02, "coverage": 0.62},
    suggestion="train it again with the newest rows: `trainshed run train:late --upstream`",
    model="late",
)
AMOUNT: Final = Finding(
    kind="drift",
    subject="amount",
    severity="warning",
    title="amount has drifted",
    reason="psi 0.314 in 3 of 3 windows, and 0.2 counts: its mean went from 18.2 to 24.9",
    evidence={"measures": {"psi": 0.314, "ks": 0.21}, "limits": {"psi": 0.2, "ks": 0.1}, "windows": [1, 2, 3]},
    suggestion="`trainshed drift late --column amount` shows how",
    model="late",
)
HABIT: Final = Finding(
    kind="drift",
    subject="orders_7d",
    severity="warning",
    title="orders_7d has drifted",
    reason="missing: 8.1% of the rows have no value, 0.4% had none when it learned",
    suggestion="look at the checks of habits: `trainshed data checks habits`",
    model="late",
)
OLD: Final = Finding(
    kind="rot",
    subject="age",
    severity="info",
    title="version 1 of late is old",
    reason="it was made 2 days ago, and versions of it have lasted 1 day",
    model="late",
)
CHANNEL: Final = Finding(
    kind="daemon",
    subject="mail",
    severity="critical",
    title="channel mail cannot be reached",
    reason="3 messages wait; the last of 5 tries failed: connection refused",
    suggestion="`trainshed alerts test mail` tries it now",
)


def write(shed: Served) -> None:
    """Their story of the last day, through the record's own functions."""
    _look(shed, "channel:mail", [CHANNEL], hours=20)
    _look(shed, "monitor:late", [OLD], hours=18)
    _look(shed, "channel:mail", [], hours=17)
    _look(shed, "monitor:late", [HABIT], hours=9)
    for hours in (3, 2, 1):
        _look(shed, "monitor:late", [AUC, AMOUNT, HABIT], hours=hours)
    shed.clock.back(minutes=40)
    with shed.record.transaction() as tx:
        alerts.acknowledge(tx, number(shed, HABIT), "ann", "the new shop sends no history yet")
    shed.clock.back(seconds=0)


def number(shed: Served, finding: Finding) -> int:
    """Of the alert that a finding made."""
    with shed.record.read() as session:
        found = alerts.list_alerts(session, states=(), model=None, limit=50).items
    return next(one.id for one in found if (one.kind, one.subject) == (finding.kind, finding.subject))


def _look(shed: Served, source: str, found: list[Finding], *, hours: float) -> None:
    shed.clock.back(hours=hours)
    with shed.record.transaction() as tx:
        at = to_us(shed.clock.now)
        covered: Any = {"drift": None, "performance": None, "rot": None, "daemon": None}
        alerts.observe(tx, source, found, at, covered=covered, policy=POLICY)


def told(client: Client, alert: int) -> AlertDetail:
    """One as if its channels had been told of it, and one could not be."""
    sent = NOW - timedelta(hours=2, minutes=59)
    found = client.alert(alert)
    base: dict[str, Any] = {"due_at": sent, "tries": 0, "sent_at": None, "gave_up_at": None, "fault": ""}
    return found.model_copy(
        update={
            "told": [
                ToldView(**{**base, "channel": "ops", "what": "opened", "sent_at": sent}),
                ToldView(
                    **{**base, "channel": "pager", "what": "opened", "gave_up_at": NOW, "tries": 9, "fault": "404"}
                ),
                ToldView(**{**base, "channel": "mail", "what": "again", "tries": 2, "fault": "connection refused"}),
                ToldView(**{**base, "channel": "ops", "what": "again", "due_at": NOW + timedelta(hours=20)}),
            ]
        }
    )
