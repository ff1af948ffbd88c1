"""What a version takes and gives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tui.rows.words import count
from tui.text import Line, heading, line, pairs


def signature(found: Mapping[str, Any]) -> list[Line]:
    """Its inputs by name and kind, and its answer."""
    inputs: Sequence[Mapping[str, Any]] = found.get("inputs", [])
    if not inputs and not found.get("task"):
        return [line(("no signature was kept", "dim"))]
    width = max((len(one["name"]) for one in inputs), default=0)
    answer = [("task", str(found.get("task", "-"))), ("label", str(found.get("label", "-")))]
    if found.get("classes"):
        answer.append(("classes", ", ".join(map(str, found["classes"]))))
    return [
        heading("it answers"),
        *pairs(answer),
        line(),
        heading(f"it needs {len(inputs)} columns"),
        *(line(f"{one['name'].ljust(width)}  ", (_kind(one), "dim")) for one in inputs),
    ]


def _kind(column: Mapping[str, Any]) -> str:
    words = column.get("vocabulary", [])
    if not words:
        return str(column["kind"])
    few = ", ".join(map(str, words[:6]))
    return f"{column['kind']}, {count(len(words))} known: {few}{' …' if len(words) > 6 else ''}"
