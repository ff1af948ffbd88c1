"""Profiles of windows beside their references', over groups of cells: of many columns at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from pipeline.stats.distances import Pairs
from pipeline.watching.grouping import GROUPS, Places, word_groups
from pipeline.watching.numbers import NumberProfile
from pipeline.watching.words import SPECIAL_WORDS, WordProfile

_ROWS_A_GROUP: Final = 25
"""Of words there are more groups if both sides have so many rows for each: words have no neighbours that are alike."""


def finite_numbers(both: Sequence[tuple[NumberProfile, NumberProfile]]) -> Pairs:
    """Of each pair, all cells of finite numbers."""
    starts = np.cumsum([0, *(len(before.finite) for before, _ in both[:-1])])
    known, now, upto = (
        np.concatenate(side)
        for side in (
            [before.finite for before, _ in both],
            [now.finite for _, now in both],
            [before.upto for before, _ in both],
        )
    )
    return Pairs(known, now, starts, upto)


def grouped_numbers(both: Sequence[tuple[NumberProfile, NumberProfile]], finite: Pairs) -> Pairs:
    """Of each pair: below and above the reference, the special ones, and GROUPS. `finite`: of the same pairs."""
    ends = np.stack([before.group_ends for before, _ in both]) + finite.starts[:, None]
    inside = np.diff(finite.current_upto[ends], axis=1)
    alone = np.stack([now.alone for _, now in both])
    known, now = np.stack([before.grouped for before, _ in both]), np.hstack([alone, inside])
    return Pairs(known.ravel(), now.ravel(), np.arange(len(both)) * known.shape[1])


def grouped_words(both: Sequence[tuple[WordProfile, WordProfile]]) -> Pairs:
    """Of each pair: others, missing, and the groups. Rows that the reference has by luck count as others."""
    groups = [max(GROUPS, min(before.rows, now.rows) // _ROWS_A_GROUP) for before, now in both]
    places = [word_groups(before.known, SPECIAL_WORDS, many) for (before, _), many in zip(both, groups, strict=True)]
    found = _together(both, places, [SPECIAL_WORDS + many for many in groups])
    reference = found.reference.astype(np.float64)
    for (before, _), start, many in zip(both, found.starts.tolist(), groups, strict=True):
        inside = slice(start + SPECIAL_WORDS, start + SPECIAL_WORDS + many)
        reference[inside] *= 1 - before.lucky / max(1, int(before.known.sum()))
        reference[start] += before.lucky
    return Pairs(reference, found.current, found.starts)


def _together(both: Sequence[tuple[Any, Any]], places: Sequence[Places], sizes: Sequence[int]) -> Pairs:
    """`places`: of the cells of each pair, among its [sizes] groups."""
    starts = np.cumsum([0, *sizes[:-1]])
    where = np.concatenate([place + start for place, start in zip(places, starts.tolist(), strict=True)])
    sides = [before.counts for before, _ in both], [now.counts for _, now in both]
    before, now = (np.bincount(where, np.concatenate(side), sum(sizes)).astype(np.int64) for side in sides)
    return Pairs(before, now, starts)
