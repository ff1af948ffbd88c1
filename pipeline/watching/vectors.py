"""Columns of vectors, such as embeddings of texts or images: has a window's cloud of points moved from the reference's?

Its measure is the maximum mean discrepancy with an RBF kernel: 0 of one distribution, at most √2. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.stats.measured import Floats
from pipeline.stats.mmd import Discrepancy, mmd
from pipeline.watching.assessed import Answer, Assessed
from pipeline.watching.assessment import Assessment, read

_CHANCE: Final = 9.0
"""Times the deviation of MMD² without a difference: it is a sum of squares, whose tail is longer than a bell's, and the
deviation is an estimate."""
_HALVES: Final = 64
_OF_OTHERS: Final = (
    "jensen_shannon",
    "hellinger",
    "chi_square_p",
    "missing",
    "reference_missing",
    "new",
    "reference_new",
    "mean",
    "reference_mean",
)
"""Of columns of numbers and words."""


@dataclass(frozen=True, eq=False)
class Vectors:
    """Of one column."""

    rows: Floats
    """[n, d] finite numbers."""
    left_out: int
    """Rows without a vector, with another length than most, or with a number that is missing or not finite."""


def vector_columns(schema: pa.Schema) -> list[str]:
    """Lists of numbers, of one length or not."""
    return [field.name for field in schema if _is_vector(field.type)]


def _is_vector(kind: pa.DataType) -> bool:
    if not (pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)):
        return False
    return bool(pa.types.is_floating(kind.value_type) or pa.types.is_integer(kind.value_type))


def as_vectors(column: pa.ChunkedArray) -> Vectors:
    """Those of the commonest length; of two that are as common, the longer."""
    there = column.drop_null().combine_chunks()
    lengths = np.asarray(pc.list_value_length(there).to_numpy(zero_copy_only=False), np.int64)
    counts = np.bincount(lengths)
    if not counts[1:].any():
        return Vectors(np.zeros((0, 0)), len(column))
    length = len(counts) - 1 - int(counts[:0:-1].argmax())
    alike = there.filter(pa.array(lengths == length))
    numbers = alike.flatten().cast(pa.float64()).to_numpy(zero_copy_only=False).reshape(-1, length)
    sound = np.isfinite(numbers).all(axis=1)
    return Vectors(np.asarray(numbers[sound], np.float64), len(column) - int(sound.sum()))


def vectors_assessed(
    name: str, before: Vectors, now: Vectors, rng: np.random.Generator, *, limit: float, least_rows: int = 500
) -> Assessed:
    """`limit`: an MMD that matters, or what chance gives if that is more. `least_rows`: of each side with a vector."""
    rows = min(len(before.rows), len(now.rows))
    if rows < max(least_rows, 2):
        return _told(name, "not yet", f"{rows:,} rows of a side have a vector, and {least_rows:,} are needed", {})
    lengths = before.rows.shape[1], now.rows.shape[1]
    if lengths[0] != lengths[1]:
        reason = f"its vectors have {lengths[1]} numbers, and those of the reference {lengths[0]}"
        return _told(name, "found", reason, {"numbers": list(lengths)})
    found = mmd(before.rows, now.rows, rng, halves=_HALVES)
    assert found is not None  # there are rows enough
    return _judged(name, {"mmd": distance(found), "left_out": now.left_out, **found.document()}, limit)


def vectors_again(said: Assessed, limit: float) -> Assessed:
    """What `vectors_assessed` said, by another limit on the MMD."""
    return _judged(said.subject, said.evidence, limit) if "mmd" in said.evidence else said


def _judged(name: str, evidence: Mapping[str, Any], limit: float) -> Assessed:
    value, counts = evidence["mmd"], max(limit, chance(evidence["noise"]))
    reason = f"maximum mean discrepancy {value:.3f} where {counts:.3g} counts, of {evidence['rows'][1]:,} vectors"
    if left_out := evidence.get("left_out"):
        reason += f"; {left_out:,} rows have none that could be compared"
    return _told(name, "found" if value >= counts else "clear", reason, {**evidence, "limit": counts})


def vector_measures(said: Assessment) -> Iterator[tuple[str, float, float]]:
    """(column, MMD, limit) of what was said of a window's vectors."""
    for one in said.verdicts:
        evidence = one["evidence"]
        if one["kind"] == "drift" and "mmd" in evidence:
            yield one["subject"], evidence["mmd"], evidence["limit"]


def vector_column(name: str, said: Sequence[Assessment], windows: int, needed: int) -> dict[str, Any]:
    """What `store.wire.DriftColumn` tells of it, by the rule of all columns. `said`: oldest window first."""
    known = [
        one
        for each in said
        for one in map(read, each.verdicts)
        if (one.kind, one.subject) == ("drift", name) and one.answer != "not yet"
    ]
    last = known[-windows:]
    reached = [one for one in last if one.answer == "found"]
    often = f"; {len(reached)} of {len(last)} windows reach it"
    if len(last) < needed:
        state, reason = "not yet", f"{len(last)} windows with enough vectors so far, and {needed} are needed"
    elif len(reached) >= needed:
        state, reason = "drifted", reached[-1].reason + often
    else:
        state, reason = "steady", last[-1].reason + often
    measured = [one for one in last if "mmd" in one.evidence][-1:]
    measures = [
        {
            "measure": "mmd",
            "reached": len(reached),
            "value": one.evidence["mmd"],
            "limit": one.evidence["limit"],
            "reason": reason,
        }
        for one in measured
    ]
    told = {"name": name, "subject": "feature", "kind": "vector", "state": state, "reason": reason}
    return {**told, "measures": measures, **dict.fromkeys(_OF_OTHERS), "examples": []}


def distance(found: Discrepancy) -> float:
    """The root of MMD²: half a difference is half of it. An estimate below 0 is none."""
    return math.sqrt(max(0.0, found.squared))


def chance(noise: float | None) -> float:
    """What the reference's own halves let expect of two samples of these sizes, at most. `noise`: a `Discrepancy`'s."""
    return math.sqrt(_CHANCE * (noise or 0.0))


def _told(name: str, answer: Answer, reason: str, evidence: dict[str, Any]) -> Assessed:
    return Assessed(
        kind="drift",
        subject=name,
        answer=answer,
        title=f"{name} has drifted" if answer == "found" else f"{name} is as before",
        reason=reason,
        evidence=evidence,
        suggestion="has the program that makes these vectors changed, or what it is given?"
        if answer == "found"
        else "",
    )
