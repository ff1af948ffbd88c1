"""How far a column's distribution has moved: the cells that the reference fixes, for its population stability index."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from duckdb import DuckDBPyConnection

from pipeline.features.pit import type_family
from pipeline.stats.distances import Counts
from pipeline.tables.sqltext import identifier, literal

BINS: Final = 10
MAX_CATEGORIES: Final = 50
FEW_VALUES: Final = 20


@dataclass(frozen=True)
class Cells:
    """A partition of a column's values: the last cell holds what is missing."""

    number: str
    """SQL expression of a value's cell number."""
    count: int


def is_number(kind: str) -> bool:
    """Of a DuckDB type."""
    return type_family(kind) in {"integer", "float"} or kind.startswith("DECIMAL")


def cells_of(connection: DuckDBPyConnection, relation: str, column: str, kind: str) -> Cells:
    """Cells fitted to the column in `relation`: its values where they are few or words, else its quantiles."""
    name, family = identifier(column), type_family(kind)
    value, present = f"{name}::VARCHAR", f"{name} IS NOT NULL"
    numeric = is_number(kind)
    if family == "float":
        present += f" AND NOT isnan({name})"
    if family == "DATE" or family.startswith("TIMESTAMP"):
        name, numeric = f"epoch_us({name})", True
    frequent = connection.sql(
        f"""SELECT {value} FROM {identifier(relation)} WHERE {present}
            GROUP BY ALL ORDER BY count(*) DESC, 1 LIMIT {MAX_CATEGORIES}"""
    ).fetchall()
    if not numeric or len(frequent) <= FEW_VALUES:
        return _categories([word for (word,) in frequent], value, present)
    shares = [i / BINS for i in range(1, BINS)]
    ((edges,),) = connection.sql(
        f"SELECT quantile_disc({name}, {shares}) FROM {identifier(relation)} WHERE {present}"
    ).fetchall()
    return _quantiles([float(edge) for edge in edges], f"{name}::DOUBLE", present)


def count_cells(connection: DuckDBPyConnection, relation: str, cells: Cells) -> Counts:
    """Rows of `relation` in each cell, [cells.count]."""
    counts = np.zeros(cells.count, np.int64)
    found = connection.sql(f"SELECT {cells.number}, count(*) FROM {identifier(relation)} GROUP BY 1").fetchall()
    for number, rows in found:
        counts[number] = rows
    return counts


def _categories(words: list[str], value: str, present: str) -> Cells:
    """A cell for each word, one for all others, one for missing."""
    position = f"list_position([{', '.join(literal(word) for word in words)}]::VARCHAR[], {value})"
    number = f"CASE WHEN {present} THEN coalesce({position} - 1, {len(words)}) ELSE {len(words) + 1} END"
    return Cells(number, len(words) + 2)


def _quantiles(edges: list[float], value: str, present: str) -> Cells:
    """Intervals between the edges; an edge that occurs several times is a heavy point and gets a cell of its own."""
    single = sorted(set(edges))
    heavy = [edge for edge in single if edges.count(edge) > 1]
    tests = [f"({value} > {literal(e)})::INT" for e in single] + [f"({value} >= {literal(e)})::INT" for e in heavy]
    number = f"CASE WHEN {present} THEN {' + '.join(tests)} ELSE {len(tests) + 1} END"
    return Cells(number, len(tests) + 2)
