"""Golden rows: a version that does not give the scores it was sealed with, at any batch size, answers nobody."""

from __future__ import annotations

from typing import Any

import numpy as np

from pipeline.serving.buckets import pieces
from pipeline.serving.executables import Program, Programs
from pipeline.serving.padding import padded
from pipeline.serving.pressed import Golden, Pressed
from pipeline.versions.agreement import difference_of
from store.errors import GoldenMismatch


def check_programs(programs: Programs, parameters: Any, pressed: Pressed) -> float:
    """Runs every program on the golden rows; the largest difference of a score. Raises GoldenMismatch.

    It is the warm-up too: after it, each program has run.
    """
    largest = 0.0
    for bucket, program in programs.items():
        found = _run(program, bucket, parameters, pressed.golden)
        difference = difference_of(found, pressed.golden.scores, pressed.signature.task)
        if not difference <= pressed.facts.tolerance:
            raise _mismatch(difference, pressed.facts.tolerance, bucket)
        largest = max(largest, difference)
    return largest


def _run(program: Program, bucket: int, parameters: Any, golden: Golden) -> Any:
    answers = [
        np.asarray(program(parameters, padded(golden.numeric[a:b], bucket), padded(golden.categorical[a:b], bucket)))
        for a, b in pieces(len(golden.numeric), bucket)
    ]
    scores = [found[: b - a] for found, (a, b) in zip(answers, pieces(len(golden.numeric), bucket), strict=True)]
    return np.concatenate(scores) if scores else golden.scores


def _mismatch(difference: float, tolerance: float, bucket: int) -> GoldenMismatch:
    how = "a score is not a number" if np.isnan(difference) else f"a score differs by {difference:.3g}"
    return GoldenMismatch(
        f"the golden rows do not come back: {how} (batches of {bucket}; at most {tolerance:g} is allowed)",
        where=f"batch {bucket}",
        remedy="do not use this version here: train it again, or serve it on the kind of machine it was made on",
    )
