"""Can a model tell the window's rows from the reference's? It sees what no column shows: how they go together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.process.threads import few_threads
from pipeline.stats.auc import auc
from pipeline.stats.measured import Floats
from pipeline.versions.signature import FeatureKind
from pipeline.watching.assessed import Answer, Assessed
from pipeline.watching.matrix import categorical as words_of
from pipeline.watching.matrix import matrix, vocabulary

MOST: Final = 5_000
"""Rows of each side; more are drawn from."""
LIMIT: Final = 0.6
"""From this AUC on, windows are told apart."""
SHOWN: Final = 5
SUBJECT: Final = "rows"
_TITLES: Final[dict[Answer, str]] = {
    "found": "rows can be told from those of the reference",
    "clear": "rows are like those of the reference",
    "not yet": "rows are not told apart",
}
_FOLDS: Final = 5
_LEAST: Final = 2 * _FOLDS
_MOST_WORDS: Final = 254
"""Of a categorical column: more numbers than the trees have bins are one."""
_CHANCE: Final = 3.9
"""Times the error without a difference: exceeded about once in 10,000 windows, as in `pipeline.watching.verdict`."""


@dataclass(frozen=True, kw_only=True)
class Apart:
    """How well the rows of two tables can be told apart."""

    auc: float
    rows: tuple[int, int]
    """That were looked at, of the reference and of the window."""
    limit: float
    """That of size, or what chance gives if that is more: ½ + 3.9·√((n + m + 1)/12nm)."""
    columns: tuple[tuple[str, float], ...]
    """Those that tell them apart, the most telling first: by how much the AUC falls when the column is shuffled."""

    def document(self) -> dict[str, Any]:
        return {**asdict(self), "rows": list(self.rows), "columns": [list(one) for one in self.columns]}


def told_apart(
    reference: pa.Table,
    current: pa.Table,
    kinds: Mapping[str, FeatureKind],
    rng: np.random.Generator,
    *,
    limit: float = LIMIT,
) -> Apart | None:
    """Both with the columns `kinds`, as profiled. `limit`: the AUC from which on it matters. None with fewer than 10
    rows on a side. About a second of CPU."""
    sides = [_drawn_table(one, rng) for one in (reference, current)]
    if min(one.num_rows for one in sides) < _LEAST:
        return None
    words = vocabulary(sides, kinds)
    before, now = (matrix(one, kinds, words) for one in sides)
    area = domain_auc(before, now, words_of(kinds), rng)
    assert area is not None  # there are rows enough
    n, m = len(before), len(now)
    counts = max(limit, _by_chance(n, m))
    telling = _telling(before, now, list(kinds), words_of(kinds), rng) if area >= counts else ()
    return Apart(auc=area, rows=(n, m), limit=counts, columns=telling)


def apart_assessed(found: Apart | None, least_rows: int = 500) -> Assessed:
    """All columns at once, as one finding of drift."""
    if found is None or min(found.rows) < least_rows:
        rows = 0 if found is None else min(found.rows)
        return _told("not yet", f"{rows:,} rows on a side, and at least {least_rows:,} are needed", found)
    columns = ", ".join(f"{name} (without it {fall:.2f} less)" for name, fall in found.columns)
    reason = (
        f"a classifier tells {found.rows[1]:,} rows of the window from {found.rows[0]:,} of the reference with an AUC "
        f"of {found.auc:.3f} where {found.limit:.3g} counts"
    )
    answer: Answer = "found" if found.auc >= found.limit else "clear"
    return _told(answer, f"{reason}; by {columns}" if columns else reason, found)


def apart_again(said: Assessed, limit: float, least_rows: int) -> Assessed:
    """What `apart_assessed` said, by another limit on the AUC."""
    if not said.evidence:
        return said
    rows, columns = said.evidence["rows"], said.evidence["columns"]
    found = Apart(
        auc=said.evidence["auc"],
        rows=(rows[0], rows[1]),
        limit=max(limit, _by_chance(*rows)),
        columns=tuple((name, fall) for name, fall in columns),
    )
    return apart_assessed(found, least_rows)


def _by_chance(n: int, m: int) -> float:
    """The AUC that so many rows of each side hardly ever reach without a difference."""
    return 0.5 + _CHANCE * math.sqrt((n + m + 1) / (12 * n * m))


def apart_not_judged(why: str) -> Assessed:
    """There are no rows to tell a window's from."""
    return _told("not yet", why, None)


