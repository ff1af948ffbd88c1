"""A number as a vocabulary has it, without Arrow: what answers requests elsewhere carries 165 MB less.

Vocabularies are written by Arrow (`pipeline.versions.encoding.words`), so this writes what Arrow's cast to text writes:
the fewest digits that name the number, from 1e-6 up to below 1e10 without an exponent. A test compares the two.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import numpy.typing as npt

_PLAIN_FROM: Final = -6
_PLAIN_TO: Final = 10
"""Powers of ten between which there is no exponent."""


def number_words(values: npt.NDArray[Any]) -> list[str | None]:
    """Whole numbers, truth values or floats [n] → their words; NaN is missing."""
    match values.dtype.kind:
        case "b":
            return ["true" if value else "false" for value in values]
        case "f":
            return [float_word(value) for value in values]
    return [str(value) for value in values.tolist()]


def float_word(value: np.floating[Any]) -> str | None:
    """None for NaN. Half precision is written with all digits of its value, as Arrow does."""
    if np.isnan(value):
        return None
    if np.isinf(value):
        return "inf" if value > 0 else "-inf"
    wide = np.float64(value) if isinstance(value, np.float16) else value
    mantissa, exponent = np.format_float_scientific(wide, unique=True, trim="-", exp_digits=1).split("e")
    if _PLAIN_FROM <= int(exponent) < _PLAIN_TO:
        return np.format_float_positional(wide, unique=True, trim="-")
    return f"{mantissa}e{exponent}"
