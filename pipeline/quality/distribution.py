"""How far a column's distribution has moved: the population stability index over cells that the reference fixes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
from duckdb import DuckDBPyConnection

from pipeline.features.pit import type_family
from pipeline.tables.sqltext import identifier, literal

BINS: Final = 10
MAX_CATEGORIES: Final = 50
FEW_VALUES: Final = 20
FLOOR: Final = 1e-4
"""Least share of a cell: keeps the logarithm finite where a cell is empty on one side."""

Counts = npt.NDArray[np.int64]


def psi(reference: Counts, current: Counts) -> float:
    """Population stability index of two count vectors [k] over the same cells, minus what chance alone would give.

    PSI = Σ (p - q) ln(p / q) over shares p, q, each at least FLOOR. Without drift its expectation is about
    (k - 1)(1/n + 1/m) for n and m rows (Yurdakul 2018), so that is taken off; at least 0. Cells empty on both sides
    do not count.
    """
    n, m = int(reference.sum()), int(current.sum())
    if n == 0 or m == 0:
        return 0.0
    used = (reference + current) > 0
    p = np.maximum(reference[used] / n, FLOOR)
    q = np.maximum(current[used] / m, FLOOR)
    by_chance = (int(used.sum()) - 1) * (1 / n + 1 / m)
    return max(0.0, float(((p - q) * np.log(p / q)).sum()) - by_chance)


@dataclass(frozen=True)
class Cells:
    """A partition of a column's values: the last cell holds what is missing."""

    number: str
    """SQL expression of a value's cell number."""
    count: int


def cells_of(connection: DuckDBPyConnection, relation: str, column: str, kind: str) -> Cells:
    """Cells fitted to the column in `relation`: its values where they are few or words, else its quantiles."""
    name, family = identifier(column), type_family(kind)
    value, present = f"{name}::VARCHAR", f"{name} IS NOT NULL"
    numeric = family in {"integer", "float"} or kind.startswith("DECIMAL")
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
