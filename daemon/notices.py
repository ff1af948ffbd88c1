"""What a message says: alerts → a document that is the same for all channels → text for people. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from store.outbox import Waiting
from store.wire import AlertView
from store.words import SEVERITIES, Told

MOST: Final = 20
"""Alerts that a message describes; of the others it tells how many there are."""
LONGEST: Final = 1000
"""Characters of one text of an alert."""
MOST_EVIDENCE: Final = 4000
"""Characters of an alert's evidence as JSON; what is longer is left to `trainshed alerts show`."""
_WORDS: Final[Mapping[Told, str]] = {"opened": "new", "again": "still open", "escalated": "worse", "resolved": "over"}
Document = dict[str, Any]


def compose(project: str, told: Sequence[Waiting], now: datetime, timezone: str) -> Document:
    """One message that tells all of `told`: each alert once, the worst first, as it stands now.

    `text` and `title` are for people, in the zone; times elsewhere are ISO 8601 in UTC.
    """
    whats: dict[int, list[Told]] = {}
    alerts: dict[int, AlertView] = {}
    for one in told:
        whats.setdefault(one.alert.id, []).append(one.what)
        alerts[one.alert.id] = one.alert
    ordered = sorted(alerts.values(), key=lambda a: (a.state == "resolved", -SEVERITIES.index(a.severity), a.id))
    entries = [_entry(alert, whats[alert.id]) for alert in ordered[:MOST]]
    title = f"{project}: {_title(ordered, whats)}"
    lines = [line for entry in entries for line in _lines(entry, ZoneInfo(timezone))]
    more = len(ordered) - len(entries)
    if more:
        lines.append(f"and {more} more: trainshed alerts")
    return {
        "project": project,
        "at": now.isoformat(),
        "severity": max((alert.severity for alert in ordered), key=SEVERITIES.index),
        "title": title,
        "text": "\n".join(lines),
        "alerts": entries,
        "more": more,
    }


def trial(project: str, channel: str, actor: str, now: datetime) -> Document:
    """The message of `trainshed alerts test`."""
    return {
        "project": project,
        "at": now.isoformat(),
        "severity": "info",
        "title": f"{project}: a test of channel {channel}",
        "text": f"{actor} tries whether alerts arrive here. Nothing is wrong, and nothing is to be done.",
        "alerts": [],
        "more": 0,
    }


def _entry(alert: AlertView, whats: Sequence[Told]) -> Document:
    whole: Document = alert.model_dump(mode="json", exclude={"rev", "evidence"})
    kept = {name: _cut(value) if isinstance(value, str) else value for name, value in whole.items()}
    return {"what": whats[-1], "told": list(dict.fromkeys(whats)), **kept, "evidence": _evidence(alert)}


def _evidence(alert: AlertView) -> Any:
    """As JSON knows it: a number that is none becomes null, for no receiver would take the message with it."""
    text = json.dumps(alert.evidence)
    return json.loads(text, parse_constant=lambda _: None) if len(text) <= MOST_EVIDENCE else {}


def _title(alerts: Sequence[AlertView], whats: Mapping[int, Sequence[Told]]) -> str:
    first = alerts[0]
    if len(alerts) == 1:
        word = "over" if first.state == "resolved" else _WORDS[whats[first.id][-1]]
        return f"{first.severity}, {word}: {_one_line(first.title)}"
    there = [alert for alert in alerts if alert.state != "resolved"]
    critical = sum(alert.severity == "critical" for alert in there)
    counted = [f"{critical} critical"] if critical else []
    counted += [f"{len(alerts) - len(there)} over"] if len(there) < len(alerts) else []
    within = f" ({', '.join(counted)})" if counted else ""
    return f"{len(alerts)} alerts{within}, first of them: {_one_line(first.title)}"


def _lines(entry: Document, zone: ZoneInfo) -> Iterator[str]:
    """A heading with what became of it, the reason, what to do."""
    word = "over" if entry["state"] == "resolved" else _WORDS[entry["what"]]
    model = f" ({entry['model']})" if entry["model"] else ""
    yield f"{entry['severity']}, {word}: {_one_line(entry['title'])}{model}"
    yield f"  {_one_line(entry['reason'])}"
    yield f"  {_history(entry, zone)}"
    if entry["suggestion"] and entry["state"] != "resolved":
        yield f"  do: {_one_line(entry['suggestion'])}"


def _history(entry: Document, zone: ZoneInfo) -> str:
    parts = [f"alert {entry['id']}, since {_at(entry['opened_at'], zone)}"]
    if entry["seen"] > 1:
        parts.append(f"found {entry['seen']} times, the last at {_at(entry['seen_at'], zone)}")
    if entry["acknowledged_by"]:
        parts.append(f"acknowledged by {entry['acknowledged_by']}")
    if entry["state"] == "resolved":
        parts.append(f"over since {_at(entry['resolved_at'], zone)}: {_one_line(entry['why'])}")
    return "; ".join(parts)


def _at(text: str, zone: ZoneInfo) -> str:
    return f"{datetime.fromisoformat(text).astimezone(zone):%Y-%m-%d %H:%M %Z}"


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def without(text: str, secrets: Iterable[str]) -> str:
    """The text with each secret blotted out, for logs and the record."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, "…")
    return text
