"""A version's closed windows as profiles, and what each of them is held against."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from pipeline.config.monitors import MonitorSection
from pipeline.watching.closing import Full
from pipeline.watching.judged import Compared, mean_of
from pipeline.watching.logged import OUTPUT
from pipeline.watching.making import window_profile
from pipeline.watching.measures import Measures, all_measures
from pipeline.watching.profile import Profiles
from pipeline.watching.stored import WindowProfile, joined
from pipeline.watching.subjects import Basis
from pipeline.watching.verdict import Limits, Rules, against_limits
from store.times import us

_IN_HAND: Final = 16
"""Profiles in memory, beside those that are the reference of one window."""


class Held:
    """Windows of one version, by their place: 0 is the oldest."""

    def __init__(
        self,
        section: MonitorSection,
        basis: Basis,
        number: int,
        windows: Sequence[Full],
        between: Callable[[], None] = lambda: None,
    ) -> None:
        """`number`: of the version. `between` is called before rows are read: it may raise."""
        self.windows = windows
        self.known = list(basis.shelf.cells)
        """Columns of its table."""
        self.columns = watched_columns(section, basis.shelf.cells)
        """Those that are watched."""
        self._section = section
        self._basis = basis
        self._number = number
        self._between = between
        self._places = {one.window: place for place, one in enumerate(windows)}
        self._in_hand: OrderedDict[int, WindowProfile] = OrderedDict()

    def profile(self, place: int) -> WindowProfile:
        """Of all columns."""
        if place not in self._in_hand:
            full = self.windows[place]
            self._in_hand[place] = window_profile(
                self._basis.shelf,
                self._basis.table,
                self._number,
                full.window,
                full.parts,
                full.content.token,
                self._between,
            )
            if len(self._in_hand) > _IN_HAND:
                self._in_hand.popitem(last=False)
        self._in_hand.move_to_end(place)
        return self._in_hand[place]

    def compared(self, place: int) -> Compared | None:
        """(what it is held against, the window), of the columns that are watched; None without a reference."""
        before = self._before(place)
        if before is None:
            return None
        now = self.profile(place).columns
        return {name: before[name] for name in self.columns}, {name: now[name] for name in self.columns}

    def _before(self, place: int) -> Profiles | None:
        others = self.places_before(place)
        if others is None:
            return self._basis.learned
        parts = [self.profile(one) for one in others]
        return joined(parts, "").columns if parts else None

    def places_before(self, place: int) -> range | None:
        """Of the windows that it is held against, which may be none; None: what the version learned from."""
        if self._section.held_against == "training":
            return None
        if self._section.held_against == "trailing":
            return range(max(0, place - self._section.trailing), place)
        earlier = self._places.get(self.windows[place].window.shifted(-us(self._section.cycle)))
        return range(0) if earlier is None else range(earlier, earlier + 1)


def watched_columns(section: MonitorSection, known: Mapping[str, object]) -> list[str]:
    """Those of the table that the monitor looks at; the predictions are always among them."""
    wanted = [name for name in known if name == OUTPUT or not section.columns or name in section.columns]
    return [name for name in wanted if name not in section.leave_out]


def unknown_columns(section: MonitorSection, known: Mapping[str, object]) -> list[str]:
    """Those that it is to watch and nobody has."""
    return [name for name in section.columns if name not in known]


def rules_of(section: MonitorSection) -> Rules:
    return Rules(
        limits=Limits(**section.limits.model_dump(exclude={"mmd", "classifier"})),
        least_rows=section.least_rows,
        windows=section.windows,
        needed=section.needed,
        measures=section.column_measures,
    )


Numbers = dict[str, dict[str, float]]
"""Column → {measure: number}."""


def told(compared: Compared, rules: Rules, output: str) -> tuple[Numbers, Numbers]:
    """A window's measures, and the limits of those that can alarm; predictions stand under `$` and their output."""
    found: Numbers = {}
    limits: Numbers = {}
    before, now = compared
    for name, one in all_measures(before, now).items():
        shown = f"${output}" if name == OUTPUT else name
        alarming = against_limits(one, rules)
        plain = {**_plain(one), "mean": mean_of(now[name])} | {key: value for key, (value, _) in alarming.items()}
        found[shown] = {key: value for key, value in plain.items() if value is not None}
        limits[shown] = {key: limit for key, (_, limit) in alarming.items()}
    return found, limits


def _plain(one: Measures) -> dict[str, float | None]:
    return {
        "psi": one.psi,
        "ks": one.ks,
        "wasserstein": one.wasserstein,
        "jensen_shannon": one.jensen_shannon,
        "hellinger": one.hellinger,
        "missing": None if one.missing_effect is None else abs(one.missing_effect),
        "new": None if one.new_effect is None else max(0.0, one.new_effect),
        "missing_share": one.missing,
        "new_share": one.new,
    }
