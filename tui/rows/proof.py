"""Evidence, which is plain JSON, as people read it: numbers by name, and what comes in rows as a table. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from tui.rows.words import figure
from tui.text import Line, heading, line, pairs

_WORD: Final = 20
"""Letters of the longest text in a table: longer ones are sentences, which the reason has."""


def proof(evidence: Mapping[str, Any]) -> list[Line]:
    """Nothing of what is not known."""
    facts = [(name, text) for name, text in _flat(evidence)]
    lines = [line(), heading("evidence"), *pairs([(name, text) for name, text in facts])] if facts else []
    for name, rows in evidence.items():
        if _is_table(rows):
            lines += [line(), heading(name), *_table(rows)]
    return lines


def _is_table(value: Any) -> bool:
    return isinstance(value, Sequence) and bool(value) and all(isinstance(one, Mapping) for one in value)


def _flat(found: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    """Names of what lies deeper with the way there: `limits.psi`."""
    for name, value in found.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{before}{name}.")
        elif value is not None and value != [] and not _is_table(value):
            yield f"{before}{name}", _written(value)


def _table(rows: Sequence[Mapping[str, Any]]) -> list[Line]:
    """A line a row, with the columns that any of them has."""
    names = [
        name for name in dict.fromkeys(name for row in rows for name in row) if _fits(row.get(name) for row in rows)
    ]
    cells = [[_written(row[name]) if row.get(name) is not None else "-" for name in names] for row in rows]
    widths = [max(len(text) for text in column) for column in zip(names, *cells, strict=True)]
    left = [any(isinstance(row.get(name), str) for row in rows) for name in names]

    def laid(texts: Sequence[str]) -> str:
        placed = zip(texts, widths, left, strict=True)
        return "  ".join(text.ljust(width) if is_left else text.rjust(width) for text, width, is_left in placed)

    return [line((laid(names), "dim")), *(line(laid(row)) for row in cells)]


def _fits(values: Iterator[Any]) -> bool:
    return all(len(_written(value)) <= _WORD for value in values if value is not None)


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int | float):
        return figure(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_written(one) for one in value)
    return str(value)
