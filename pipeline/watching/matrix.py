"""Columns of numbers and words as one matrix, for trees and kernels that tell rows apart."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.stats.measured import Floats
from pipeline.versions.signature import FeatureKind

MOST_WORDS: Final = 250
"""Of a column: scikit-learn's trees know 255 categories."""
OTHER: Final = 0
"""The number of a word that is not among them; those follow from 1 on, the commonest first."""
Vocabulary = Mapping[str, Sequence[str]]


def vocabulary(tables: Sequence[pa.Table], kinds: Mapping[str, FeatureKind], most: int = MOST_WORDS) -> Vocabulary:
    """Of each column of words, the commonest of all these rows."""
    return {name: _commonest(tables, name, most) for name, kind in kinds.items() if kind == "categorical"}


def matrix(table: pa.Table, kinds: Mapping[str, FeatureKind], words: Vocabulary) -> Floats:
    """[n, d] in the order of `kinds`: numbers, and numbers of words; NaN for missing. Infinities are missing."""
    found = np.empty((table.num_rows, len(kinds)))
    for place, (name, kind) in enumerate(kinds.items()):
        column = table.column(name)
        found[:, place] = _numbers(column) if kind == "numeric" else _codes(column, words[name])
    return found


def categorical(kinds: Mapping[str, FeatureKind]) -> npt.NDArray[np.bool_]:
    """[d] which of them are words."""
    return np.array([kind == "categorical" for kind in kinds.values()], np.bool_)


def _commonest(tables: Sequence[pa.Table], name: str, most: int) -> list[str]:
    counted = Counter[str]()
    for table in tables:
        for one in table.column(name).drop_null().value_counts():
            counted[one["values"].as_py()] += one["counts"].as_py()
    return [word for word, _ in sorted(counted.items(), key=lambda one: (-one[1], one[0]))[:most]]


def _numbers(column: pa.ChunkedArray) -> Floats:
    values = np.array(column.cast(pa.float64()).to_numpy(), np.float64)
    values[~np.isfinite(values)] = np.nan
    return values


def _codes(column: pa.ChunkedArray, words: Sequence[str]) -> Floats:
    import pyarrow.compute as pc

    found = pc.add(pc.index_in(column, value_set=pa.array(words, pa.string())), OTHER + 1)
    known = pc.if_else(pc.is_null(column), None, pc.fill_null(found, OTHER))
    return np.asarray(known.cast(pa.float64()).to_numpy(), np.float64)
