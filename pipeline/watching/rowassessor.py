"""Assesses the rows of windows, where profiles do not suffice: columns of vectors, and how all columns go together."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pyarrow as pa

from pipeline.config.monitors import MonitorSection
from pipeline.versions.signature import FeatureKind
from pipeline.watching.assessed import Assessed
from pipeline.watching.classifier import apart_assessed, apart_not_judged, told_apart
from pipeline.watching.closing import Full
from pipeline.watching.datasettable import DatasetTable
from pipeline.watching.drawn import Drawing, OfDataset, OfLog, trained_rows
from pipeline.watching.held import Held
from pipeline.watching.reference import inputs_of
from pipeline.watching.subjects import Answered, Basis, Subject
from pipeline.watching.vectors import as_vectors, vector_columns, vectors_assessed
from store.errors import NotFound
from store.home import Home

Learned = Callable[[], pa.Table]


@dataclass(frozen=True, kw_only=True)
class RowAssessor:
    """Of a version's log, or of a dataset. The same rows are drawn, and parted, each time."""

    section: MonitorSection
    held: Held
    windows: Sequence[Full]
    drawing: Drawing
    learned: Learned | None
    """Rows that the version learned from."""
    kinds: Mapping[str, FeatureKind]
    """Columns that a classifier is given: those that are watched, without the answers."""
    vectors: Sequence[str]
    """Columns of vectors that are watched."""
    between: Callable[[], None]
    """Called before rows are read: it may raise."""

    def assess(self, place: int) -> list[Assessed]:
        """Of the window at that place."""
        self.between()
        before = self._before(place)
        if isinstance(before, str):
            return [apart_not_judged(before)] if self.told_apart else []
        return list(self._assessed(before, self.drawing.rows([self.windows[place]]), place))

    def _assessed(self, before: pa.Table, now: pa.Table, place: int) -> Iterator[Assessed]:
        window, least = self.windows[place].window, self.section.least_rows
        rng = np.random.default_rng([abs(window.start_us), window.span_us])
        if self.told_apart:
            limit = self.section.limits.classifier
            yield apart_assessed(told_apart(before, now, self.kinds, rng, limit=limit), least)
        for name in self.vectors:
            sides = as_vectors(before.column(name)), as_vectors(now.column(name))
            yield vectors_assessed(name, *sides, rng, limit=self.section.limits.mmd, least_rows=least)

    def _before(self, place: int) -> pa.Table | str:
        """What the window is held against, or why there is nothing."""
        places = self.held.places_before(place)
        if places is None:
            assert self.learned is not None
            try:
                return self.learned()
            except NotFound as gone:
                return f"{gone.what}, and of its rows none were kept"
        if not places:
            return f"there is no window to hold it against: its reference is {self.section.held_against}"
        return self.drawing.rows([self.windows[one] for one in places])

    @property
    def told_apart(self) -> bool:
        """Whether a classifier is wanted."""
        return "classifier" in self.section.measures and bool(self.kinds)


def row_assessor_of(
    home: Home,
    section: MonitorSection,
    subject: Subject,
    windows: Sequence[Full],
    basis: Basis,
    held: Held,
    between: Callable[[], None] = lambda: None,
) -> RowAssessor | None:
    """None where no measure of rows is wanted, or nothing has such columns."""
    if subject.answered is None:
        assert isinstance(basis.table, DatasetTable)
        vectors = watched_vectors(section, basis.table.rows.schema)
        known = [name for name in held.columns if name not in vectors]  # of one that has become vectors only those
        kinds = {name: kind for name, kind in basis.table.kinds.items() if name in known}
        drawing: Drawing = OfDataset(replace(basis.table, kinds=kinds), vectors)
    else:
        vectors = []
        kinds = {name: kind for name, kind in inputs_of(subject.answered.signature).items() if name in held.columns}
        drawing = OfLog(subject.answered, kinds)
    if not vectors and not (kinds and "classifier" in section.measures):
        return None
    return RowAssessor(
        section=section,
        held=held,
        windows=windows,
        drawing=drawing,
        learned=None if subject.answered is None else partial(_learned, home, subject.answered),
        kinds=kinds,
        vectors=vectors,
        between=between,
    )


def watched_vectors(section: MonitorSection, schema: pa.Schema) -> list[str]:
    """Columns of vectors that a dataset's monitor looks at."""
    if "mmd" not in section.measures:
        return []
    named = [name for name in vector_columns(schema) if not section.columns or name in section.columns]
    return [name for name in named if name not in section.leave_out]


def vectors_of(basis: Basis) -> list[str]:
    """All that there are, watched or not."""
    return vector_columns(basis.table.rows.schema) if isinstance(basis.table, DatasetTable) else []


def _learned(home: Home, answered: Answered) -> pa.Table:
    version = answered.version
    return trained_rows(home, version.digest, version.training_set, inputs_of(answered.signature))
