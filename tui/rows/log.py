"""The line above a log: which one, how much of it is here, and how it is looked at."""

from __future__ import annotations

from tui.log.piece import Piece
from tui.log.reading import Place
from tui.rows.words import percent, size
from tui.table.column import Cell
from tui.text import Line, line


def standing(place: Place, attempts: int, piece: Piece, offset: int, following: bool, needle: str) -> list[Line]:
    """One line."""
    tried = f"   try {place.attempt or attempts} of {attempts}" if attempts > 1 else ""
    dropped = f"   the first {size(piece.first)} were let go by its size cap" if piece.first else ""
    where = "" if piece.size == 0 else f"   {percent(offset / piece.size)} of {size(piece.size)}"
    follow = Cell("   ● following", "live") if following else Cell(where, "dim")
    total = Cell(f"   {size(piece.size)}", "dim") if following and piece.size else Cell("")
    found = Cell(f"   /{needle}", "key") if needle else Cell("")
    return [line((place.stream, "strong"), tried, follow, total, found, (dropped, "warn"))]
