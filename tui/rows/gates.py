"""Verdicts and their gates: what was judged, by which numbers, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.rows.words import OUTCOMES, figure
from tui.table.column import Cell
from tui.text import Line, line

if TYPE_CHECKING:
    from store.wire import GateView, VersionView


def verdict(version: VersionView) -> Cell:
    """All gates in a word, the failing ones by name."""
    if version.verdict is None:
        return Cell("? not judged", "warn")
    failed = [gate.gate for gate in version.verdict.gates if gate.outcome == "fail"]
    if failed:
        return Cell(f"✘ {', '.join(failed)}", "bad")
    warned = sum(gate.outcome == "warn" for gate in version.verdict.gates)
    return Cell(f"✔ pass, {warned} warn", "warn") if warned else Cell("✔ pass", "good")


def gates(found: Sequence[GateView]) -> list[Line]:
    """A line a gate: outcome, name, number against limit; its reason under it. The worst first."""
    worst_first = sorted(found, key=lambda gate: ("fail", "warn", "pass").index(gate.outcome))
    width = max((len(gate.gate) for gate in found), default=0)
    lines: list[Line] = []
    for gate in worst_first:
        lines.append(line(_outcome(gate), f"  {gate.gate.ljust(width)}  ", (_numbers(gate), "dim")))
        lines.append(line((f"        {gate.reason}", "" if gate.outcome != "pass" else "dim")))
    return lines


def short_gates(found: Sequence[GateView]) -> list[Line]:
    """A line a gate, with its reason only where it did not pass."""
    width = max((len(gate.gate) for gate in found), default=0)
    lines: list[Line] = []
    for gate in found:
        lines.append(line(_outcome(gate), f"  {gate.gate.ljust(width)}  ", (_numbers(gate), "dim")))
        if gate.outcome != "pass":
            lines.append(line(f"        {gate.reason}"))
    return lines


def _outcome(gate: GateView) -> Cell:
    found = OUTCOMES[gate.outcome]
    return Cell(found.text.ljust(6), found.tone)


def _numbers(gate: GateView) -> str:
    if gate.value is None:
        return ""
    return figure(gate.value) if gate.limit is None else f"{figure(gate.value)}, limit {figure(gate.limit)}"
