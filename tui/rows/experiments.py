"""An experiment as lines: its intervals over time, where it stands, and why. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Final

from tui.charts.intervals import Bar, intervals
from tui.charts.ticks import date_labels
from tui.rows.words import clock, count, percent, span
from tui.table.column import Cell, Frame
from tui.text import Line, heading, line
from tui.themes import Tone

if TYPE_CHECKING:
    from store.wire import AskedView, ExperimentView, GuardrailView, IntervalView, ReportView

_ANSWERS: Final = {"yes": Cell("✔ ", "good"), "no": Cell("✘ ", "bad"), "not yet": Cell("… ", "live")}
_DECIDED: Final[dict[str, Cell]] = {
    "promote": Cell("✔ promote", "good"),
    "roll back": Cell("✘ roll back", "bad"),
    "invalid": Cell("✘ invalid", "bad"),
    "go on": Cell("… go on", "live"),
}
_TAKEN_BACK: Final = ("rolled back", "invalid")


def said(found: IntervalView) -> str:
    """`+0.034 [+0.011, +0.057]`."""
    if found.value is None:
        return "-"
    if found.low is None or found.high is None:
        return f"{found.value:+.4g} [too few units]"
    return f"{found.value:+.4g} [{found.low:+.4g}, {found.high:+.4g}]"


def then(view: ExperimentView, moment: datetime | None) -> ExperimentView:
    """As it was at a moment: the looks that had been taken. The rest of a report is kept of the last look alone."""
    if moment is None:
        return view
    return view.model_copy(update={"looks": [look for look in view.looks if look.at <= moment], "report": None})


def stands(view: ExperimentView) -> bool:
    """Whether it runs, or was taken back and nobody has said that they know: there is something to end."""
    one = view.comparison
    if one is None:
        return False
    return one.status == "running" or (one.status in _TAKEN_BACK and one.seen_by is None)


def head(name: str, view: ExperimentView | None, frame: Frame) -> list[Line]:
    """What is compared and how it stands; what it asks."""
    if view is None:
        return [line((f"experiment {name}", "strong")), line(("asking the daemon", "dim"))]
    one = view.comparison
    parts: list[Cell | tuple[str, Tone]] = [(f"{view.model}  ", "strong")]
    if one is None:
        parts.append(("never ran: X plans to begin it", "dim"))
    else:
        tone: Tone = "live" if one.status == "running" else "bad" if one.status in _TAKEN_BACK else "dim"
        parts += [(f"v{one.treatments[0].version} against v{one.control}  ", "strong"), (one.status, tone)]
        parts.append((f"  since {clock(one.began_at, frame)}, by {one.actor}", "dim"))
    return [line(*parts), line((_asks(view.asked), "dim"))]


def _asks(asked: AskedView) -> str:
    return (
        f"{asked.metric}, {asked.better} is better; {percent(asked.share)} of the units, "
        f"each counts after {span(asked.window_seconds)}"
    )


# ---- over time -------------------------------------------------------------------------------------------------------


def over_time(view: ExperimentView, frame: Frame, width: int, height: int, *, ascii: bool = False) -> list[Line]:
    """The chart under a line that says what it shows."""
    midnight = _midnight(view, frame)
    if midnight is None:
        return [line(), line(("  ", ""), (_nothing(view), "dim"))]
    bars = [
        Bar((look.at - midnight).total_seconds(), d.value, d.low, d.high, tone_of(d, view.asked.better))
        for look in view.looks
        for d in [look.difference]
    ]
    last = view.looks[-1]
    legend = line(
        (f" {'o' if ascii else '●'} ", bars[-1].tone),
        (f"{view.asked.metric} ", "strong"),
        "treatment minus control  ",
        (said(last.difference), bars[-1].tone),
    )
    drawn = intervals(bars, width, height - 2, lambda at: date_labels(at, midnight), ascii=ascii)
    if not drawn:
        known = any(bar.value is not None for bar in bars)
        words = "there is no room for the picture" if known else "too few units yet for a difference"
        return [legend, line(), line((f"  {words}", "dim"))]
    many = f" {count(len(view.looks))} looks, {count(last.units)} units counted, {percent(last.pending)} pending"
    return [legend, line((many, "dim")), *drawn]


def tone_of(found: IntervalView, better: str) -> Tone:
    """Good where the whole interval is better than no difference, bad where all of it is worse."""
    if found.low is None or found.high is None or found.low <= 0.0 <= found.high:
        return "live"
    return "good" if (found.low > 0.0) == (better == "higher") else "bad"


def _midnight(view: ExperimentView, frame: Frame) -> datetime | None:
    """Of the day of the first look."""
    if not view.looks:
        return None
    return view.looks[0].at.astimezone(frame.zone).replace(hour=0, minute=0, second=0, microsecond=0)


def _nothing(view: ExperimentView) -> str:
    if view.comparison is None:
        return "it has not begun: X plans it"
    return "nobody has looked yet; the daemon looks every five minutes, and `trainshed experiment show` at once"


# ---- where it stands -------------------------------------------------------------------------------------------------


def standing(view: ExperimentView, frame: Frame) -> list[Line]:
    """The decision first, then what it rests on."""
    lines: list[Line] = [line((f"the last look failed: {view.problem}", "warn")), line()] if view.problem else []
    one, report = view.comparison, view.report
    if report is not None:
        lines += [*_decision(report, frame), line(), *_arms(report), line(), *_guardrails(report.guardrails)]
    if one is not None and one.status != "running":
        lines += [heading("how it ended"), line(f"{one.status}, {clock(one.ended_at, frame)} by {one.ended_by}")]
        lines += [line(one.reason)] if one.reason else []
        lines += [line(("X says that it was seen", "dim"))] if stands(view) else []
        lines.append(line())
    return [*lines, *_asked(view.asked)]


def _decision(report: ReportView, frame: Frame) -> list[Line]:
    decision = report.decision
    way = " P plans it" if decision.action == "promote" else ""
    return [
        line(_DECIDED[decision.action], (f"  as of {clock(report.at, frame)}{way}", "dim")),
        line(decision.reason),
        *(line(_ANSWERS[one.answer], one.reason) for one in report.findings),
    ]


def _arms(report: ReportView) -> list[Line]:
    lines = [
        heading("arms"),
        line((f"{'':14}{'planned':>8}{'units':>9}{'counted':>9}  {report.metric}", "dim")),
    ]
    for arm, role in zip(report.arms, ("control", "treatment"), strict=True):
        mean = "-" if arm.mean is None else f"{arm.mean:.5g}"
        figures = f"{percent(arm.share):>8}{count(arm.exposed):>9}{count(arm.units):>9}  {mean}"
        lines.append(line((f"v{arm.version} ".ljust(4), "strong"), (role.ljust(10), "dim"), figures))
    lines.append(line(("difference  ", "dim"), said(report.difference)))
    lines.append(line(("sizes       ", "dim"), f"p = {report.mismatch:.3g} that they are as planned"))
    for number, words in (
        (report.crossed, "units met both versions, and count in neither"),
        (report.restated, "outcomes came after their unit had been counted"),
        (report.unreadable, "labels could not be read, and count for nothing"),
    ):
        lines += [line((f"{count(number)} {words}", "dim"))] if number else []
    return lines


def _guardrails(found: Sequence[GuardrailView]) -> list[Line]:
    if not found:
        return []
    lines = [heading("guardrails")]
    for one in found:
        lines.append(line(_ANSWERS[one.answer], (one.metric, "strong"), f"  {said(one.difference)}"))
        lines.append(line((f"  at most {one.margin:g} worse; {one.reason}", "dim")))
    return [*lines, line()]


def _asked(asked: AskedView) -> list[Line]:
    longest = "" if asked.longest_seconds is None else f", {span(asked.longest_seconds)} at most"
    return [
        heading("what it needs"),
        line(f"{count(asked.least_units)} units in each arm, {span(asked.least_seconds)}{longest}"),
        line((f"alpha {asked.alpha:g} over all looks: look as often as you like", "dim")),
    ]
