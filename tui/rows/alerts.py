"""Alerts as rows, and one of them in full: what is so, what to do, who was told. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final

from tui.rows.proof import proof
from tui.rows.words import ALERTS, SEVERITIES, clock, count, stamp
from tui.table.column import Cell, Column, Frame
from tui.text import Line, line, pairs

if TYPE_CHECKING:
    from store.wire import AlertSeverity, AlertView, ToldView

FAULTS: Final = "state!=resolved"
"""What `!` leaves."""
THEN: Final = "Whether somebody knew of it, and whether it was over, is as it was; words and counts are of now"
_RANKS: Final[Mapping[AlertSeverity, int]] = {"critical": 0, "warning": 1, "info": 2}
_WAITS: Final[Mapping[str, int]] = {"open": 0, "acknowledged": 1, "resolved": 2}


def columns() -> list[Column[AlertView]]:
    return [
        Column(
            key="severity",
            title="alert",
            width=10,
            draw=lambda a, _: severity(a),
            value=lambda a: a.severity,
            order=lambda a: _RANKS[a.severity],
        ),
        Column(key="title", title="what", width=20, grows=True, draw=lambda a, _: title(a)),
        Column(
            key="state",
            title="state",
            width=14,
            draw=lambda a, _: ALERTS[a.state],
            value=lambda a: a.state,
            order=lambda a: _WAITS[a.state],
        ),
        Column(
            key="since",
            title="since",
            width=12,
            draw=lambda a, f: Cell(clock(a.opened_at, f), "dim"),
            value=lambda a: a.opened_at.isoformat(),
        ),
        Column(
            key="found",
            title="found",
            width=5,
            right=True,
            least=81,
            draw=lambda a, _: Cell(count(a.seen)),
            value=lambda a: a.seen,
        ),
        Column(key="id", title="number", width=6, right=True, extra=True, draw=_number, value=lambda a: a.id),
        Column(key="model", title="model", width=10, extra=True, draw=lambda a, _: Cell(a.model)),
        Column(key="kind", title="kind", width=11, extra=True, draw=lambda a, _: Cell(a.kind)),
        Column(key="subject", title="about", width=14, extra=True, draw=lambda a, _: Cell(a.subject)),
        Column(key="source", title="found by", width=16, extra=True, draw=lambda a, _: Cell(a.source, "dim")),
        Column(key="reason", title="why", width=40, extra=True, draw=lambda a, _: Cell(a.reason, "dim")),
    ]


def _number(alert: AlertView, _: Frame) -> Cell:
    return Cell(str(alert.id), "dim")


def severity(alert: AlertView) -> Cell:
    """One that is over is past worrying about."""
    sign = SEVERITIES[alert.severity]
    return sign if alert.state != "resolved" else Cell(sign.text, "dim")


def title(alert: AlertView) -> Cell:
    return Cell(alert.title, "dim" if alert.state == "resolved" else "strong")


def ordered(alerts: Iterable[AlertView]) -> list[AlertView]:
    """What nobody knows of first, the worst of it before all; what is over comes last. Newest first among equals."""
    return sorted(alerts, key=lambda a: (_WAITS[a.state], 0 if a.state == "resolved" else _RANKS[a.severity], -a.id))


def at(alerts: Iterable[AlertView], moment: datetime) -> list[AlertView]:
    """Those that had been opened, each in the state of then, as far as the record tells."""
    return [state_at(alert, moment) for alert in alerts if alert.opened_at <= moment]


def state_at(alert: AlertView, moment: datetime) -> AlertView:
    """As it stood: what happened to it later has not happened yet."""
    later: dict[str, Any] = {}
    if alert.resolved_at is not None and alert.resolved_at > moment:
        later |= {"resolved_at": None, "resolved_by": None, "why": ""}
    if alert.acknowledged_at is not None and alert.acknowledged_at > moment:
        later |= {"acknowledged_at": None, "acknowledged_by": None, "note": ""}
    over = alert.resolved_at is not None and alert.resolved_at <= moment
    known = alert.acknowledged_at is not None and alert.acknowledged_at <= moment
    later["state"] = "resolved" if over else "acknowledged" if known else "open"
    return alert.model_copy(update=later)


# ---- one in short, and in full ---------------------------------------------------------------------------------------


def sentence(alert: AlertView) -> list[Line]:
    """Why it alarmed, and what to do: what `?` says."""
    lines = [line(alert.reason or alert.title)]
    return [*lines, line(("→ ", "key"), alert.suggestion)] if alert.suggestion else lines


def facts(alert: AlertView, frame: Frame) -> list[Line]:
    """For the pane beside the list."""
    return [
        line(severity(alert), "   ", ALERTS[alert.state]),
        line((alert.title, "strong")),
        line(),
        *sentence(alert),
        line(),
        *course(alert, frame),
    ]


def below(alert: AlertView, frame: Frame) -> list[Line]:
    """For the pane under a narrow list: what the list does not say."""
    often = f"found {_times(alert.seen)}, the last at {clock(alert.seen_at, frame)}"
    return [*sentence(alert), *([line((often, "dim"))] if alert.seen > 1 else []), *_ends(alert, frame)]


def head(alert: AlertView, frame: Frame) -> list[Line]:
    """Two lines that say the most."""
    model = f" of {alert.model}" if alert.model else ""
    back = f", came back {_times(alert.reopened)}" if alert.reopened else ""
    said = f"{alert.kind}{model}, since {clock(alert.opened_at, frame)}; found {_times(alert.seen)}{back}"
    last = f", the last at {clock(alert.seen_at, frame)}" if alert.seen > 1 else ""
    return [line(severity(alert), "  ", ALERTS[alert.state], "  ", (alert.title, "strong")), line((said + last, "dim"))]


def evidence(alert: AlertView, frame: Frame) -> list[Line]:
    """Everything that is known of it, the reason first."""
    return [*sentence(alert), line(), *course(alert, frame), *proof(alert.evidence)]


def course(alert: AlertView, frame: Frame) -> list[Line]:
    """What it is about, how long and how often, who did what."""
    report = f", report {alert.report}" if alert.report is not None else ""
    back = f", came back {_times(alert.reopened)}" if alert.reopened else ""
    known: list[tuple[str, str | Cell]] = [
        ("about", f"{alert.subject} ({alert.kind})" + (f" of {alert.model}" if alert.model else "")),
        ("found by", f"{alert.source}{report}"),
        ("since", stamp(alert.opened_at, frame)),
        ("found", f"{_times(alert.seen)}{back}"),
        ("last", stamp(alert.seen_at, frame)),
    ]
    return [*pairs(known), *_ends(alert, frame)]


def _ends(alert: AlertView, frame: Frame) -> Iterator[Line]:
    if alert.acknowledged_at is not None:
        note = f": {alert.note}" if alert.note else ""
        said = f"{alert.acknowledged_by} knows of it since {clock(alert.acknowledged_at, frame)}{note}"
        yield line(("◐ ", "live"), said)
    if alert.resolved_at is not None:
        why = f": {alert.why}" if alert.why else ""
        yield line(("✔ ", "good"), f"over since {clock(alert.resolved_at, frame)}, by {alert.resolved_by}{why}")


def _times(number: int) -> str:
    return "once" if number == 1 else f"{count(number)} times"


# ---- who was told ----------------------------------------------------------------------------------------------------


def told(alert: AlertView, found: Sequence[ToldView], frame: Frame) -> list[Line]:
    """A line a message, oldest first."""
    if not found:
        return [line((_untold(alert), "dim"))]
    names, whats = (
        max(len(text) for text in column) for column in zip(*((t.channel, t.what) for t in found), strict=True)
    )
    return [
        line((one.channel.ljust(names), "strong"), f"  {one.what.ljust(whats)}  ", _outcome(one, frame))
        for one in found
    ]


def _untold(alert: AlertView) -> str:
    if alert.state == "resolved":
        return "no message is known: no channel was told of this severity, or alerts.keep_messages has passed since"
    return "nobody was told: no channel is told of this severity"


def told_until(found: Iterable[ToldView], moment: datetime) -> list[ToldView]:
    """Those that had been sent, or given up, by then."""
    return [one for one in found if (done := one.sent_at or one.gave_up_at) is not None and done <= moment]


def _outcome(one: ToldView, frame: Frame) -> Cell:
    if one.sent_at is not None:
        return Cell(f"✔ sent {clock(one.sent_at, frame)}", "good")
    if one.gave_up_at is not None:
        return Cell(f"✘ given up {clock(one.gave_up_at, frame)}: {one.fault}", "bad")
    if one.tries:
        return Cell(f"! failed {_times(one.tries)}, tried again {clock(one.due_at, frame)}: {one.fault}", "warn")
    return Cell(f"… is to be told {clock(one.due_at, frame)}", "live")
