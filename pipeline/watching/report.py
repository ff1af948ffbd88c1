"""The report of a monitor's run: the verdict over its newest windows, in sentences."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from pipeline.config.monitors import MonitorSection
from pipeline.watching.held import Held, rules_of, unknown_columns
from pipeline.watching.judged import Compared, judged, whole_verdict
from pipeline.watching.logged import OUTPUT
from pipeline.watching.subjects import Subject
from store.facts import ReportFacts
from store.times import from_us


def reported(
    monitor: str, section: MonitorSection, subject: Subject, held: Held | None, assessed: Sequence[tuple[int, int]]
) -> ReportFacts:
    """`held`: the subject's windows; None where none is full yet."""
    looked = [] if held is None else newest(section, held)
    pairs = [] if held is None else [one for place in looked if (one := held.compared(place)) is not None]
    columns = judged(pairs, rules_of(section), subject.output) if pairs else []
    spans = [] if held is None else [held.windows[place].window for place in looked]
    return ReportFacts(
        monitor=monitor,
        model=section.model or "",
        version=subject.number,
        since_us=min((one.start_us for one in spans), default=None),
        until_us=max((one.end_us for one in spans), default=None),
        rows=0 if held is None else sum(held.profile(place).rows for place in looked),
        windows=len(looked),
        body={"columns": columns, "notes": list(_notes(section, subject, held, looked, pairs))},
        assessed=list(assessed),
        **_verdict(section, subject, held, columns),
    )


def newest(section: MonitorSection, held: Held) -> list[int]:
    """Places of the windows that are looked at together, oldest first: the last ones with enough rows."""
    found: list[int] = []
    for place in reversed(range(len(held.windows))):
        if held.profile(place).rows >= section.least_rows:
            found.append(place)
        if len(found) == section.windows:
            break
    return found[::-1]


def _verdict(
    section: MonitorSection, subject: Subject, held: Held | None, columns: Sequence[dict[str, Any]]
) -> dict[str, str]:
    if columns:
        return whole_verdict(columns)
    if held is None:
        said = f"no window of {section.window} is full yet: rows are complete until {_time(subject.until_us)}"
        return {"state": "not yet", "reason": said}
    largest = max((held.profile(place).rows for place in range(len(held.windows))), default=0)
    if largest < section.least_rows:
        said = f"the largest of {len(held.windows)} windows has {largest:,} rows, and {section.least_rows:,} are needed"
        return {"state": "not yet", "reason": said}
    return {"state": "not yet", "reason": f"no window has a reference yet: {section.held_against}"}


def _notes(
    section: MonitorSection, subject: Subject, held: Held | None, looked: Sequence[int], pairs: Sequence[Compared]
) -> Iterator[str]:
    if held is None:
        return
    for name in unknown_columns(section, dict.fromkeys([*held.known, subject.output])):
        yield f"there is no column {name!r} to watch"
    if not looked:
        return
    newest_window = held.profile(looked[-1])
    where = "the log" if section.model is not None else f"{section.dataset}"
    for name in held.columns:
        if name != OUTPUT and newest_window.rows and not newest_window.named[name]:
            yield f"column {name} is gone from {where}: no row of the newest window names it, so all count as missing"


def _time(at_us: int) -> str:
    return f"{from_us(at_us):%Y-%m-%d %H:%M} UTC"
