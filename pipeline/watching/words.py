"""The profile of a column of words: how often each of the reference's words came, and what it did not know."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.stats.distances import Counts
from pipeline.watching.packed import counts_of, counts_text

MOST_WORDS: Final = 1000
EXAMPLES: Final = 5
SPECIAL_WORDS: Final = 2
"""Cells behind those of the words: others, and missing."""
_LONGEST: Final = 60
"""Letters of an example."""


@dataclass(frozen=True)
class WordCells:
    """A cell for each of the reference's common words, then one for all others, then one for missing."""

    words: tuple[str, ...]
    """The most frequent first, equally frequent ones by name."""

    @classmethod
    def fit(cls, column: pa.Array, most: int = MOST_WORDS) -> Self:
        """To a sample of the reference: its commonest words, none that it has only once.

        The share of words met once is what to expect of words never met (Good 1953): put among the others, the
        reference's share of them is what is expected of a window without drift.
        """
        counted = Counter(dict(_counted(column)))
        common = sorted((one for one in counted.items() if one[1] > 1), key=lambda one: (-one[1], one[0]))
        return cls(tuple(word for word, _ in common[:most]))

    def document(self) -> dict[str, Any]:
        """Plain JSON, the same for equal cells."""
        return {"kind": "categorical", "words": list(self.words)}

    identity = document
    """As `NumberCells.identity`."""

    @property
    def size(self) -> int:
        """Of a profile's counts."""
        return len(self.words) + SPECIAL_WORDS

    @classmethod
    def from_document(cls, said: dict[str, Any]) -> Self:
        return cls(tuple(said["words"]))


@dataclass(frozen=True, eq=False, kw_only=True)
class WordProfile:
    """Of a column over a window. `of` and `plus` agree exactly, however the rows are parted."""

    cells: WordCells
    counts: Counts
    """[words + 2]: rows with each word, with another one, with none."""
    examples: tuple[str, ...] = ()
    """Of the other words, the first few by name."""

    @classmethod
    def empty(cls, cells: WordCells) -> Self:
        return cls(cells=cells, counts=np.zeros(cells.size, np.int64))

    @classmethod
    def of(cls, cells: WordCells, column: pa.Array) -> Self:
        """A batch of text [n], or of a dictionary of text."""
        found = _counted(column)
        places = {word: place for place, word in enumerate(cells.words)}
        counts = np.zeros(cells.size, np.int64)
        for word, count in found:
            counts[places.get(word, -2)] += count
        counts[-1] = column.null_count
        return cls(cells=cells, counts=counts, examples=_first(word for word, _ in found if word not in places))

    def plus(self, other: WordProfile) -> WordProfile:
        """Of the rows of both. Raises ValueError for other cells."""
        if self.cells != other.cells:
            raise ValueError("profiles over different words do not add up; profile both over one reference's words")
        examples = _first({*self.examples, *other.examples})
        return WordProfile(cells=self.cells, counts=self.counts + other.counts, examples=examples)

    @cached_property
    def rows(self) -> int:
        return int(self.counts.sum())

    @property
    def missing(self) -> int:
        return int(self.counts[-1])

    @property
    def others(self) -> int:
        """Rows with a word that is none of the reference's common ones."""
        return int(self.counts[-2])

    @property
    def known(self) -> Counts:
        """Counts of the reference's words."""
        return self.counts[:-SPECIAL_WORDS]

    @cached_property
    def lucky(self) -> int:
        """Rows of a reference that have a cell only because they are in it: had one of them come later, it would be one
        of the others.

        Leaving one out: rows of words that were met just often enough. So many are to expect of a window's others
        beside the reference's own, for cells are of the words that it was lucky to meet (after Good 1953).
        """
        least = 2 if len(self.known) < MOST_WORDS else int(self.known.min())
        return least * int(np.count_nonzero(self.known == least))

    def document(self) -> dict[str, Any]:
        """Plain JSON, the same for equal profiles."""
        return {**self.cells.document(), **self.tally()}

    def tally(self) -> dict[str, Any]:
        """The same without the cells, which many profiles share."""
        return {"counts": counts_text(self.counts), **self.moments()}

    def moments(self) -> dict[str, Any]:
        """What it knows beside its counts."""
        return {"examples": list(self.examples)}

    @classmethod
    def from_document(cls, said: dict[str, Any]) -> WordProfile:
        return cls.over(WordCells.from_document(said), said)

    @classmethod
    def over(cls, cells: WordCells, said: dict[str, Any], counts: Counts | None = None) -> WordProfile:
        """From a document that need not hold the cells, nor `counts` where those are given."""
        known = counts_of(said["counts"]) if counts is None else counts
        return cls(cells=cells, counts=known, examples=tuple(said["examples"]))


def _counted(column: pa.Array) -> list[tuple[str, int]]:
    there = column.drop_null() if column.null_count else column
    if pa.types.is_dictionary(there.type):
        counts = np.bincount(there.indices.to_numpy(zero_copy_only=False), minlength=1)
        met = np.flatnonzero(counts)
        return list(zip(there.dictionary.take(pa.array(met)).to_pylist(), counts[met].tolist(), strict=True))
    found = pc.value_counts(there.cast(pa.string()))
    return list(zip(found.field("values").to_pylist(), found.field("counts").to_pylist(), strict=True))


def _first(words: Any) -> tuple[str, ...]:
    return tuple(sorted({word[:_LONGEST] for word in words})[:EXAMPLES])
