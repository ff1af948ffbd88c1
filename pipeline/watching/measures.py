"""How far a window's column lies from the reference's: every measure that the two profiles give.

`pipeline.stats.distances` has the formulas. Kolmogorov-Smirnov and Wasserstein are of finite numbers over all cells;
the others are of all rows over groups of cells of about equal mass, what is special and missing among them: 20 of
numbers, for over a thousand cells chance alone would be larger than any drift; of words 20 or one for 25 rows.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pipeline.stats.distances import (
    Counts,
    chi_square,
    hellinger,
    jensen_shannon,
    kolmogorov_smirnov,
    psi,
    share_effect,
    wasserstein,
)
from pipeline.watching.numbers import SPECIAL, NumberProfile
from pipeline.watching.profile import Profile
from pipeline.watching.sums import as_float
from pipeline.watching.words import MOST_WORDS, WordProfile

GROUPS: Final = 20
_ENDS: Final = np.r_[0, -len(SPECIAL) - 1, -len(SPECIAL) : 0]
"""Of a profile's cells, the first and the last of finite numbers, and those behind."""
_ROWS_A_GROUP: Final = 25
"""Of words there are more groups if both sides have so many rows for each: words have no neighbours that are alike."""
_RARE: Final = 50
"""A word that the reference has so often is known to a seventh."""


@dataclass(frozen=True, kw_only=True)
class Measures:
    """Of one column, window against reference. None: not defined for these rows, or for this kind of column."""

    rows: int
    """Of the window."""
    reference_rows: int
    values: int | None = None
    """Of the window, finite numbers among the rows: Kolmogorov-Smirnov and Wasserstein are of these. None of words."""
    reference_values: int | None = None
    psi: float | None = None
    """Above what chance gives."""
    jensen_shannon: float | None = None
    hellinger: float | None = None
    ks: float | None = None
    wasserstein: float | None = None
    """In standard deviations of the reference; None where that does not vary."""
    chi_square_p: float | None = None
    """A note, never an alarm: with many rows every difference is significant."""
    missing: float | None = None
    """Share of rows without a value."""
    reference_missing: float | None = None
    missing_effect: float | None = None
    """Cohen's h of the two shares."""
    new: float | None = None
    """Share of rows with a word that the reference hardly knew."""
    reference_new: float | None = None
    """What to expect of that."""
    new_effect: float | None = None
    """Cohen's h of the two shares; above 0, there are more of them than the reference lets expect."""
    examples: tuple[str, ...] = ()
    """Of those words."""


def measures(reference: Profile, current: Profile) -> Measures:
    """Both over the same cells. Raises ValueError for two kinds of column."""
    if isinstance(reference, NumberProfile) and isinstance(current, NumberProfile):
        return _of_numbers(reference, current)
    if isinstance(reference, WordProfile) and isinstance(current, WordProfile):
        return _of_words(reference, current)
    raise ValueError("a profile of numbers and one of words cannot be compared")


def grouped(reference: Counts, current: Counts, groups: int = GROUPS) -> tuple[Counts, Counts]:
    """Neighbouring cells together, so that each of about `groups` has an equal share of the reference.

    A cell with more than that share stays alone. Cells that the reference has nothing in join their neighbours.
    [k] each → [groups] each, some of them empty.
    """
    place = _places(reference, groups)
    return tuple(np.bincount(place, one, groups).astype(np.int64) for one in (reference, current))  # type: ignore[return-value]


def _places(reference: Counts, groups: int) -> npt.NDArray[np.int64]:
    total = int(reference.sum())
    if not total:
        return np.zeros(len(reference), np.int64)
    middle = np.cumsum(reference) - reference / 2
    return np.minimum((middle * (groups / total)).astype(np.int64), groups - 1)


def _of_numbers(reference: NumberProfile, current: NumberProfile) -> Measures:
    inner = grouped(reference.finite[1:-1], current.finite[1:-1])
    both = [np.concatenate([one.counts[_ENDS], group]) for one, group in zip((reference, current), inner, strict=True)]
    return Measures(
        **_over_groups(*both),
        **_missing(reference, current),
        ks=kolmogorov_smirnov(reference.finite, current.finite),
        wasserstein=_wasserstein(reference, current),
        rows=current.rows,
        reference_rows=reference.rows,
        values=current.values,
        reference_values=reference.values,
    )


def _wasserstein(reference: NumberProfile, current: NumberProfile) -> float | None:
    n, m = reference.values, current.values
    deviation = reference.deviation
    if not n or not m or not deviation > 0:
        return None
    tails = (
        abs(_mean(reference.below, n) - _mean(current.below, m)),
        abs(_mean(reference.above, n) - _mean(current.above, m)),
    )
    cells = reference.cells
    found = wasserstein(reference.finite, current.finite, cells.edges, tails, points=cells.points)
    return None if found is None else found / deviation


def _mean(total: int, rows: int) -> float:
    return as_float(total) / rows


def _of_words(reference: WordProfile, current: WordProfile) -> Measures:
    order = _order(reference.counts[:-2])
    groups = max(GROUPS, min(reference.rows, current.rows) // _ROWS_A_GROUP)
    known, now = grouped(reference.counts[:-2][order], current.counts[:-2][order], groups)
    others = reference.others + _lucky(reference)
    before = np.r_[others, reference.missing, known * (1 - _lucky(reference) / max(1, int(known.sum())))]
    new = _effect(others, reference.rows, current.others, current.rows)
    return Measures(
        **_over_groups(before, np.r_[current.counts[-2:], now]),
        **_missing(reference, current),
        new=new[1],
        reference_new=new[0],
        new_effect=new[2],
        examples=current.examples,
        rows=current.rows,
        reference_rows=reference.rows,
    )


def _lucky(reference: WordProfile) -> int:
    """Rows of the reference that have a cell only because they are in it: had one of them come later, it would be one
    of the others.

    Leaving one out: rows of words that were met just often enough. So many are to expect of a window's others beside
    the reference's own, for cells are of the words that it was lucky to meet (after Good 1953).
    """
    known = reference.counts[:-2]
    least = 2 if len(known) < MOST_WORDS else int(known.min())
    return int(known[known == least].sum())


def _order(counts: Counts) -> npt.NDArray[np.intp]:
    """In which words become neighbours: as they are, the most frequent first; but the rare ones frequent and less so in
    turn. Of those that come first chance has given the reference too many: a group of them would show that as drift."""
    turn = np.where(counts < _RARE, np.arange(len(counts)) % GROUPS, -1)
    return np.argsort(turn, kind="stable")


def _over_groups(reference: npt.NDArray[Any], current: Counts) -> dict[str, Any]:
    pearson = chi_square(reference, current)
    return {
        "psi": psi(reference, current) if pearson else None,
        "jensen_shannon": jensen_shannon(reference, current),
        "hellinger": hellinger(reference, current),
        "chi_square_p": pearson[1] if pearson else None,
    }


def _missing(reference: Profile, current: Profile) -> dict[str, Any]:
    before, now, effect = _effect(reference.missing, reference.rows, current.missing, current.rows)
    return {"missing": now, "reference_missing": before, "missing_effect": effect}


def _effect(some: int, of: int, now: int, of_now: int) -> tuple[float | None, float | None, float | None]:
    """Both shares, and Cohen's h of them."""
    before, after = (part / whole if whole else None for part, whole in ((some, of), (now, of_now)))
    effect = None if before is None or after is None else share_effect(before, after)
    return before, after, effect
