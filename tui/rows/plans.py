"""The plan of moving an alias, as lines: what changes, by what evidence, what happens then, and how to undo it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from tui.rows import replay
from tui.rows.gates import short_gates
from tui.rows.measures import chance, difference, judged
from tui.rows.words import count
from tui.text import Line, heading, line
from tui.themes import Tone

if TYPE_CHECKING:
    from store.wire import DifferenceView, PlanView


def plan(view: PlanView) -> list[Line]:
    """The sections that have something to say, in the order in which one decides."""
    lines = [way(view), *_override(view)]
    for title, section in (
        (_compared(view), differences(view.differences)),
        (replay.title(view.replay), replay.lines(view.replay)),
        (f"gates of v{view.to_version}", short_gates(view.gates)),
        ("what callers would notice", _bullets(view.signature_changes)),
        ("what happens", _bullets(view.effects)),
        ("mind", _bullets(view.warnings, "warn")),
    ):
        if section:
            lines += [line(), heading(title), *section]
    if view.undo:
        lines += [line(), line(("undo  ", "dim"), view.undo)]
    return lines


def way(view: PlanView) -> Line:
    """`production  v1 → v2`."""
    before = "nothing" if view.from_version is None else f"v{view.from_version}"
    return line((f"{view.alias}  ", "dim"), (before, "strong"), " → ", (f"v{view.to_version}", "strong"))


def differences(found: Sequence[DifferenceView]) -> list[Line]:
    """New minus live, a line a metric, and by which tests."""
    names = max((len(one.metric) for one in found), default=0)
    numbers = [difference(one.difference) for one in found]
    width = max(map(len, numbers), default=0)
    lines: list[Line] = []
    for one, number in zip(found, numbers, strict=True):
        words = judged(one.metric, one.difference)
        lines.append(
            line(
                f"{one.metric.ljust(names)}  {number.ljust(width)}  ",
                words._replace(text=words.text.ljust(8)),
                (f"  {chance(one.p_value)}", "dim"),
            )
        )
    tests = ", ".join(dict.fromkeys(one.test for one in found))
    return [*lines, line((f"p by {tests}", "dim"))] if lines else []


def refusal(view: PlanView) -> str:
    """Why there is nothing to confirm; empty where there is."""
    if view.allowed or view.needs_override:
        return ""
    return view.warnings[0] if view.warnings else "there is nothing to do"


def _compared(view: PlanView) -> str:
    if not view.differences:
        return ""
    rows, level = view.differences[0].rows, view.differences[0].difference.level
    return f"v{view.to_version} minus v{view.from_version} on the same {count(rows)} rows, {level:.0%} intervals"


def _override(view: PlanView) -> list[Line]:
    if not view.needs_override:
        return []
    failed = ", ".join(gate.gate for gate in view.gates if gate.outcome == "fail")
    return [
        line(),
        line((f"✘ the gates refuse it: {failed}", "bad")),
        line("  To do it against them, give a reason. It is recorded as an override and shown for ever."),
    ]


def _bullets(words: Sequence[str], tone: Tone = "") -> list[Line]:
    return [line(("· ", "dim"), (one, tone)) for one in words]
