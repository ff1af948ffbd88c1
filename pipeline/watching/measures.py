"""How far a window's column lies from the reference's: every measure that the two profiles give.

`pipeline.stats.distances` has the formulas. Kolmogorov-Smirnov and Wasserstein are of finite numbers over all cells;
the others are of all rows over groups of cells of about equal mass, what is special and missing among them: 20 of
numbers, for over a thousand cells chance alone would be larger than any drift; of words 20 or one for 25 rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pipeline.stats.distances import (
    Counts,
    Pairs,
    chi_square,
    hellinger,
    jensen_shannon,
    kolmogorov_smirnov,
    population_stability,
    share_effect,
    wasserstein,
)
from pipeline.stats.measured import Floats
from pipeline.watching.grouped import finite_numbers, grouped_numbers, grouped_words
from pipeline.watching.numbers import SPECIAL, NumberProfile
from pipeline.watching.profile import Profile, Profiles
from pipeline.watching.words import WordProfile

_AT_ONCE: Final = 64
"""Columns."""


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
    """Of one column. Both over the same cells. Raises ValueError for two kinds of column."""
    return all_measures({"": reference}, {"": current})[""]


def all_measures(reference: Profiles, current: Profiles, *, of_cells: bool = True) -> dict[str, Measures]:
    """Of each column of `current`, all at once: of many columns a small part of what one after the other costs.

    What is said of a column does not depend on the others. Without `of_cells`, for who wants what groups say alone,
    Kolmogorov-Smirnov and Wasserstein are None. Raises ValueError where a column is of numbers and words.
    """
    pairs = {name: (reference[name], one) for name, one in current.items()}
    numbers = {name: (a, b) for name, (a, b) in pairs.items() if _both(NumberProfile, a, b)}
    words = {name: (a, b) for name, (a, b) in pairs.items() if _both(WordProfile, a, b)}
    found: dict[str, Measures] = {}
    for some in _some(numbers):
        found |= _of_numbers(some, of_cells=of_cells)
    for some in _some(words):
        found |= _of_words(some)
    return {name: found[name] for name in pairs}


def _some(pairs: Mapping[str, tuple[Any, Any]]) -> Iterator[dict[str, tuple[Any, Any]]]:
    """So many columns at a time that what is computed of them stays near the processor: of 200 at once, arrays are
    fetched from memory again and again, and nothing is gained."""
    names = list(pairs)
    return ({name: pairs[name] for name in names[at : at + _AT_ONCE]} for at in range(0, len(names), _AT_ONCE))


def _both(kind: type, reference: Profile, current: Profile) -> bool:
    if type(reference) is not type(current):
        raise ValueError("a profile of numbers and one of words cannot be compared")
    return isinstance(current, kind)


def _of_numbers(pairs: Mapping[str, tuple[Any, Any]], *, of_cells: bool) -> dict[str, Measures]:
    both: Sequence[tuple[NumberProfile, NumberProfile]] = list(pairs.values())
    finite = finite_numbers(both)
    grouped = grouped_numbers(both, finite)
    told = zip(
        pairs,
        _over_groups(grouped),
        _sizes(grouped.reference.reshape(len(both), -1)),
        _sizes(grouped.current.reshape(len(both), -1)),
        _plain(kolmogorov_smirnov(finite)) if of_cells else [None] * len(both),
        _plain(_deviations(both, finite)) if of_cells else [None] * len(both),
        strict=True,
    )
    return {
        name: Measures(
            **over,
            **_missing(missing, rows, missing_now, rows_now),
            ks=ks,
            wasserstein=apart,
            rows=rows_now,
            reference_rows=rows,
            values=values_now,
            reference_values=values,
        )
        for name, over, (rows, values, missing), (rows_now, values_now, missing_now), ks, apart in told
    }


def _sizes(grouped: Counts) -> Iterator[tuple[int, int, int]]:
    """Of each pair [c, 2 + 4 + groups]: rows, those with a finite number, and those without a value."""
    rows, special = grouped.sum(axis=1), grouped[:, 2 : 2 + len(SPECIAL)]
    values, missing = rows - special.sum(axis=1), special[:, -2:].sum(axis=1)
    return zip(rows.tolist(), values.tolist(), missing.tolist(), strict=True)


def _deviations(both: Sequence[tuple[NumberProfile, NumberProfile]], finite: Pairs) -> Floats:
    """[c] Wasserstein's distance in standard deviations of the reference; NaN where that does not vary."""
    n, m = finite.rows
    first, second = (np.array([side.integrals for side in one]).T for one in zip(*both, strict=True))
    below, above, centred = second / m - first / n
    widths = np.concatenate([before.cells.widths for before, _ in both])
    points = np.array([before.cells.points for before, _ in both], np.bool_)
    deviation = np.array([before.deviation for before, _ in both])
    known = deviation > 0
    # ∫ (F - G) dx over all is the difference of the means, of which the tails have their part.
    found = wasserstein(finite, widths, np.abs(below) + np.abs(above), centred + below - above, points)
    return found / np.where(known, deviation, np.nan)


def _of_words(pairs: Mapping[str, tuple[Any, Any]]) -> dict[str, Measures]:
    both: Sequence[tuple[WordProfile, WordProfile]] = list(pairs.values())
    return {
        name: Measures(
            **over,
            **_missing(before.missing, before.rows, now.missing, now.rows),
            **_new(before, now),
            rows=now.rows,
            reference_rows=before.rows,
        )
        for name, (before, now), over in zip(pairs, both, _over_groups(grouped_words(both)), strict=True)
    }


def _over_groups(pairs: Pairs) -> Iterator[dict[str, Any]]:
    """Of each pair."""
    named = {
        "psi": population_stability(pairs),
        "jensen_shannon": jensen_shannon(pairs),
        "hellinger": hellinger(pairs),
        "chi_square_p": chi_square(pairs)[1],
    }
    return (dict(zip(named, each, strict=True)) for each in zip(*map(_plain, named.values()), strict=True))


def _plain(values: npt.NDArray[np.float64]) -> list[float | None]:
    """What is not known is None."""
    return [None if value != value else value for value in values.tolist()]


def _missing(some: int, rows: int, now: int, rows_now: int) -> dict[str, Any]:
    before, after, effect = _effect(some, rows, now, rows_now)
    return {"missing": after, "reference_missing": before, "missing_effect": effect}


def _new(reference: WordProfile, current: WordProfile) -> dict[str, Any]:
    expected = reference.others + reference.lucky
    before, now, effect = _effect(expected, reference.rows, current.others, current.rows)
    return {"new": now, "reference_new": before, "new_effect": effect, "examples": current.examples}


def _effect(some: int, of: int, now: int, of_now: int) -> tuple[float | None, float | None, float | None]:
    """Both shares, and Cohen's h of them."""
    before = some / of if of else None
    after = now / of_now if of_now else None
    effect = None if before is None or after is None else share_effect(before, after)
    return before, after, effect
