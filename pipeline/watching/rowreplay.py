"""What would have been said of rows themselves after each window: vectors, and rows told apart by a classifier.

Measured once, a window's figures are kept beside its profile, and other limits are held against those. What was not
measured, for it was not asked then, is measured of its rows, as long as they are all there: a thousand or five of each
side at a time.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Final

from pipeline.config.monitors import MonitorSection
from pipeline.watching.assessed import Assessed
from pipeline.watching.assessment import Assessment, read, standings
from pipeline.watching.classifier import SUBJECT, apart_again
from pipeline.watching.closing import Full, contents_of
from pipeline.watching.held import Held
from pipeline.watching.look import FORMAT, assessment_settings
from pipeline.watching.rowassessor import RowAssessor, row_assessor_of
from pipeline.watching.subjects import Basis, Subject
from pipeline.watching.tables import Content
from pipeline.watching.vectors import vectors_again
from pipeline.watching.windows import Window
from store.home import Home

MOST_ANEW: Final = 60
"""Windows whose rows are read: a classifier takes a second for each of a wide table."""
_LIKE_BEFORE: Final = ("columns", "leave_out", "least_rows", "trailing", "cycle", "reference")
"""Settings that figures follow from, but for limits."""


class RowReplay:
    """Of one version, or a dataset."""

    def __init__(
        self,
        home: Home,
        monitor: str,
        before: MonitorSection,
        section: MonitorSection,
        subject: Subject,
        basis: Basis,
        windows: Sequence[Full],
        tokens: Sequence[str],
    ) -> None:
        """`before`: as the project has it; `section`: as is asked. `tokens`: of the windows' rows and labels."""
        self._held = Held(section, basis, subject.number, windows)
        self._assessor = row_assessor_of(home, section, subject, windows, basis, self._held)
        self._table, self._section, self._shelf = subject.table, section, basis.shelf
        self._monitor, self._number = monitor, subject.number
        self._windows, self._tokens = windows, tokens
        self._settings = _settings(before, section, self._assessor)
        self._seen: list[Assessment] = []
        self._gone = 0
        self._refused: set[str] = set()
        self._kept = {place: one for place in range(len(windows)) if (one := self._known(place)) is not None}
        anew = [] if self._assessor is None else [place for place in range(len(windows)) if place not in self._kept]
        self._anew = set(anew[-MOST_ANEW:])
        self._left_out = len(anew) - len(self._anew)

    def after(self, place: int) -> tuple[dict[str, str], bool]:
        """Subject → why, of what has drifted by this window and those before; and whether anything can be said."""
        if self._assessor is None:
            return {}, False
        self._seen.append(Assessment(verdicts=[one.document() for one in self._said(place)]))
        told = standings(self._seen, self._section.windows, self._section.needed)
        found = {one.newest.subject: one.newest.reason for one in told if one.stands}
        return found, any(one.newest.answer != "not yet" for one in told)

    def notes(self) -> Iterator[str]:
        """What was left out, and why; once all windows are gone through."""
        left_out = "rows are not told apart and vectors not compared: they were not measured like this when it looked"
        if self._left_out:
            yield f"in {self._left_out:,} older windows {left_out}, and the rows of {MOST_ANEW} are read at most"
        if self._gone:
            yield f"in {self._gone:,} windows {left_out}, and their rows are gone by now, or others"
        yield from (f"rows are not told apart: {why}" for why in sorted(self._refused))

    def _said(self, place: int) -> Sequence[Assessed]:
        if place in self._kept:
            return self._kept[place]
        if place not in self._anew:
            return []
        others = self._held.places_before(place) or ()
        if not all(self._is_whole(one) for one in (place, *others)):
            self._gone += 1
            return []
        said = self._fresh.assess(place)
        self._refused |= {one.reason for one in said if one.answer == "not yet" and not one.evidence}
        return said

    @cached_property
    def _there(self) -> Mapping[Window, Content]:
        """What lies in the windows by now."""
        return contents_of(self._table, self._section, [one.window for one in self._windows])

    @cached_property
    def _fresh(self) -> RowAssessor:
        """It knows how many rows windows have, by which they are drawn."""
        assert self._assessor is not None
        known = [replace(one, content=self._there.get(one.window, one.content)) for one in self._windows]
        return replace(self._assessor, windows=known)

    def _is_whole(self, place: int) -> bool:
        """Whether its rows are those that it was told of."""
        one = self._windows[place]
        return one.window in self._there and self._there[one.window].token == one.content.token

    def _known(self, place: int) -> list[Assessed] | None:
        """What was said of it then, by the limits that are asked; None where nothing was, or something else."""
        if self._assessor is None or self._settings is None:
            return None
        window = self._windows[place].window
        said = self._shelf.told(self._monitor, self._number, window, f"{self._tokens[place]}/{self._settings}")
        if said is None:
            return None
        drift = [one for one in map(read, said["verdicts"]) if one.kind == "drift"]
        return [self._again(one) for one in drift if self._wanted(one)]

    def _wanted(self, one: Assessed) -> bool:
        assert self._assessor is not None
        return one.subject in self._assessor.vectors or (one.subject == SUBJECT and self._assessor.told_apart)

    def _again(self, one: Assessed) -> Assessed:
        limits = self._section.limits
        if one.subject == SUBJECT:
            return apart_again(one, limits.classifier, self._section.least_rows)
        return vectors_again(one, limits.mmd)


def _settings(before: MonitorSection, section: MonitorSection, assessor: RowAssessor | None) -> str | None:
    """Under which figures were kept; None where they would be others now."""
    if any(getattr(before, name) != getattr(section, name) for name in _LIKE_BEFORE):
        return None
    if {"mmd", "classifier"} & set(section.measures) - set(before.measures):
        return None
    return assessment_settings(before, FORMAT, assessor)
