"""Which cells of a profile go together, so that each group has about an equal share of the reference.

Over a thousand cells chance alone would be larger than any drift; over groups it is not. What is special (missing,
words that are none of the reference's, numbers beyond its range) always stays by itself, before the groups.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from pipeline.stats.distances import Counts

GROUPS: Final = 20
_RARE: Final = 50
"""A word that the reference has so often is known to a seventh."""
Places = npt.NDArray[np.int64]


def group_ends(finite: Counts) -> Places:
    """[GROUPS + 1], of the reference's counts [k] of cells of finite numbers: group g has the cells after ends[g] up to
    ends[g + 1]. The first and the last cell, below and above all that the reference has, are in none."""
    place = groups_of(finite[1:-1], GROUPS)
    return np.asarray(np.r_[0, np.searchsorted(place, np.arange(GROUPS), side="right")])


def word_groups(known: Counts, specials: int, groups: int) -> Places:
    """[k + specials], of the reference's counts [k] of words: the special ones come first."""
    order, place = _order(known), np.empty(len(known) + specials, np.int64)
    place[order] = specials + groups_of(known[order], groups)
    place[len(known) :] = np.arange(specials)
    return place


def groups_of(reference: Counts, groups: int) -> Places:
    """[k]: neighbouring cells together, so that each of about `groups` has an equal share of the reference.

    A cell with more than that share stays alone. Cells that the reference has nothing in join their neighbours.
    """
    upto = np.cumsum(reference)
    total = int(upto[-1]) if len(upto) else 0
    if not total:
        return np.zeros(len(reference), np.int64)
    middle = upto - reference / 2
    return np.asarray(np.minimum((middle * (groups / total)).astype(np.int64), groups - 1))


def _order(counts: Counts) -> npt.NDArray[np.intp]:
    """In which words become neighbours: as they are, the most frequent first; but the rare ones frequent and less so in
    turn. Of those that come first chance has given the reference too many: a group of them would show that as drift."""
    turn = np.where(counts < _RARE, np.arange(len(counts)) % GROUPS, -1)
    return np.argsort(turn, kind="stable")