def domain_auc(
    reference: Floats, current: Floats, categorical: npt.NDArray[np.bool_], rng: np.random.Generator
) -> float | None:
    """AUC of a classifier of reference against current: 0.5 when they cannot be told apart, 1 when always.

    `reference` [n, d] and `current` [m, d] numbers with NaN for missing; of `categorical` [d] columns the numbers of
    words from 0. Gradient-boosted trees, five folds, each row scored by trees that did not see it (the classifier
    two-sample test of Lopez-Paz & Oquab 2017). None with fewer than 10 rows on a side. By chance it deviates from 0.5
    by about √((n + m + 1)/(12nm)).
    """
    # Here, for it takes a second to load and most of this folder does without it.
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    sides = [_drawn(one, rng) for one in (reference, current)]
    if min(map(len, sides)) < _LEAST:
        return None
    rows, truth = _together(sides, categorical)
    seed = int(rng.integers(2**31))
    folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=seed)
    with few_threads(rows.size):
        scores = cross_val_predict(_trees(categorical, seed), rows, truth, cv=folds, method="predict_proba")[:, 1]
    return auc(truth == 1, scores)


def _telling(
    reference: Floats,
    current: Floats,
    names: list[str],
    categorical: npt.NDArray[np.bool_],
    rng: np.random.Generator,
) -> tuple[tuple[str, float], ...]:
    """Permutation importance (Breiman 2001) on a fifth of the rows that the trees did not see; only what is above 0."""
    from sklearn.inspection import permutation_importance
    from sklearn.model_selection import train_test_split

    rows, truth = _together([reference, current], categorical)
    seed = int(rng.integers(2**31))
    learned, unseen, said, asked = train_test_split(rows, truth, test_size=0.2, stratify=truth, random_state=seed)
    with few_threads(rows.size):
        trees = _trees(categorical, seed).fit(learned, said)
        found = permutation_importance(trees, unseen, asked, scoring="roc_auc", n_repeats=1, random_state=seed)
    falls = sorted(zip(names, found.importances_mean.tolist(), strict=True), key=lambda one: (-one[1], one[0]))
    return tuple((name, fall) for name, fall in falls[:SHOWN] if fall > 0)


def _trees(categorical: npt.NDArray[np.bool_], seed: int) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    # Of a few thousand rows trees are dear by their number, and 20 large steps tell apart what 50 small ones do.
    return HistGradientBoostingClassifier(
        max_iter=20, learning_rate=0.2, max_leaf_nodes=15, categorical_features=categorical, random_state=seed
    )


def _together(sides: list[Floats], categorical: npt.NDArray[np.bool_]) -> tuple[Floats, npt.NDArray[np.int64]]:
    rows = np.vstack(sides)
    rows[:, categorical] = np.minimum(rows[:, categorical], _MOST_WORDS)
    return rows, np.repeat([0, 1], [len(one) for one in sides])


def _drawn(rows: Floats, rng: np.random.Generator) -> Floats:
    return rows[rng.permutation(len(rows))[:MOST]].astype(np.float64)


def _drawn_table(rows: pa.Table, rng: np.random.Generator) -> pa.Table:
    return rows.take(pa.array(rng.permutation(rows.num_rows)[:MOST]))


def _told(answer: Answer, reason: str, found: Apart | None) -> Assessed:
    return Assessed(
        kind="drift",
        subject=SUBJECT,
        answer=answer,
        title=_TITLES[answer],
        reason=reason,
        evidence={} if found is None else found.document(),
        suggestion="look at these columns together: each alone may be steady" if answer == "found" else "",
    )
