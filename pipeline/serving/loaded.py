"""A version that is ready to answer: parameters on the device, programs warm, golden rows met."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jax
import numpy as np
import numpy.typing as npt

from pipeline.serving.buckets import bucket_of, buckets, pieces
from pipeline.serving.executables import Programs, load_programs
from pipeline.serving.golden import check_programs
from pipeline.serving.padding import padded
from pipeline.serving.pressed import Pressed, read_pressed
from pipeline.serving.readiness import key_of
from pipeline.versions.signature import Categorical, Numeric, Signature
from store.errors import NotServed
from store.home import Home

Scores = npt.NDArray[np.float32]
"""[n], or [n, k] with a column for each class."""
_RUNS: Final = 10
_RUNS_S: Final = 0.01
"""Runs, or seconds of them, after which a time is believed: beside other processes three are too few, and what seems
slow is run by a thread for as long as it lives."""


@dataclass(frozen=True)
class LoadedVersion:
    """Immutable; its `run` may be called by several threads: a shadow may also be asked by its number."""

    digest: str
    signature: Signature
    parameters: Any
    programs: Programs
    programs_key: str
    difference: float
    """Of the golden scores, the largest."""
    seconds: Mapping[int, float]
    """Bucket → what a run took when it was warm."""

    @property
    def largest(self) -> int:
        """Rows that are answered in one run, at most."""
        return max(self.programs)

    def run(self, numeric: Numeric, categorical: Categorical) -> Scores:
        """Encoded rows [n, d] and [n, c] → scores, n of them, in as few runs as the largest bucket allows."""
        rows = len(numeric)
        if rows <= self.largest:
            return self._piece(numeric, categorical)
        return np.concatenate([self._piece(numeric[a:b], categorical[a:b]) for a, b in pieces(rows, self.largest)])

    def expected_seconds(self, rows: int) -> float:
        """What so many rows take, by what the warm-up measured."""
        whole, rest = divmod(rows, self.largest)
        return whole * self.seconds[self.largest] + (self.seconds[bucket_of(rest)] if rest else 0.0)

    def _piece(self, numeric: Numeric, categorical: Categorical) -> Scores:
        rows = len(numeric)
        bucket = bucket_of(rows)
        found = self.programs[bucket](self.parameters, padded(numeric, bucket), padded(categorical, bucket))
        return np.asarray(found)[:rows]


def load_version(home: Home, digest: str, largest_batch: int, shared: Mapping[str, Programs]) -> LoadedVersion:
    """Reads a pressed version, warms every batch size and compares the golden rows.

    `shared`: programs that are loaded already, by key. Compiles nothing. Raises NotServed if it was not pressed,
    BundleDamaged, GoldenMismatch.
    """
    folder, sizes = home.serving.pressed(digest), buckets(largest_batch)
    _require(folder, digest)
    pressed = read_pressed(folder)
    key = key_of(pressed.facts.function, sizes)
    programs = shared.get(key)
    if programs is None:
        _require(home.serving.executables(key), digest)
        programs = load_programs(home.serving.executables(key))
    return warmed(digest, pressed, programs, key)


def warmed(digest: str, pressed: Pressed, programs: Programs, key: str) -> LoadedVersion:
    """The version once each of its programs has run, and gave the golden scores. Raises GoldenMismatch."""
    parameters = jax.device_put(pressed.parameters)
    difference = check_programs(programs, parameters, pressed)
    return LoadedVersion(
        digest=digest,
        signature=pressed.signature,
        parameters=parameters,
        programs=programs,
        programs_key=key,
        difference=difference,
        seconds={bucket: _seconds(program, parameters, bucket, pressed.widths) for bucket, program in programs.items()},
    )


def _seconds(program: Any, parameters: Any, bucket: int, widths: tuple[int, int]) -> float:
    numeric, categorical = np.zeros((bucket, widths[0]), np.float32), np.zeros((bucket, widths[1]), np.int32)
    first = now = time.perf_counter()
    best = float("inf")
    for _ in range(_RUNS):
        began = now
        np.asarray(program(parameters, numeric, categorical))
        now = time.perf_counter()
        best = min(best, now - began)
        if now - first > _RUNS_S:
            break
    return best


def _require(folder: Path, digest: str) -> None:
    if not folder.is_dir():
        raise NotServed(
            f"version {digest[:12]}… was not pressed for this machine",
            where=str(folder),
            remedy="`trainshed endpoints start` presses what is promoted",
        )
