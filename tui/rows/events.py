"""The history as rows, and one event in full: who, what, from, to, why. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from tui.rows.past import instant
from tui.rows.words import clock, stamp
from tui.table.column import Cell, Column, Frame
from tui.text import Line, heading, line, pairs
from tui.themes import Tone

if TYPE_CHECKING:
    from store.wire import EventView

FAULTS: Final = "kind=run.failed,run.lost,run.upstream_failed,schedule.broken,schedule.failed"
_LONGEST: Final = 400
_SAID_ALREADY: Final = frozenset({"from", "to", "reason", "level"})
_TONES: Final[dict[str, Tone]] = {
    "failed": "bad",
    "lost": "bad",
    "upstream_failed": "bad",
    "broken": "bad",
    "cancelled": "warn",
    "paused": "warn",
    "retry": "warn",
    "rollback": "warn",
    "promote": "live",
    "succeeded": "good",
    "added": "live",
}


def columns() -> list[Column[EventView]]:
    return [
        Column(key="time", title="at", width=12, sorts=False, draw=lambda e, f: Cell(clock(e.at, f))),
        Column(key="subject", title="about", width=16, sorts=False, draw=lambda e, _: Cell(e.subject, "strong")),
        Column(key="message", title="what", width=30, grows=True, sorts=False, draw=lambda e, _: what(e)),
        Column(key="actor", title="by", width=10, sorts=False, draw=lambda e, _: Cell(e.actor, "dim")),
        Column(key="kind", title="kind", width=18, sorts=False, extra=True, draw=lambda e, _: Cell(e.kind, "dim")),
    ]


def what(event: EventView) -> Cell:
    return Cell(event.message, tone(event))


def tone(event: EventView) -> Tone:
    if event.data.get("level") in {"warning", "error"}:
        return "bad" if event.data["level"] == "error" else "warn"
    return _TONES.get(event.kind.rpartition(".")[2], "")


def facts(event: EventView, frame: Frame) -> list[Line]:
    """One event in full; what it moved stands as before → after."""
    lines = [line((event.message, tone(event))), line()]
    known: list[tuple[str, str | Cell]] = [
        ("at", stamp(event.at, frame)),
        ("by", event.actor),
        ("about", event.subject),
        ("kind", event.kind),
    ]
    if "from" in event.data or "to" in event.data:
        known.append(("moved", moved(event.data)))
    if event.data.get("reason"):
        known.append(("because", str(event.data["reason"])))
    lines += pairs(known)
    others = [(name, value) for name, value in sorted(event.data.items()) if name not in _SAID_ALREADY]
    if others:
        lines += [line(), heading("with"), *pairs([(name, said(value)) for name, value in others])]
    return lines


def moved(data: dict[str, Any]) -> str:
    """`2 → 1`; from nothing to the first."""
    before, after = (data.get(name) for name in ("from", "to"))
    return f"{said(before) if before is not None else 'nothing'} → {said(after)}"


def said(value: object) -> str:
    """A value of an event's data as words."""
    match value:
        case None:
            return "-"
        case bool():
            return "yes" if value else "no"
        case int():
            return f"{value:,}"
        case dict():
            text = ", ".join(f"{name} {said(one)}" for name, one in value.items())
        case list():
            text = ", ".join(said(one) for one in value)
        case _:
            text = str(value)
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def as_of(text: str, moment: datetime | None) -> str:
    """The filter of the history as it stood at a moment, down to the microsecond."""
    return text if moment is None else f"{text} time<={instant(moment)}".strip()


def about(subject: str) -> str:
    """The filter that leaves the events of one thing."""
    return f'subject="{subject}"'
