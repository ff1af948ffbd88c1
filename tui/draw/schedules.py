"""Schedules and the history as text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.console import RenderableType
from rich.text import Text

from store.wire import EventView, SchedulePreview, ScheduleView
from tui.printable import printable
from tui.render import Heads, Rows, ago, number_column, table, when, wide_column


def schedule_table(schedules: Sequence[ScheduleView], now: datetime) -> RenderableType:
    rows: Rows = [
        [
            s.name,
            s.job,
            f"{s.spec} {s.timezone}",
            _standing(s),
            ago(s.next_at, now) if s.enabled and not s.broken else "-",
            ago(s.last_at, now),
            str(s.failures) if s.failures else "-",
            s.broken or s.paused_reason,
        ]
        for s in schedules
    ]
    heads: Heads = [
        "schedule",
        "job",
        "when",
        "state",
        "next",
        "last",
        number_column("failed in a row"),
        wide_column(""),
    ]
    return table(heads, rows, empty="the project defines no schedules")


def next_times(preview: SchedulePreview) -> RenderableType:
    return table([preview.name], [[time] for time in preview.times], empty=f"{preview.name} has no further time")


def event_table(events: Sequence[EventView], *, empty: str = "nothing has happened yet") -> RenderableType:
    return table(
        ["at", "by", "about", wide_column("what")],
        [[when(e.at), e.actor, e.subject, e.message] for e in events],
        empty=empty,
    )


def event_line(event: EventView) -> str:
    """One line, for following; nothing in it commands the terminal."""
    return printable(f"{when(event.at)}  {event.actor}  {event.subject}  {event.message}")


def _standing(schedule: ScheduleView) -> Text:
    if schedule.broken:
        return Text("✘ broken", style="red")
    return Text("▶ on", style="green") if schedule.enabled else Text("■ paused", style="yellow")
