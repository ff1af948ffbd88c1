"""How many rows lie outside of what a version learned from: beyond a column's range, or with a word it hardly saw."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.stats.distances import share_effect
from pipeline.watching.assessed import Answer, Assessed
from pipeline.watching.numbers import NumberProfile
from pipeline.watching.profile import Profile, Profiles

_CHANCE: Final = 3.9
"""As `pipeline.watching.verdict` has it for shares."""


@dataclass(frozen=True, kw_only=True)
class Beyond:
    """Rows of one column. The cells' edges are those of a sample, so of the training rows some lie beyond them too:
    `expected` is their share."""

    column: str
    below: int
    above: int
    new: int
    """With a word that is none of the reference's common ones."""
    share: float
    expected: float


@dataclass(frozen=True, kw_only=True)
class Support:
    """Of a window."""

    rows: int
    outside: int
    """Rows with at least one column beyond."""
    columns: tuple[Beyond, ...]
    """Those with any such row, the most first."""

    @property
    def share(self) -> float | None:
        return self.outside / self.rows if self.rows else None

    def document(self) -> dict[str, Any]:
        return {**asdict(self), "columns": [asdict(one) for one in self.columns], "share": self.share}


def beyond(name: str, reference: Profile, current: Profile) -> Beyond:
    """Of one column, from both profiles alone. A number is beyond when it is less than all of the reference's sample,
    or more; missing and infinite ones are not, the model takes them for missing."""
    if isinstance(reference, NumberProfile) and isinstance(current, NumberProfile):
        below, above, new = int(current.finite[0]), 0, 0
        before = int(reference.finite[0])
        if len(current.finite) > 1:
            above, before = int(current.finite[-1]), before + int(reference.finite[-1])
    elif not isinstance(reference, NumberProfile) and not isinstance(current, NumberProfile):
        below, above, new, before = 0, 0, current.others, reference.others
    else:
        raise ValueError("a profile of numbers and one of words cannot be compared")
    share = (below + above + new) / current.rows if current.rows else 0.0
    expected = before / reference.rows if reference.rows else 0.0
    return Beyond(column=name, below=below, above=above, new=new, share=share, expected=expected)


def support(reference: Profiles, rows: pa.Table) -> Support:
    """`rows`: as profiled, with the reference's columns, or some of them. Row by row: those with any column beyond."""
    masks = {name: _places(one, rows.column(name)) for name, one in reference.items() if name in rows.column_names}
    any_of = np.zeros(rows.num_rows, np.bool_)
    found = []
    for name, (below, above, new) in masks.items():
        any_of |= below | above | new
        counts = [int(mask.sum()) for mask in (below, above, new)]
        if sum(counts):
            share, expected = sum(counts) / rows.num_rows, beyond(name, reference[name], reference[name]).share
            place = dict(zip(("below", "above", "new"), counts, strict=True))
            found.append(Beyond(column=name, **place, share=share, expected=expected))
    ordered = tuple(sorted(found, key=lambda one: (one.expected - one.share, one.column)))
    return Support(rows=rows.num_rows, outside=int(any_of.sum()), columns=ordered)


def support_assessed(now: Support, before: Support, limit: float = 0.2, least_rows: int = 500) -> Assessed:
    """`before`: of held-out rows, for some are always outside. `limit`: Cohen's h of the two shares, never below what
    chance gives (3.9·√(1/n + 1/m))."""
    if now.rows < least_rows or before.rows < least_rows:
        short = min(now.rows, before.rows)
        return _told("not yet", f"{short:,} rows, and at least {least_rows:,} are needed", now, {})
    counts = max(limit, _CHANCE * math.sqrt(1 / now.rows + 1 / before.rows))
    effect = share_effect(before.share or 0.0, now.share or 0.0)
    worst = ", ".join(f"{one.column} {one.share:.1%}" for one in now.columns[:3])
    reason = (
        f"{now.share or 0:.1%} of {now.rows:,} rows lie outside of what the version learned from in at least one "
        f"column ({worst or 'none'}), {before.share or 0:.1%} of rows like its own: an effect of {effect:.2f} where "
        f"{counts:.2g} counts"
    )
    told = {"before": before.share, "effect": effect, "limit": counts}
    return _told("found" if effect >= counts else "clear", reason, now, told)


def _told(answer: Answer, reason: str, now: Support, told: dict[str, Any]) -> Assessed:
    return Assessed(
        kind="drift",
        subject="support",
        answer=answer,
        title="it is asked what it never learned" if answer == "found" else "what it is asked is what it learned",
        reason=reason,
        evidence={**now.document(), **told},
        suggestion="a model guesses there: train with rows like these, or keep such requests away from it"
        if answer == "found"
        else "",
    )


def _places(reference: Profile, column: pa.ChunkedArray) -> tuple[npt.NDArray[np.bool_], ...]:
    """[n] below, above, new."""
    none = np.zeros(len(column), np.bool_)
    if not isinstance(reference, NumberProfile):
        known = pc.is_in(column, value_set=pa.array(reference.cells.words, pa.string()))
        return none, none, np.asarray(pc.and_(pc.invert(known), pc.is_valid(column)).to_numpy())
    values = np.asarray(column.cast(pa.float64()).to_numpy(), np.float64)
    finite, edges = np.isfinite(values), reference.cells.edges
    if not len(edges):
        return finite, none, none
    return finite & (values <= edges[0]), finite & (values > edges[-1]), none
