"""Alerts and channels as text."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from store.wire import AlertDetail, AlertSeverity, AlertView, ChannelView, ToldView
from tui.render import Heads, Rows, ago, heading, number_column, span, table, when, wide_column

_MARKS: Final[Mapping[AlertSeverity, tuple[str, str]]] = {
    "critical": ("✘", "red"),
    "warning": ("!", "yellow"),
    "info": ("·", "cyan"),
}


def alerts(views: Sequence[AlertView], now: datetime) -> RenderableType:
    """A line an alert."""
    heads: Heads = ["alert", "severity", "state", "since", number_column("found"), wide_column("what")]
    rows: Rows = [
        [str(one.id), _severity(one), _state(one), ago(one.opened_at, now), f"{one.seen:,}", _what(one)]
        for one in views
    ]
    return table(heads, rows, empty="nothing wants you: no alert is open")


def alert(detail: AlertDetail, now: datetime) -> RenderableType:
    """One in full."""
    one = detail.alert
    parts: list[RenderableType] = [
        Text.assemble(_severity(one), "  ", (_what(one), "bold")),
        Text(one.reason),
        Text(f"alert {one.id} of {one.source}: {one.kind}, {one.subject}", style="dim"),
        *[Text(line) for line in _history(one, now)],
    ]
    if one.suggestion:
        parts.append(Text.assemble(("do    ", "dim"), one.suggestion))
    if one.evidence:
        parts += [Text(""), heading("evidence"), _evidence(one.evidence)]
    parts += [Text(""), heading("told"), _told(one, detail.told, now)]
    return Group(*parts)


def channels(views: Sequence[ChannelView], now: datetime) -> RenderableType:
    """A line a channel, with what stands in its way."""
    heads: Heads = [
        "channel",
        "kind",
        "is told of",
        "last message",
        number_column("waiting"),
        wide_column("how it does"),
    ]
    rows: Rows = [
        [one.name, one.kind, ", ".join(one.severities), ago(one.sent_at, now), f"{one.waiting:,}", _health(one, now)]
        for one in views
    ]
    return table(heads, rows, empty="there is none: write [alerts.channels.NAME] into trainshed.toml")


def _severity(one: AlertView) -> Text:
    glyph, colour = _MARKS[one.severity]
    return Text(f"{glyph} {one.severity}", style=colour if one.state != "resolved" else "dim")


def _state(one: AlertView) -> Text:
    match one.state:
        case "open":
            return Text("open", style="bold")
        case "acknowledged":
            return Text(f"acknowledged by {one.acknowledged_by}")
        case "resolved":
            return Text(f"resolved by {one.resolved_by}", style="dim")


def _what(one: AlertView) -> str:
    return f"{one.title} ({one.model})" if one.model else one.title


def _history(one: AlertView, now: datetime) -> Iterator[str]:
    back = f", came back {'once' if one.reopened == 1 else f'{one.reopened:,} times'}" if one.reopened else ""
    last = f", found {one.seen:,} times{back}, the last {ago(one.seen_at, now)}" if one.seen > 1 else ""
    report = f", by report {one.report}" if one.report is not None else ""
    yield f"since {when(one.opened_at)}, {ago(one.opened_at, now)}{last}{report}"
    if one.acknowledged_at is not None:
        note = f": {one.note}" if one.note else ""
        yield f"acknowledged {when(one.acknowledged_at)} by {one.acknowledged_by}{note}"
    if one.resolved_at is not None:
        yield f"resolved {when(one.resolved_at)} by {one.resolved_by}: {one.why}"


def _evidence(evidence: Mapping[str, Any]) -> RenderableType:
    """Numbers first, a line each; then a table for each list of things that have the same fields."""
    tables = {name: value for name, value in sorted(evidence.items()) if _is_table(value)}
    rows: Rows = [[name, _cell(value)] for name, value in sorted(evidence.items()) if name not in tables]
    parts: list[RenderableType] = [table(["", wide_column("")], rows, empty="")] if rows else []
    for name, value in tables.items():
        heads = list(value[0])
        parts += [
            Text(name, style="dim"),
            table(heads, [[_cell(one.get(head)) for head in heads] for one in value], empty=""),
        ]
    return Group(*parts)


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)


def _cell(value: Any) -> str:
    match value:
        case None:
            return "-"
        case str():
            return value
        case float():
            return f"{value:.4g}"
        case _:
            return json.dumps(value)


def _told(alert: AlertView, told: Sequence[ToldView], now: datetime) -> RenderableType:
    rows: Rows = [[one.channel, one.what, _outcome(one, now)] for one in told]
    empty = "nobody: no channel is told of this severity"
    if alert.state == "resolved":
        empty = "no message is known: no channel was told of this severity, or alerts.keep_messages has passed since"
    return table(["channel", "what", wide_column("")], rows, empty=empty)


def _outcome(one: ToldView, now: datetime) -> Text:
    if one.sent_at is not None:
        return Text(f"✔ {ago(one.sent_at, now)}", style="green")
    if one.gave_up_at is not None:
        return Text(f"✘ given up {ago(one.gave_up_at, now)}: {one.fault}", style="red")
    if one.tries:
        return Text(f"! {one.tries} tries failed, the next {_soon(one.due_at, now)}: {one.fault}", style="yellow")
    return Text(f"… {_soon(one.due_at, now)}", style="cyan")


def _health(one: ChannelView, now: datetime) -> Text:
    if not one.fault:
        return Text("✔ well" if one.sent_at else "nothing was sent yet", style="green" if one.sent_at else "dim")
    following = "" if one.next_at is None else f", the next {_soon(one.next_at, now)}"
    return Text(f"! {one.tries} tries failed{following}: {one.fault}", style="yellow")


def _soon(moment: datetime, now: datetime) -> str:
    return f"in {span(moment - now)}" if moment > now else "at once, or after the quiet hours"
