"""The report of a monitor's run: the verdict over its newest windows, in sentences, and what wants a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from pipeline.config.monitors import MonitorSection
from pipeline.watching import findings
from pipeline.watching.assessed import Assessed
from pipeline.watching.assessment import Assessment, Standing, covered, standings
from pipeline.watching.held import Held, rules_of, unknown_columns
from pipeline.watching.judged import Compared, judged, whole_verdict
from pipeline.watching.logged import OUTPUT
from pipeline.watching.look import Told
from pipeline.watching.profile import over_cells
from pipeline.watching.rot import LEAST_WINDOWS, Life, Point, life, rot_assessed
from pipeline.watching.subjects import Subject
from store.facts import ReportFacts
from store.findings import Finding
from store.times import from_us

_LEAST_LIFE: Final = timedelta(days=1)


@dataclass(frozen=True)
class Judged:
    """Of the newest windows."""

    places: list[int]
    """That were looked at together, oldest first."""
    columns: list[dict[str, Any]]
    """As `store.wire.DriftColumn` has them."""
    standing: list[Standing]
    life: Life | None = None
    notes: list[str] = field(default_factory=list)


def reported(
    monitor: str,
    section: MonitorSection,
    subject: Subject,
    told: Told | None,
    fresh: Assessed | None,
    now: datetime,
    assessed: Sequence[tuple[int, int]],
) -> ReportFacts:
    """`told`: the subject's windows; None where none is full yet."""
    found = Judged([], [], []) if told is None else _judged(section, subject, told, now)
    standing = [*found.standing, *([] if fresh is None else [Standing(fresh, int(fresh.answer == "found"), 1)])]
    wanting = [
        *findings.of_columns(monitor, section, found.columns),
        *findings.of_standings(monitor, section, standing),
    ]
    spans = [] if told is None else [told.held.windows[place].window for place in found.places]
    looked_at = covered(one for one in standing if one.newest.answer != "not yet")
    unwatched = [] if told is None else [name for name in told.held.known if name not in told.held.columns]
    looked_at["drift"] = [*looked_at.get("drift", []), *findings.known_columns(found.columns), *unwatched]
    verdict = _verdict(section, subject, told, found.columns)
    return ReportFacts(
        monitor=monitor,
        model=section.model or "",
        version=subject.number,
        since_us=min((one.start_us for one in spans), default=None),
        until_us=max((one.end_us for one in spans), default=None),
        state=verdict["state"],
        reason="; ".join([verdict["reason"], *_others(wanting)]),
        rows=0 if told is None else sum(told.held.profile(place).rows for place in found.places),
        windows=len(found.places),
        body={
            "columns": found.columns,
            "notes": found.notes,
            "life": [] if found.life is None else list(found.life.sentences),
            "assessed": [one.newest.document() for one in standing],
        },
        findings=[findings.document(one) for one in wanting],
        covered=looked_at,
        assessed=list(assessed),
    )


def _others(wanting: Sequence[Finding]) -> list[str]:
    """What was found that no column shows."""
    return list(dict.fromkeys(one.title for one in wanting if one.kind != "drift"))


def newest(section: MonitorSection, held: Held) -> list[int]:
    """Places of the windows that are looked at together, oldest first: the last ones with enough rows."""
    found: list[int] = []
    for place in reversed(range(len(held.windows))):
        if held.profile(place).rows >= section.least_rows:
            found.append(place)
        if len(found) == section.windows:
            break
    return found[::-1]


def _judged(section: MonitorSection, subject: Subject, told: Told, now: datetime) -> Judged:
    held, rules = told.held, rules_of(section)
    places = newest(section, held)
    pairs = [one for place in places if (one := held.compared(place)) is not None]
    columns = judged(pairs, rules, subject.output) if pairs else []
    if told.assessor is None:
        return Judged(places, columns, [], notes=list(_notes(section, told, places)))
    said = list(told.assessments())
    aged = _life(told, said, now)
    standing = standings(said, section.windows, section.needed)
    return Judged(
        places,
        [*columns, *_label_column(section, told, said)],
        [*standing, *_rot(section, aged)],
        aged,
        [*_notes(section, told, places), *(note for one in said[-1:] for note in one.notes)],
    )


def _rot(section: MonitorSection, aged: Life) -> list[Standing]:
    told = rot_assessed(aged, drop=section.performance.drop)
    return [Standing(one, int(one.answer == "found"), 1) for one in told if one.answer != "not yet"]


def _label_column(section: MonitorSection, told: Told, said: Sequence[Assessment]) -> list[dict[str, Any]]:
    """The labels that came, as a column, over the last windows that have enough of them."""
    assert told.assessor is not None
    enough = [one for one in said if one.truth and one.labelled >= section.least_rows][-section.windows :]
    if len(enough) < section.needed:
        return []
    reference, name = told.assessor.truth_reference, told.assessor.signature.label
    pairs: list[Compared] = [
        ({name: reference}, {name: over_cells(reference.cells, dict(one.truth))}) for one in enough
    ]
    return [{**one, "subject": "label"} for one in judged(pairs, rules_of(section), "")]


def _life(told: Told, said: Sequence[Assessment], now: datetime) -> Life:
    assert told.assessor is not None
    assert told.look.subject.answered is not None
    points = [
        Point(at=from_us(full.window.end_us), value=one.objective[0], error=one.objective[1])
        for full, one in zip(told.look.windows, said, strict=True)
        if one.objective is not None
    ]
    if points and points[-1].at - points[0].at < _LEAST_LIFE:
        points = points[-LEAST_WINDOWS + 1 :]  # too few for a line: what a week brings, no hour says
    return life(told.assessor.evidence, from_us(told.look.subject.answered.version.made_us), points, now)


def _verdict(
    section: MonitorSection, subject: Subject, told: Told | None, columns: Sequence[dict[str, Any]]
) -> dict[str, Any]:
    if columns:
        return whole_verdict(columns)
    if told is None:
        said = f"no window of {section.window} is full yet: rows are complete until {_time(subject.until_us)}"
        return {"state": "not yet", "reason": said}
    held = told.held
    largest = max((held.profile(place).rows for place in range(len(held.windows))), default=0)
    if largest < section.least_rows:
        said = f"the largest of {len(held.windows)} windows has {largest:,} rows, and {section.least_rows:,} are needed"
        return {"state": "not yet", "reason": said}
    return {"state": "not yet", "reason": f"no window has a reference yet: {section.held_against}"}


def _notes(section: MonitorSection, told: Told, looked: Sequence[int]) -> Iterator[str]:
    held = told.held
    for name in unknown_columns(section, dict.fromkeys([*held.known, told.look.subject.output])):
        yield f"there is no column {name!r} to watch"
    if not looked:
        return
    last = held.profile(looked[-1])
    where = "the log" if section.model is not None else f"{section.dataset}"
    for name in held.columns:
        if name != OUTPUT and last.rows and not last.named[name]:
            yield f"column {name} is gone from {where}: no row of the newest window names it, so all count as missing"


def _time(at_us: int) -> str:
    return f"{from_us(at_us):%Y-%m-%d %H:%M} UTC"
