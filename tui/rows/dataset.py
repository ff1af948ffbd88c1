"""Versions of a dataset as rows, its sample, and what surrounds it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from tui.rows.data import Store, facts
from tui.rows.words import clock, count, size
from tui.table.column import Cell, Column, Frame
from tui.text import Line, heading, line

if TYPE_CHECKING:
    from store.wire import DatasetVersionView

Row = dict[str, Any]
_WIDEST = 28


def columns() -> list[Column[DatasetVersionView]]:
    return [
        Column(
            key="version",
            title="version",
            width=8,
            draw=lambda v, _: Cell(f"@{v.version}", "strong"),
            value=lambda v: v.version,
        ),
        *_counts(),
        *_making(),
        Column(key="inputs", title="made from", width=24, draw=lambda v, _: Cell(inputs(v), "dim")),
    ]


def _counts() -> list[Column[DatasetVersionView]]:
    """How many rows it has, and what became of those before."""
    return [
        _number("rows", "rows", 11, lambda v: v.rows, lambda v: Cell(count(v.rows))),
        _number("added", "added", 10, lambda v: v.added, lambda v: _change("+", v.added, "good")),
        _number("removed", "removed", 9, lambda v: v.removed, lambda v: _change("-", v.removed, "warn")),
        _number("quarantined", "apart", 7, lambda v: v.quarantined, lambda v: _change("", v.quarantined, "warn")),
    ]


def _making() -> list[Column[DatasetVersionView]]:
    """By which run, when, with what to say, and how large."""
    return [
        _number("run", "run", 5, lambda v: v.run, lambda v: Cell(str(v.run), "dim")),
        Column(
            key="made",
            title="made",
            width=12,
            draw=lambda v, f: Cell(clock(v.at, f), "dim"),
            value=lambda v: v.at.timestamp(),
        ),
        Column(key="notes", title="schema changes, notes", width=24, grows=True, draw=lambda v, _: notes(v)),
        _number("bytes", "size", 8, lambda v: v.bytes, lambda v: Cell(size(v.bytes), "dim")),
    ]


def _number(
    key: str,
    title: str,
    width: int,
    value: Callable[[DatasetVersionView], int],
    draw: Callable[[DatasetVersionView], Cell],
) -> Column[DatasetVersionView]:
    return Column(key=key, title=title, width=width, right=True, draw=lambda v, _: draw(v), value=value)


def notes(version: DatasetVersionView) -> Cell:
    """Schema changes first: who reads the table has to know them."""
    words = "; ".join([*version.schema_changes, *([version.note] if version.note else [])])
    return Cell(f"~ {words}" if version.schema_changes else words, "warn" if version.schema_changes else "dim")


def inputs(version: DatasetVersionView) -> str:
    return ", ".join(f"{name}@{number}" for name, number in version.inputs.items())


def sample_columns(rows: Sequence[Row]) -> list[Column[Row]]:
    """One a name, as wide as its values here, within reason."""
    names = list(rows[0]) if rows else []
    return [_sample_column(name, max(len(name), *(len(_text(row.get(name))) for row in rows))) for name in names]


def around(
    store: Store, all_: Sequence[Store], models: Sequence[str], versions: Sequence[DatasetVersionView], frame: Frame
) -> list[Line]:
    """What it is made from, what uses it, and the runs that made it."""
    lines = [*facts(store, all_, frame)]
    lines += [line((f"models     {', '.join(models) or '-'}", ""))]
    if versions:
        lines += [line(), heading("runs that made it")]
        lines += [
            line(
                (f"@{version.version:<5}", "strong"),
                f" run {version.run}",
                (f"  {clock(version.at, frame)}  {inputs(version)}", "dim"),
            )
            for version in versions
        ]
    return lines


def _sample_column(name: str, width: int) -> Column[Row]:
    return Column(
        key=name,
        title=name,
        width=min(width, _WIDEST),
        draw=lambda row, _: Cell(_text(row.get(name))),
        order=lambda row: _plain(row.get(name)),
    )


def _plain(value: Any) -> str | int | float | None:
    """What two values can be compared by: numbers as such, all else as it is written."""
    return value if value is None or isinstance(value, int | float) else str(value)


def _text(value: Any) -> str:
    return "-" if value is None else str(value)


def _change(sign: str, number: int, tone: Any) -> Cell:
    return Cell(f"{sign}{number:,}", tone) if number else Cell("-", "dim")
