"""A signature as requests meet it: values by column → the two arrays, by the rules that training encoded with."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pipeline.serving.outputs import output_names
from pipeline.serving.refusal import Refusal, malformed
from pipeline.serving.tensors import Values
from pipeline.versions.numberwords import float_word, number_words
from pipeline.versions.signature import FIRST_WORD, MISSING, UNSEEN, Categorical, InputColumn, Numeric, Signature

NUMERIC: Final = "numeric"
CATEGORICAL: Final = "categorical"
_NUMBERS: Final = frozenset({float, int, bool, type(None)})
_SQUARE: Final = float(np.finfo(np.float32).max) ** 2
"""Numbers whose squares have a smaller sum are finite, and stay so as float32."""
_WORDS: Final = frozenset({str, int, float, bool, type(None)})


class Columns:
    """Of one version. Pure; shared by all requests."""

    def __init__(self, signature: Signature) -> None:
        self.signature = signature
        self.names: Final = tuple(column.name for column in signature.inputs)
        self.numeric: Final = tuple(column.name for column in signature.numeric)
        self.categorical: Final = tuple(column.name for column in signature.categorical)
        self._numeric_place = {name: place for place, name in enumerate(self.numeric)}
        self._vocabulary = {column.name: _numbered(column) for column in signature.categorical}
        self.outputs: Final = output_names(signature)
        self.packed: Final = _packed(self.names, bool(self.numeric), bool(self.categorical))
        """Names of the tensors that carry all columns of a kind at once; empty if a column has such a name."""
        self._packed: Final = frozenset(self.packed)
        self._widths: Final = {NUMERIC: len(self.numeric), CATEGORICAL: len(self.categorical)}

    # ------------------------------------------------------------------------------------- rows of plain JSON

    def of_rows(self, rows: Sequence[Mapping[str, Any]]) -> tuple[Numeric, Categorical]:
        """Each row a mapping from column to value; further columns are ignored. Raises Refusal."""
        try:
            numbers = {name: [row[name] for row in rows] for name in self.numeric}
            texts = {name: [row[name] for row in rows] for name in self.categorical}
        except KeyError as missing:
            raise self._missing(str(missing.args[0]), rows) from None
        numeric = np.empty((len(rows), len(self.numeric)), np.float64)
        for place, (name, values) in enumerate(numbers.items()):
            numeric[:, place] = _plain_numbers(name, values)
        categorical = np.empty((len(rows), len(self.categorical)), np.int32)
        for place, (name, values) in enumerate(texts.items()):
            categorical[:, place] = self._codes(name, _plain_words(name, values))
        return narrow(numeric), categorical

    # ---------------------------------------------------------------------------------------------- tensors

    def of_tensors(self, tensors: Mapping[str, tuple[Sequence[int], Values]]) -> tuple[Numeric, Categorical]:
        """Name → (shape, values): a tensor for each column, [n] or [n, 1]; or packed, [n, d] and [n, c].

        Raises Refusal.
        """
        if self.packed and tensors.keys() <= self._packed:
            return self._of_packed(tensors)
        self._require(tensors)
        counts = {name: _rows(name, tensors[name][0], 1) for name in self.names}
        rows = counts[self.names[0]]
        for name, count in counts.items():
            if count != rows:
                raise malformed(f"input {name} has {count} rows, and {self.names[0]} has {rows}")
        numeric = np.empty((rows, len(self.numeric)), np.float64)
        for place, name in enumerate(self.numeric):
            numeric[:, place] = _tensor_numbers(name, tensors[name][1])
        categorical = np.empty((rows, len(self.categorical)), np.int32)
        for place, name in enumerate(self.categorical):
            categorical[:, place] = self._codes(name, _tensor_words(tensors[name][1]))
        return narrow(numeric), categorical

    def _of_packed(self, tensors: Mapping[str, tuple[Sequence[int], Values]]) -> tuple[Numeric, Categorical]:
        for name in self.packed:
            if name not in tensors:
                raise malformed(f"input {name} is missing: packed columns come as {' and '.join(self.packed)}")
        rows, *others = [_rows(name, tensors[name][0], self._widths[name]) for name in self.packed]
        if any(count != rows for count in others):
            raise malformed(f"inputs {' and '.join(self.packed)} have different numbers of rows")
        if self.numeric:
            numeric = narrow(_tensor_numbers(NUMERIC, tensors[NUMERIC][1])).reshape(rows, len(self.numeric))
        else:
            numeric = np.empty((rows, 0), np.float32)
        categorical = np.empty((rows, len(self.categorical)), np.int32)
        if self.categorical:
            texts = _tensor_words(tensors[CATEGORICAL][1])
            for place, name in enumerate(self.categorical):
                categorical[:, place] = self._codes(name, texts[place :: len(self.categorical)])
        return numeric, categorical

    def _codes(self, name: str, texts: Iterable[str | None]) -> list[int]:
        known = self._vocabulary[name]
        return [known.get(text, UNSEEN) for text in texts]

    def _require(self, given: Mapping[str, Any]) -> None:
        for name in self.names:
            if name not in given:
                raise malformed(f"input {name} is missing; the model takes {_listed(self.names)}")
        for name in given:
            if name not in self._numeric_place and name not in self._vocabulary:
                close = difflib.get_close_matches(name, self.names, 1)
                hint = f"; did you mean {close[0]}?" if close else f"; it takes {_listed(self.names)}"
                raise malformed(f"the model has no input {name}{hint}")

    def _missing(self, name: str, rows: Sequence[Mapping[str, Any]]) -> Refusal:
        place = next(i for i, row in enumerate(rows) if name not in row)
        extra = [key for key in rows[place] if key not in self._numeric_place and key not in self._vocabulary]
        close = difflib.get_close_matches(name, extra, 1)
        hint = f"; is {close[0]!r} meant?" if close else "; send null for a value that is not known"
        return malformed(f"row {place} has no column {name!r}{hint}")


def narrow(numeric: npt.NDArray[Any]) -> Numeric:
    """float32, with what is not finite as NaN, which is "missing": as training has it."""
    if numeric.dtype == np.float64 and np.vdot(numeric, numeric) < _SQUARE:
        return numeric.astype(np.float32)
    if numeric.dtype == np.float32:
        found = np.ascontiguousarray(numeric)
    else:
        with np.errstate(over="ignore"):
            found = np.ascontiguousarray(numeric, dtype=np.float32)
    return found if all_finite(found) else np.where(np.isfinite(found), found, np.float32(math.nan))


def all_finite(numbers: npt.NDArray[Any]) -> bool:
    """A sum of squares that is finite says so at a third of the cost; one that is not may only be too large."""
    return math.isfinite(np.vdot(numbers, numbers)) or bool(np.isfinite(numbers).all())


def _numbered(column: InputColumn) -> Mapping[str | None, int]:
    return {None: MISSING, **{word: place + FIRST_WORD for place, word in enumerate(column.vocabulary)}}


def _packed(names: Sequence[str], numeric: bool, categorical: bool) -> tuple[str, ...]:
    if {NUMERIC, CATEGORICAL} & set(names):
        return ()
    return ((NUMERIC,) if numeric else ()) + ((CATEGORICAL,) if categorical else ())


def _rows(name: str, shape: Sequence[int], width: int) -> int:
    """Of a tensor [n, width], or [n] for a width of 1. Raises Refusal."""
    if len(shape) == 1 and width == 1:
        return shape[0]
    if len(shape) == 2 and shape[1] == width:
        return shape[0]
    wanted = "[rows] or [rows, 1]" if width == 1 else f"[rows, {width}]"
    raise malformed(f"input {name} has shape {list(shape)}, and the model takes {wanted}")


def _plain_numbers(name: str, values: list[Any]) -> list[float]:
    if not set(map(type, values)) <= _NUMBERS:
        place = next(i for i, value in enumerate(values) if type(value) not in _NUMBERS)
        raise malformed(f"row {place}, column {name!r}: {_shown(values[place])} is not a number")
    return [math.nan if value is None else value for value in values] if None in values else values


def _plain_words(name: str, values: list[Any]) -> list[str | None]:
    kinds = set(map(type, values))
    if kinds == {str}:
        return values
    if not kinds <= _WORDS:
        place = next(i for i, value in enumerate(values) if type(value) not in _WORDS)
        raise malformed(f"row {place}, column {name!r}: {_shown(values[place])} is not text, a number or a truth value")
    return [word(value) for value in values]


def word(value: Any) -> str | None:
    """A value as the vocabulary has it (see `pipeline.versions.encoding.words`)."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    return float_word(np.float64(value))


def _tensor_numbers(name: str, values: Values) -> npt.NDArray[Any]:
    if isinstance(values, list):
        raise malformed(f"input {name} is BYTES, and the model takes numbers there")
    return values


def _tensor_words(values: Values) -> Sequence[str | None]:
    if isinstance(values, list):
        return values
    return number_words(values)


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:20]) + (f" and {len(names) - 20} more" if len(names) > 20 else "")
