"""The history of aliases: who moved which, from where to where, when and why; and where they pointed at a time."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from tui.rows.words import clock
from tui.table.column import Cell, Frame
from tui.text import Line, line

if TYPE_CHECKING:
    from store.wire import AliasEventView


def moves(found: Sequence[AliasEventView], frame: Frame) -> list[Line]:
    """Newest first, one line each, and a line for the reason where there is one."""
    if not found:
        return [line(("no alias has pointed here yet", "dim"))]
    lines: list[Line] = []
    for move in found:
        at = clock(move.at, frame)
        lines.append(
            line((f"{at:<13}", "dim"), _glyph(move), f" {move.alias} ", (way(move), "strong"), f" {move.actor}")
        )
        if move.overridden:
            lines.append(line((" " * 15 + "! against the gates", "warn")))
        if move.reason:
            lines.append(line((" " * 15 + move.reason, "dim")))
    return lines


def way(move: AliasEventView) -> str:
    """`v1 → v2`."""
    return f"{'nothing' if move.from_version is None else f'v{move.from_version}'} → v{move.to_version}"


def pointing(found: Iterable[AliasEventView], moment: datetime | None) -> dict[str, int]:
    """Alias → the version it pointed at, at a moment; None is now. `found`: newest first."""
    points: dict[str, int] = {}
    for move in found:
        if moment is None or move.at <= moment:
            points.setdefault(move.alias, move.to_version)
    return points


def _glyph(move: AliasEventView) -> Cell:
    return Cell("↶", "warn") if move.action == "rollback" else Cell("↑", "good")
