"""Sums of floats without any rounding: the sum of two parts is the sum of the whole, in whatever order they come."""

from __future__ import annotations

import math
from typing import Final

import numpy as np

from pipeline.stats.measured import Floats

FARTHEST: Final = 1e150
"""Numbers are summed up to this size, so that their squares are floats."""
UNIT_BITS: Final = 1074
"""Every float is a whole multiple of 2^-1074."""
_WIDTH: Final = 36
_BLOCK: Final = 2**16
"""So many numbers of 36 bits add up to at most 52 bits: nothing is rounded."""


def exact_sum(values: Floats, bound: float | None = None) -> int:
    """Σ values [n] in units of 2^-1074. Finite ones, none above 1e300. `bound`: what none is above or below -bound, for
    who knows it.

    Numbers are cut into slices of 36 bits at fixed places, (x + M) - M with M = 1.5·2^52 units of the slice, and each
    slice is added up exactly (Demmel & Nguyen 2013, without their limit to a few slices). 3 ns a value and slice.
    """
    return sum(_block(values[start : start + _BLOCK], bound) for start in range(0, len(values), _BLOCK))


def as_float(total: int) -> float:
    """The float next to a sum; ±inf where it is none."""
    try:
        return total / (1 << UNIT_BITS)
    except OverflowError:
        return math.inf if total > 0 else -math.inf


def to_text(total: int) -> str:
    """Short and canonical: `-3p-2` is -3·2^-2."""
    if total == 0:
        return "0p0"
    trailing = (total & -total).bit_length() - 1
    return f"{total >> trailing:x}p{trailing - UNIT_BITS}"


def from_text(text: str) -> int:
    """What `to_text` wrote. Raises ValueError."""
    digits, _, power = text.partition("p")
    total = int(digits, 16)
    return total << (int(power) + UNIT_BITS) if total else 0


def _block(rest: Floats, bound: float | None) -> int:
    total = 0
    largest = _largest(rest) if bound is None else bound
    while largest > 0.0:
        unit = max(math.frexp(largest)[1] - _WIDTH, -UNIT_BITS)
        shift = math.ldexp(1.5, 52 + unit)
        slices = rest + shift
        slices -= shift
        numerator, denominator = float(slices.sum()).as_integer_ratio()
        total += numerator * ((1 << UNIT_BITS) // denominator)
        rest = np.subtract(rest, slices, out=slices)
        largest = _largest(rest)
    return total


def _largest(values: Floats) -> float:
    return max(float(values.max()), -float(values.min()))
