"""The report of a monitor's run: the verdict over its newest windows, in sentences, and what wants a person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from pipeline.config.monitors import MonitorSection
from pipeline.watching import findings
from pipeline.watching.assessed import Assessed
from pipeline.watching.assessment import Assessment, Standing, covered, read, standings
from pipeline.watching.classifier import SUBJECT as ROWS
from pipeline.watching.datasettable import DatasetTable
from pipeline.watching.errorstream import SUBJECT as ERRORS
from pipeline.watching.following import Followed
from pipeline.watching.held import Held, rules_of, unknown_columns
from pipeline.watching.judged import Compared, in_order, judged, whole_verdict
from pipeline.watching.logged import OUTPUT
from pipeline.watching.look import Told
from pipeline.watching.profile import over_cells
from pipeline.watching.rot import LEAST_WINDOWS, Life, Point, life, rot_assessed
from pipeline.watching.rowassessor import vectors_of
from pipeline.watching.subjects import Subject
from pipeline.watching.vectors import vector_column
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
    stream: Followed | None,
    now: datetime,
    assessed: Sequence[tuple[int, int]],
) -> ReportFacts:
    """`told`: the subject's windows; None where none is full yet."""
    found = Judged([], [], []) if told is None else _judged(section, subject, told, now)
    followed = None if stream is None else stream.assessed(section)
    apart = next((one for one in found.standing if (one.newest.kind, one.newest.subject) == ("drift", ROWS)), None)
    standing = [*found.standing, *(_at_once(one) for one in (fresh, followed) if one is not None)]
    wanting = [
        *findings.of_columns(monitor, section, found.columns),
        *findings.of_standings(monitor, section, standing),
    ]
    spans = [] if told is None else [told.held.windows[place].window for place in found.places]
    looked_at = covered(one for one in standing if one.newest.answer != "not yet")
    looked_at["drift"] = [
        *looked_at.get("drift", []),
        *findings.known_columns(found.columns),
        *subject.lost,
        *_unwatched(section, told),
    ]
    if not section.performance.stream:
        looked_at["performance"] = [*looked_at.get("performance", []), ERRORS]
    verdict = _with_rows(_verdict(section, subject, told, found.columns), apart)
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
            "life": list(_sentences(found.life, followed)),
            "assessed": [one.newest.document() for one in standing if not _is_fine_part(one)],
        },
        findings=[findings.document(one) for one in wanting],
        covered=looked_at,
        assessed=list(assessed),
        stream=None if stream is None else stream.facts(),
    )


def _unwatched(section: MonitorSection, told: Told | None) -> Iterator[str]:
    """What is looked at no more: nothing of it stands."""
    if told is None:
        return
    vectors = () if told.rows is None else told.rows.vectors
    yield from (name for name in told.held.known if name not in told.held.columns)
    yield from (name for name in vectors_of(told.basis) if name not in vectors)
    if told.rows is None or not told.rows.told_apart:
        yield ROWS


def _with_rows(verdict: dict[str, str], apart: Standing | None) -> dict[str, str]:
    """Of all columns, and of whole rows where they are told apart."""
    if apart is None or apart.newest.answer == "not yet":
        return verdict
    if apart.stands:
        return {"state": "drifted", "reason": f"{verdict['reason']}; {apart.newest.title}"}
    if verdict["state"] == "not yet":
        return {"state": "steady", "reason": f"{apart.newest.title}; {verdict['reason']}"}
    return verdict


def _is_fine_part(one: Standing) -> bool:
    """A slice that is as it was, of which there may be hundreds."""
    return bool(one.newest.part_of) and one.newest.answer == "clear"


def _at_once(one: Assessed) -> Standing:
    """Certain in one look."""
    return Standing(one, int(one.answer == "found"), 1)


def _sentences(aged: Life | None, followed: Assessed | None) -> Iterator[str]:
    """How the version ages, and what its errors did, if that is not a finding."""
    yield from () if aged is None else aged.sentences
    if followed is not None and followed.answer != "found":
        yield followed.reason


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
    columns = judged(pairs, rules, subject.output) if pairs and held.columns else []
    said = list(told.assessments())
    vectors = () if told.rows is None else told.rows.vectors
    columns = in_order([*columns, *(vector_column(one, said, section.windows, section.needed) for one in vectors)])
    standing = [
        one
        for one in standings(said, section.windows, section.needed)
        if not (one.newest.kind == "drift" and one.newest.subject in vectors)
    ]
    if told.assessor is None:
        return Judged(places, columns, standing, notes=list(_notes(section, told, places, said)))
    aged = _life(told, said, now)
    return Judged(
        places,
        [*columns, *_label_column(section, told, said)],
        [*standing, *_rot(section, aged)],
        aged,
        list(_notes(section, told, places, said)),
    )


def _rot(section: MonitorSection, aged: Life) -> list[Standing]:
    told = rot_assessed(aged, drop=section.performance.drop)
    return [_at_once(one) for one in told if one.answer != "not yet"]


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


def _notes(section: MonitorSection, told: Told, looked: Sequence[int], said: Sequence[Assessment]) -> Iterator[str]:
    held = told.held
    for name in unknown_columns(
        section, dict.fromkeys([*held.known, told.look.subject.output, *vectors_of(told.basis)])
    ):
        yield f"there is no column {name!r} to watch"
    yield from _of_other_kind(told)
    for one in said[-1:]:
        yield from one.notes
        yield from (f"{each.title}: {each.reason}" for each in map(read, one.verdicts) if _not_apart(each))
    if not looked:
        return
    last = held.profile(looked[-1])
    where = "the log" if section.model is not None else f"{section.dataset}"
    for name in held.columns:
        if name != OUTPUT and last.rows and not last.named[name]:
            yield f"column {name} is gone from {where}: no row of the newest window names it, so all count as missing"


def _of_other_kind(told: Told) -> Iterator[str]:
    table = told.basis.table
    if not isinstance(table, DatasetTable):
        return
    for name, now in table.changed().items():
        before = {"numeric": "numbers", "categorical": "words"}[table.kinds[name]]
        yield f"column {name} is of {now} now, and was of {before}: what cannot be read as such counts as missing"


def _not_apart(one: Assessed) -> bool:
    """Somebody has asked for it by name, so he is told why there is nothing."""
    return (one.kind, one.subject, one.answer) == ("drift", ROWS, "not yet")


def _time(at_us: int) -> str:
    return f"{from_us(at_us):%Y-%m-%d %H:%M} UTC"
