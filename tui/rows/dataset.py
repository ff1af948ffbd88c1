"""Versions of a dataset as rows, its sample, and what surrounds it."""

from __future__ import annotations

from collections.abc import Sequence
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
        Column(
            key="rows",
            title="rows",
            width=11,
            right=True,
            draw=lambda v, _: Cell(count(v.rows)),
            value=lambda v: v.rows,
        ),
        Column(
            key="added",
            title="added",
            width=10,
            right=True,
            draw=lambda v, _: _change("+", v.added, "good"),
            value=lambda v: v.added,
        ),
        Column(
            key="removed",
            title="removed",
            width=9,
            right=True,
            draw=lambda v, _: _change("-", v.removed, "warn"),
            value=lambda v: v.removed,
        ),
        Column(
            key="quarantined",
            title="apart",
            width=7,
            right=True,
            draw=lambda v, _: _change("", v.quarantined, "warn"),
            value=lambda v: v.quarantined,
        ),
        Column(
            key="run",
            title="run",
            width=5,
            right=True,
            draw=lambda v, _: Cell(str(v.run), "dim"),
            value=lambda v: v.run,
        ),
        Column(
            key="made",
            title="made",
            width=12,
            draw=lambda v, f: Cell(clock(v.at, f), "dim"),
            value=lambda v: v.at.timestamp(),
        ),
        Column(key="notes", title="schema changes, notes", width=24, grows=True, draw=lambda v, _: notes(v)),
        Column(
            key="bytes",
            title="size",
            width=8,
            right=True,
            draw=lambda v, _: Cell(size(v.bytes), "dim"),
            value=lambda v: v.bytes,
        ),
        Column(key="inputs", title="made from", width=24, draw=lambda v, _: Cell(inputs(v), "dim")),
    ]


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
    return Column(key=name, title=name, width=min(width, _WIDEST), draw=lambda row, _: Cell(_text(row.get(name))))


def _text(value: Any) -> str:
    return "-" if value is None else str(value)


def _change(sign: str, number: int, tone: Any) -> Cell:
    return Cell(f"{sign}{number:,}", tone) if number else Cell("-", "dim")
