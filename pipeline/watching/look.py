"""One look at a version, or a dataset: its closed windows, each told once, and again when its rows or labels change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from pipeline.config import Project
from pipeline.config.monitors import MonitorSection
from pipeline.process.spec import KnownWindow
from pipeline.tables.fingerprint import fingerprint
from pipeline.watching.assessment import Assessment
from pipeline.watching.assessor import Assessor
from pipeline.watching.closing import Closed, Full, close
from pipeline.watching.held import Held, rules_of, told
from pipeline.watching.labeltokens import label_tokens
from pipeline.watching.rowassessor import RowAssessor
from pipeline.watching.subjects import Basis, Subject
from pipeline.watching.vectors import vector_measures
from pipeline.watching.windows import Window
from store.facts import REMEMBERED, WindowFacts
from store.home import Home

FORMAT: Final = 1
"""Of what a look tells of a window; a new number makes it anew."""


@dataclass(frozen=True)
class Look:
    """A subject with its closed windows."""

    subject: Subject
    closed: Closed
    labels: Mapping[Window, str] = field(default_factory=dict)
    """Which labels a window has, as a token."""

    @property
    def windows(self) -> list[Full]:
        return self.closed.windows

    def token(self, place: int) -> str:
        """Of all rows and labels that a window's assessment follows from."""
        full = self.windows[place]
        label = self.labels.get(full.window)
        return full.content.token if label is None else f"{full.content.token}.{label}"

    def key(self, place: int) -> tuple[int, int, int]:
        """Version, start, end."""
        window = self.windows[place].window
        return self.subject.number, window.start_us, window.end_us


def look_at(subject: Subject, section: MonitorSection, known: Sequence[KnownWindow], whole_us: int = 0) -> Look:
    """Reads no row but their times, and no label but which it is. `whole_us`: as `close` has it."""
    mine = [Window(one.start_us, one.end_us) for one in known if one.version == subject.number]
    closed = close(
        subject.table,
        section,
        mine,
        since_us=subject.since_us,
        before_us=subject.before_us,
        until_us=subject.until_us,
        most=REMEMBERED,
        whole_us=whole_us,
    )
    answered = subject.answered
    if answered is None:
        return Look(subject, closed)
    windows = [one.window for one in closed.windows]
    return Look(subject, closed, label_tokens(answered.predictions, answered.labels, subject.number, windows))


@dataclass(frozen=True)
class Told:
    """A look's windows, ready to be told and judged."""

    monitor: str
    look: Look
    held: Held
    basis: Basis
    assessor: Assessor | None
    """Of a model."""
    rows: RowAssessor | None
    """Where rows themselves are looked at."""
    settings: str
    """Digest of what assessments follow from beside the rows."""

    def window(self, section: MonitorSection, place: int) -> WindowFacts:
        compared = self.held.compared(place)
        rules, output = rules_of(section), self.look.subject.output
        measures, limits = ({}, {}) if compared is None else told(compared, rules, output)
        said = self.assessment(place)
        for name, value, limit in vector_measures(said):
            measures[name], limits[name] = {"mmd": value}, {"mmd": limit}
        number, start_us, end_us = self.look.key(place)
        return WindowFacts(
            version=number,
            start_us=start_us,
            end_us=end_us,
            rows=self.held.profile(place).rows,
            labelled=said.labelled,
            measures=measures,
            limits=limits,
            performance=dict(said.performance),
            estimate=dict(said.estimate),
            service=dict(said.service),
            token=self.look.token(place),
        )

    def assessment(self, place: int) -> Assessment:
        """Made once for its rows, labels and settings, and kept beside the profile."""
        if self.assessor is None and self.rows is None:
            return Assessment()
        window, token = self.look.windows[place].window, f"{self.look.token(place)}/{self.settings}"
        kept = self.basis.shelf.told(self.monitor, self.look.subject.number, window, token)
        if kept is not None:
            return Assessment.from_document(kept)
        made = Assessment() if self.assessor is None else self.assessor.assess(window)
        if self.rows is not None:
            made = replace(made, verdicts=[*made.verdicts, *(one.document() for one in self.rows.assess(place))])
        self.basis.shelf.tell(self.monitor, self.look.subject.number, window, token, made.document())
        return made

    def assessments(self) -> Iterator[Assessment]:
        """Oldest first."""
        return (self.assessment(place) for place in range(len(self.look.windows)))


def assessor_of(home: Home, project: Project, section: MonitorSection, look: Look, basis: Basis) -> Assessor | None:
    """None of a dataset."""
    answered = look.subject.answered
    if answered is None or basis.learned is None:
        return None
    return Assessor(
        home=home,
        project=project,
        section=section,
        model=section.model or "",
        version=answered.version.version,
        digest=answered.version.digest,
        training_set=answered.version.training_set,
        signature=answered.signature,
        learned=basis.learned,
        predictions=answered.predictions,
        labels=answered.labels,
    )


def assessment_settings(section: MonitorSection, step: int, rows: RowAssessor | None) -> str:
    """What an assessment follows from beside rows, labels and the version; `step`: of what makes it."""
    named = section.model_dump(mode="json", include={"performance", "service", "least_rows", "skew"})
    named["performance"].pop("stream")  # follows no window
    if rows is not None:
        named |= section.model_dump(mode="json", include={"columns", "leave_out", "trailing", "cycle"})
        named |= section.limits.model_dump(include={"mmd", "classifier"})
        named |= {"against": section.held_against, "measures": sorted({"mmd", "classifier"} & set(section.measures))}
    return fingerprint(format=step, **named)[:16]
