"""The virtual table: one row costs what a million cost; rows come by position, only changed cells are drawn."""

from __future__ import annotations

from tui.table.column import Cell, Column, Frame
from tui.table.source import ListSource, Query, Slice, Source
from tui.table.widget import Table

__all__ = ["Cell", "Column", "Frame", "ListSource", "Query", "Slice", "Source", "Table"]
