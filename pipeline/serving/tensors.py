"""Tensors of the Open Inference Protocol: JSON or little-endian bytes ↔ flat numbers or words.

BYTES are UTF-8 words here; in bytes, each has its length before it (4 bytes). `null` in JSON is a missing value.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from pipeline.serving.refusal import malformed

Values = npt.NDArray[Any] | list[str | None]
"""Flat, row-major: numbers and truth values as an array, words as a list."""
_TYPES: Final[Mapping[str, str]] = {
    "BOOL": "?",
    "UINT8": "u1",
    "UINT16": "<u2",
    "UINT32": "<u4",
    "UINT64": "<u8",
    "INT8": "i1",
    "INT16": "<i2",
    "INT32": "<i4",
    "INT64": "<i8",
    "FP16": "<f2",
    "BF16": "<u2",
    "FP32": "<f4",
    "FP64": "<f8",
}
DATATYPES: Final = frozenset({*_TYPES, "BYTES"})
_WITHOUT_JSON: Final = frozenset({"FP16", "BF16"})
_LENGTH: Final = struct.Struct("<I")
_NOTHING: Final = type(None)
_ALLOWED: Final[Mapping[str, frozenset[type]]] = {
    "BOOL": frozenset({bool, _NOTHING}),
    "BYTES": frozenset({str, _NOTHING}),
    "FP32": frozenset({float, int, _NOTHING}),
    "FP64": frozenset({float, int, _NOTHING}),
}
_WHOLE: Final = frozenset({int, _NOTHING})


def from_bytes(name: str, datatype: str, shape: Sequence[int], raw: memoryview | bytes) -> Values:
    """Raises Refusal when the bytes are not those of such a tensor."""
    count = math.prod(shape)
    if datatype == "BYTES":
        return _words(name, count, bytes(raw))
    kind = np.dtype(_TYPES[datatype])
    if len(raw) != count * kind.itemsize:
        wanted = f"{datatype} {list(shape)} has {count * kind.itemsize}"
        raise malformed(f"input {name} has {len(raw)} bytes of data, and {wanted}")
    values: npt.NDArray[Any] = np.frombuffer(raw, kind)
    if datatype == "BF16":
        widened: npt.NDArray[np.float32] = (values.astype(np.uint32) << 16).view(np.float32)
        return widened
    if datatype == "BOOL":
        truths: npt.NDArray[np.bool_] = np.frombuffer(raw, np.uint8) != 0
        return truths
    return values


def from_json(name: str, datatype: str, shape: Sequence[int], data: Any) -> Values:
    """`data`: flat, or nested as the shape is. Raises Refusal when it is not such a tensor."""
    if datatype in _WITHOUT_JSON:
        raise malformed(f"input {name}: {datatype} has no form in JSON; send it as binary data, or as FP32")
    flat = _flat(name, data)
    if len(flat) != math.prod(shape):
        raise malformed(f"input {name} has {len(flat)} values, and shape {list(shape)} has {math.prod(shape)}")
    kinds = set(map(type, flat))
    if strange := kinds - _ALLOWED.get(datatype, _WHOLE):
        place = next(i for i, value in enumerate(flat) if type(value) in strange)
        raise malformed(f"input {name}: value {place}, {_shown(flat[place])}, is not a {datatype}")
    if datatype == "BYTES":
        return flat
    return _array(name, datatype, flat, missing=_NOTHING in kinds)


def to_bytes(values: npt.NDArray[np.float32] | list[str]) -> bytes:
    """An output's data."""
    if isinstance(values, list):
        words = [word.encode() for word in values]
        return b"".join([_LENGTH.pack(len(word)) + word for word in words])
    return np.ascontiguousarray(values, dtype="<f4").tobytes()


def _array(name: str, datatype: str, flat: list[Any], *, missing: bool) -> npt.NDArray[Any]:
    kind = "f8" if datatype == "FP32" else _TYPES[datatype]  # 1e39 is for the model to be missing
    try:
        if not missing:
            return np.array(flat, kind)
        # Missing numbers are NaN; the others still have to fit into their type.
        np.array([value for value in flat if value is not None], kind)
        return np.array([math.nan if value is None else value for value in flat], np.float64)
    except OverflowError:
        raise malformed(f"input {name}: a value is too large for {datatype}") from None


def _words(name: str, count: int, raw: bytes) -> list[str | None]:
    words: list[str | None] = []
    place = 0
    while place < len(raw):
        if place + _LENGTH.size > len(raw):
            raise malformed(f"input {name}: its BYTES are cut short")
        (length,) = _LENGTH.unpack_from(raw, place)
        place += _LENGTH.size
        if place + length > len(raw):
            raise malformed(f"input {name}: its BYTES are cut short")
        try:
            words.append(raw[place : place + length].decode())
        except UnicodeDecodeError:
            raise malformed(f"input {name}: value {len(words)} is not UTF-8") from None
        place += length
        if len(words) > count:
            break
    if len(words) != count:
        raise malformed(f"input {name} has {len(words)} words or more, and its shape has {count}")
    return words


def _flat(name: str, data: Any) -> list[Any]:
    if not isinstance(data, list):
        raise malformed(f"input {name}: `data` is an array, not {_shown(data)}")
    flat: list[Any] = data
    while flat and type(flat[0]) is list:
        if any(type(row) is not list for row in flat):
            raise malformed(f"input {name}: `data` is nested here and flat there")
        flat = [value for row in flat for value in row]
    return flat


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:59] + "…"
