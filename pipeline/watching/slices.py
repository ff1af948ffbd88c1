"""A window's performance by slice: each value of a column of words, or each quarter of a numeric one. Worst first."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.judging.evidence import SliceFacts
from pipeline.stats.discovery import corrected
from pipeline.stats.measured import Floats, Measured
from pipeline.stats.metrics import Array, measure
from pipeline.stats.orientation import MetricName, gain
from pipeline.watching.assessed import Answer, Assessed, plain
from pipeline.watching.numbers import NumberProfile
from pipeline.watching.shortfall import Valued, drop

LEAST_ROWS: Final = 100
"""Labelled rows of a slice: of fewer nothing is told."""
MOST: Final = 50
"""Values of a column, the most frequent first."""
GROUPS: Final = 4
MISSING: Final = "(missing)"
"""As the evidence names it."""
_CHANCE: Final = 0.05


@dataclass(frozen=True, kw_only=True)
class Slice:
    """Labelled rows with one value, or in one group of a numeric column."""

    column: str
    value: str
    rows: int
    metric: MetricName
    now: float
    error: float
    drop: float
    """How much worse than all rows of the window, in the metric's unit; negative: better."""
    adjusted: float | None
    """P-value of "not worse than all rows", one-sided, after Benjamini-Hochberg over all slices."""
    before: float | None
    """Of the same slice in the version's evidence; None where that has none."""
    before_rows: int | None

    def document(self) -> dict[str, Any]:
        found: dict[str, Any] = plain(asdict(self))
        return found


def edges_of(profile: NumberProfile, groups: int = GROUPS) -> Floats:
    """The reference's quantiles between groups of equal mass: of all windows the same. [groups - 1] or fewer."""
    counts, edges = profile.finite[:-1], profile.cells.edges
    total = int(counts.sum())
    if not total or not len(edges):
        return np.zeros(0)
    wanted = np.arange(1, groups) * (total / groups)
    return np.unique(edges[np.minimum(np.searchsorted(np.cumsum(counts), wanted), len(edges) - 1)])


def grouped(column: pa.ChunkedArray, edges: Floats | None = None) -> npt.NDArray[np.str_]:
    """The slice that each row [n] is in. `edges`: of a numeric column, see `edges_of`; None: of words."""
    if edges is None:
        return np.array([MISSING if one is None else str(one) for one in column.to_pylist()], np.str_)
    values = np.asarray(column.to_numpy(), np.float64)
    names = [*_ranges(edges), MISSING]
    place = np.where(np.isnan(values), len(names) - 1, np.searchsorted(edges, values, side="left"))
    return np.asarray(names, np.str_)[place]


def slices(
    metric: MetricName,
    labels: Array,
    scores: Array,
    groups: Mapping[str, npt.NDArray[np.str_]],
    evidence: Sequence[SliceFacts] = (),
    least_rows: int = LEAST_ROWS,
) -> list[Slice]:
    """Of labelled rows alone: `labels` [n], `scores` [n] or [n, k]; `groups`: column → slice of each row, [n].

    The worst against the whole first. Slices of fewer rows, or whose metric is not defined, are left out.
    """
    if not len(labels):
        return []
    whole = measure(metric, labels, scores)
    known = {(one.column, one.value): one for one in evidence}
    found = list(_measured(metric, labels, scores, whole, groups, known, least_rows))
    chances = [chance for _, chance in found if chance is not None]
    adjusted = iter(corrected(chances).tolist() if chances else [])
    told = [Slice(**one, adjusted=None if chance is None else next(adjusted)) for one, chance in found]
    return sorted(told, key=lambda one: (-one.drop, one.column, one.value))


def judged_slices(found: Sequence[Slice], limit: float) -> list[Assessed]:
    """Slices that the evidence knows, each against itself there, the worst first: those that are worse, and those that
    are not, for who was worse before is so no more.

    The evidence keeps no error of a slice; it is taken to be this window's, for its rows: e·√(n₁/n₀). Of k slices each
    has to be worse at the level 1 - 0.05/k (Bonferroni), and by `limit` at least.
    """
    compared = [one for one in found if one.before is not None and one.before_rows]
    told = [_against(one, limit, 1 - 2 * _CHANCE / max(1, len(compared))) for one in compared]
    return sorted(told, key=lambda one: (one.answer != "found", -one.evidence["drop_since"]))


def _against(one: Slice, limit: float, level: float) -> Assessed:
    before = Valued(value=one.before or 0.0, error=one.error * math.sqrt(one.rows / (one.before_rows or 1)))
    fell = drop(one.metric, before, Valued(value=one.now, error=one.error), max(level, 0.0))
    answer: Answer = "found" if fell.value >= limit and fell.low > 0 else "clear"
    where = f"{one.column} = {one.value}"
    worse, found = fell.value >= 0, answer == "found"
    return Assessed(
        kind="performance",
        subject=f"{one.metric} where {where}",
        answer=answer,
        title=f"{one.metric} is worse where {where}" if found else f"{one.metric} holds where {where}",
        reason=f"{one.metric} {one.now:.4g} of {one.rows:,} labelled rows where {where}, {before.value:.4g} of "
        f"{one.before_rows:,} when the version was made: {abs(fell.value):.3g} {'worse' if worse else 'better'} where "
        f"{limit:.3g} counts",
        evidence={**one.document(), "drop_since": fell.value, "low": fell.low, "high": fell.high, "limit": limit},
        suggestion=f"look at the rows where {where}: has what they mean changed, or are they few in training?"
        if found
        else "",
        part_of=one.metric,
    )


def _measured(
    metric: MetricName,
    labels: Array,
    scores: Array,
    whole: Measured,
    groups: Mapping[str, npt.NDArray[np.str_]],
    known: Mapping[tuple[str, str], SliceFacts],
    least_rows: int,
) -> Iterator[tuple[dict[str, Any], float | None]]:
    """Each slice without its corrected p-value, and the plain one."""
    from scipy.special import ndtr  # here: who only groups rows does without scipy

    for column, values in groups.items():
        names, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
        for place in np.argsort(-counts, kind="stable")[:MOST]:
            if counts[place] < least_rows:
                break
            chosen = codes == place
            inside = measure(metric, labels[chosen], scores[chosen])
            if not math.isfinite(inside.value):
                continue
            # The rows of the slice count in both values, so the difference's influences carry the covariance.
            influence = -whole.influence
            influence[chosen] += inside.influence
            apart = Measured(inside.value - whole.value, influence)
            worse, error = gain(metric, -apart.value), apart.standard_error
            before = known.get((column, str(names[place])))
            told = {
                "column": column,
                "value": str(names[place]),
                "rows": int(counts[place]),
                "metric": metric,
                "now": inside.value,
                "error": inside.standard_error,
                "drop": worse,
                "before": None if before is None else before.objective,
                "before_rows": None if before is None else before.rows,
            }
            yield told, float(ndtr(-worse / error)) if error > 0 and not chosen.all() else None


def _ranges(edges: Floats) -> list[str]:
    if not len(edges):
        return ["all"]
    between = [f"{low:.4g} to {high:.4g}" for low, high in pairwise(edges)]
    return [f"up to {edges[0]:.4g}", *between, f"above {edges[-1]:.4g}"]
