"""What the checks of a dataset found, with the rows that failed; and the rows that were kept apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from tui.rows.words import OUTCOMES, clock, count, percent, since_epoch
from tui.table.column import Cell, Column, Frame
from tui.text import Line, heading, line

if TYPE_CHECKING:
    from store.wire import CheckView, QuarantineView

FAULTS: Final = "outcome~fail"
_WORST_FIRST: Final = ("fail", "warn", "pass")


def columns() -> list[Column[CheckView]]:
    return [
        Column(
            key="outcome",
            title="outcome",
            width=7,
            draw=lambda c, _: OUTCOMES[c.outcome],
            order=lambda c: _WORST_FIRST.index(c.outcome),
        ),
        Column(key="check", title="check", width=26, grows=True, draw=lambda c, _: Cell(c.check, "strong")),
        Column(
            key="failing", title="rows", width=18, right=True, draw=lambda c, _: failing(c), value=lambda c: c.failing
        ),
        Column(
            key="share",
            title="share",
            width=8,
            right=True,
            draw=lambda c, _: Cell(percent(c.share)),
            value=lambda c: c.share,
        ),
        Column(
            key="allowed",
            title="allowed",
            width=8,
            right=True,
            draw=lambda c, _: Cell(percent(c.allowed), "dim"),
            order=lambda c: c.allowed,
        ),
        Column(key="severity", title="severity", width=8, extra=True, draw=lambda c, _: Cell(c.severity, "dim")),
        Column(
            key="at",
            title="at",
            width=12,
            extra=True,
            draw=lambda c, f: Cell(clock(c.at, f), "dim"),
            order=lambda c: since_epoch(c.at),
        ),
    ]


def failing(check: CheckView) -> Cell:
    return Cell(f"{count(check.failing)} of {count(check.total)}", "" if check.failing else "dim")


def found(check: CheckView, frame: Frame) -> list[Line]:
    """One result in words, and some of the rows that it is about."""
    where = f"{check.dataset}@{check.version}" if check.version is not None else "a version that was refused"
    lines = [
        line(
            OUTCOMES[check.outcome],
            "  ",
            (check.check, "strong"),
            (f"  on {where}, run {check.run}, {clock(check.at, frame)}", "dim"),
        ),
        line(check.detail),
    ]
    if check.sample:
        lines += [line(), heading("rows that failed, some of them"), *rows(check.sample)]
    return lines


def quarantine(view: QuarantineView, frame: Frame) -> list[Line]:
    """The rows that were kept apart, newest first, each with what threw it out."""
    if not view.rows:
        return [line(("no row was kept apart", "dim"))]
    lines = [line((f"{count(len(view.rows))} of {count(view.total)} rows that checks kept apart, newest first", "dim"))]
    for row in view.rows:
        lines.append(line())
        lines.append(line((f"✘ {', '.join(row.checks)}", "bad"), (f"  run {row.run}, {clock(row.at, frame)}", "dim")))
        lines.append(_values(row.values))
    return lines


def rows(found: Sequence[dict[str, Any]]) -> list[Line]:
    """A line a row: `name value` pairs, which wrap under each other."""
    return [_values(row) for row in found]


def _values(row: dict[str, Any]) -> Line:
    cells: list[str | tuple[str, Any]] = ["  "]
    for name, value in row.items():
        cells += [(f"{name} ", "dim"), f"{'-' if value is None else value}   "]
    return line(*cells)
