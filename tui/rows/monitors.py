"""Monitors and their columns as one list, and each of them in a few sentences. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from tui.rows import verdicts
from tui.rows.heat import GLYPHS, STRIP, deciding, strip, worst
from tui.rows.words import DRIFT, count, figure, percent, since_epoch, stamp
from tui.table.column import Cell, Column, Frame
from tui.text import Line, line, pairs

if TYPE_CHECKING:
    from store.wire import DriftWord, HeatColumn, HeatView, MonitorView

R = TypeVar("R")
FAULTS: Final = "state~drifted"
THEN: Final = "Windows and verdicts are of then; what a monitor is, from the file of now"
_MOST: Final = 12
"""Columns of one monitor in the list."""
_LEAST: Final = 3


@dataclass(frozen=True)
class Entry:
    """A line of the list: a monitor, one of its columns, or how many more it has."""

    monitor: MonitorView
    heat: HeatView | None
    column: HeatColumn | None = None
    more: int = 0

    @property
    def key(self) -> tuple[str, str]:
        return self.monitor.name, "…" if self.more else f"/{self.column.name}" if self.column else ""


def entries(monitors: Sequence[MonitorView], heats: Mapping[str, HeatView]) -> list[Entry]:
    """Each monitor, then its columns that drifted or were at their limit, the hottest others, and how many more."""
    found: list[Entry] = []
    for monitor in monitors:
        heat = heats.get(monitor.name)
        columns = [] if heat is None else heat.columns
        shown = [one for one in columns if _hot(one)][:_MOST]
        shown += [one for one in columns if one not in shown][: max(0, _LEAST - len(shown))]
        found += [Entry(monitor, heat), *(Entry(monitor, heat, one) for one in shown)]
        if len(columns) > len(shown):
            found.append(Entry(monitor, heat, more=len(columns) - len(shown)))
    return found


def _hot(column: HeatColumn) -> bool:
    return column.state == "drifted" or any(level is not None and level >= 1.0 for level in column.levels)


def columns() -> list[Column[Entry]]:
    return [
        Column(key="name", title="monitor", width=14, grows=True, draw=lambda e, _: name(e), value=_name),
        Column(key="state", title="state", width=9, draw=lambda e, _: state(e)),
        _heat(lambda e, _: over_time(e)),
        Column(key="what", title="decides", width=16, draw=lambda e, _: what(e)),
        Column(key="next", title="next", width=7, draw=upcoming, order=lambda e: since_epoch(e.monitor.next_at)),
        Column(
            key="window", title="window", width=9, extra=True, draw=lambda e, _: Cell(_of_monitor(e, e.monitor.window))
        ),
        Column(
            key="version", title="of", width=16, extra=True, draw=lambda e, _: Cell(_of_monitor(e, about(e.monitor)))
        ),
        Column(key="why", title="why", width=60, extra=True, draw=lambda e, _: Cell(reason(e), "dim")),
    ]


def _name(entry: Entry) -> str:
    return entry.monitor.name if entry.column is None else f"{entry.monitor.name} {entry.column.name}"


def _of_monitor(entry: Entry, text: str) -> str:
    return "" if entry.column is not None or entry.more else text


def name(entry: Entry) -> Cell:
    """Columns stand under their monitor; `→` is what the version answers."""
    if entry.more:
        return Cell(f"  … {count(entry.more)} more", "dim")
    if entry.column is not None:
        return column_name(entry.column, "  ")
    return Cell(entry.monitor.name, "strong")


def column_name(column: HeatColumn, before: str = "") -> Cell:
    return Cell(f"{before}{'→ ' if column.subject == 'prediction' else ''}{column.name}")


def state(entry: Entry) -> Cell:
    if entry.more:
        return Cell("")
    if entry.column is not None:
        return column_state(entry.column)
    found = _state(entry)
    return Cell("· unseen", "dim") if found is None else DRIFT[found]


def _state(entry: Entry) -> DriftWord | None:
    """As the last report says; at a time in the past, the last one of then."""
    return entry.heat.state if entry.heat is not None else entry.monitor.state


def over_time(entry: Entry) -> Cell:
    if entry.heat is None or entry.more:
        return Cell("")
    return strip(entry.column.levels if entry.column is not None else worst(entry.heat))


def what(entry: Entry) -> Cell:
    """Of a column the measure that decides; of a monitor how good its answers are."""
    if entry.more:
        return Cell("Enter: all", "dim")
    if entry.column is not None:
        return deciding(entry.column)
    return accuracy(entry)


def accuracy(entry: Entry) -> Cell:
    """Measured by labels, else `≈` estimated without them."""
    heat = entry.heat
    if heat is None or (heat.measured is None and heat.estimated is None):
        return Cell("-", "dim")
    worse = any(finding.kind == "performance" for finding in entry.monitor.findings)
    if heat.measured is not None:
        return Cell(f"{heat.measured.metric} {figure(heat.measured.value)}", "bad" if worse else "")
    assert heat.estimated is not None
    return Cell(f"{heat.estimated.metric} ≈{figure(heat.estimated.value)}", "bad" if worse else "dim")


def upcoming(entry: Entry, frame: Frame) -> Cell:
    """When it looks next."""
    if entry.column is not None or entry.more:
        return Cell("")
    monitor = entry.monitor
    if monitor.paused:
        return Cell("paused", "warn")
    if monitor.next_at is None:
        return Cell("by hand", "dim")
    here = monitor.next_at.astimezone(frame.zone)
    return Cell(f"{here:%H:%M}" if monitor.next_at - frame.now < timedelta(days=1) else f"{here:%b %d}")


def reason(entry: Entry) -> str:
    if entry.column is not None:
        return entry.column.reason
    return entry.heat.reason if entry.heat is not None else entry.monitor.reason


def about(monitor: MonitorView) -> str:
    """`late v3`, or the dataset."""
    if monitor.model is None:
        return monitor.dataset or ""
    return monitor.model if monitor.version is None else f"{monitor.model} v{monitor.version}"


# ---- sentences -------------------------------------------------------------------------------------------------------


def sentence(entry: Entry) -> list[Line]:
    """Why it alarmed, or did not, with the numbers."""
    if entry.more:
        return [line(f"{count(entry.more)} more columns of {entry.monitor.name} are calm: Enter lists all")]
    if entry.column is not None:
        return column_sentence(entry.column)
    return [*_reason(entry), *verdicts.findings(entry.monitor.findings)]


def column_sentence(column: HeatColumn) -> list[Line]:
    """Its state, and the sentence of the report that decided."""
    if column.state is None:
        return [line(("· ", "dim"), f"{column.name}: no report says anything of it yet")]
    return [line(DRIFT[column.state], "  ", (column.name, "strong")), line(column.reason)]


def _reason(entry: Entry) -> list[Line]:
    found = _state(entry)
    said = reason(entry) or "nobody has looked yet: T looks now"
    return [line(("· ", "dim"), said)] if found is None else [line(DRIFT[found], "  "), line(said)]


def facts(entry: Entry, frame: Frame) -> list[Line]:
    """For the pane beside the list."""
    return [*sentence(entry), line(), *known(entry.monitor, entry.heat, frame)]


def known(monitor: MonitorView, heat: HeatView | None, frame: Frame) -> list[Line]:
    """What it is, how it stands, when it looks."""
    rule = f"in {monitor.needed} of {monitor.windows} windows, of {count(monitor.least_rows)} rows at least"
    looked = heat.at if heat is not None else monitor.at
    told: list[tuple[str, str | Cell]] = [
        ("monitor", monitor.name + (" (of the served model, by default)" if monitor.implied else "")),
        ("watches", about(monitor)),
        ("windows", f"{monitor.window} against {held_against(monitor)}"),
        ("alarms", rule),
        ("accuracy", _accuracy(heat)),
        ("looked", stamp(looked, frame) + (f", run {heat.run}" if heat is not None and heat.run is not None else "")),
        ("next", _next(monitor, frame)),
        ("trains", monitor.retrains or "never by itself"),
    ]
    told += [("owner", monitor.owner)] if monitor.owner else []
    return [*pairs(told), *([line((monitor.description, "dim"))] if monitor.description else [])]


def held_against(monitor: MonitorView) -> str:
    return {
        "training": "what the version learned from",
        "trailing": "the windows before",
        "last cycle": "the same window of the cycle before",
    }[monitor.reference]


def _accuracy(heat: HeatView | None) -> str:
    if heat is None or (heat.measured is None and heat.estimated is None):
        return "not known: no labels, and no estimate"
    said = []
    if heat.measured is not None:
        one = heat.measured
        against = f" against {figure(one.reference)} when it was judged" if one.reference is not None else ""
        said.append(f"{one.metric} {figure(one.value)}{against}, {percent(heat.coverage)} labelled")
    if heat.estimated is not None:
        said.append(f"{heat.estimated.metric} ≈{figure(heat.estimated.value)} without labels")
    return "; ".join(said)


def _next(monitor: MonitorView, frame: Frame) -> str:
    if monitor.paused:
        return f"paused: S lets schedule {monitor.schedule} go on"
    if monitor.next_at is None:
        return "by hand: T looks now"
    return f"{stamp(monitor.next_at, frame)}, every {monitor.every}"


def head(monitor: MonitorView, heat: HeatView | None, frame: Frame) -> list[Line]:
    """Two lines that say the most."""
    entry = Entry(monitor, heat)
    found = _state(entry)
    sign = Cell("· nobody has looked yet", "dim") if found is None else DRIFT[found]
    said = f"{about(monitor)}, windows of {monitor.window} against {held_against(monitor)}"
    coming = upcoming(entry, frame).text
    return [
        line((monitor.name, "strong"), "  ", sign, (f"  {said}; next look {coming}", "dim")),
        line("T looks now; a window counts once it is full" if found is None else reason(entry)),
    ]


def column_columns() -> list[Column[HeatColumn]]:
    """Of one monitor, all of them."""
    return [
        Column(
            key="name", title="column", width=14, grows=True, draw=lambda c, _: column_name(c), value=lambda c: c.name
        ),
        Column(key="state", title="state", width=9, draw=lambda c, _: column_state(c), value=lambda c: c.state),
        Column(
            key="heat",
            title="to its limits",
            width=STRIP,
            sorts=False,
            draw=lambda c, _: strip(c.levels),
            glyphs=GLYPHS,
        ),
        Column(key="what", title="decides", width=16, draw=lambda c, _: deciding(c), value=nearness),
        Column(key="why", title="why", width=60, extra=True, draw=lambda c, _: Cell(c.reason, "dim")),
    ]


def _of(column: HeatColumn) -> str:
    return column.name


def _heat(draw: Callable[[R, Frame], Cell]) -> Column[R]:
    return Column(key="heat", title="to its limits", width=STRIP, sorts=False, draw=draw, glyphs=GLYPHS)


def column_state(column: HeatColumn) -> Cell:
    return Cell("· unseen", "dim") if column.state is None else DRIFT[column.state]


def nearness(column: HeatColumn) -> float | None:
    """To its limit, in the newest window: what a list is sorted by."""
    return column.levels[-1] if column.levels else None
