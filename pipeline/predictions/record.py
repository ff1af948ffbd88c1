"""One line of the log: a prediction, or how many were dropped. JSON, and a line is whole when it ends."""

from __future__ import annotations

import json
from base64 import b64decode
from binascii import b2a_base64
from typing import Any, Final, NamedTuple

import numpy as np
import orjson

from pipeline.traffic.route import Why


class Prediction(NamedTuple):
    """What was asked and answered."""

    request: str
    """The request's id: labels come back under it."""
    at_us: int
    """When it came, microseconds since 1970 UTC."""
    model: str
    version: int
    """That answered: the arm."""
    why: Why
    """Why this version did. Lines of "assigned" are the exposures of a comparison."""
    unit: str | None
    epoch: int
    """Of the routing snapshot it was read under."""
    latency_us: int
    status: int
    """Of the answer, as HTTP has it; from 500 on it was ours to answer, and we did not."""
    inputs: Any
    """Whatever is JSON, or arrays; or a function that gives it, called if payloads are kept for this request, and None
    if they are not."""
    outputs: Any


class Dropped(NamedTuple):
    """So many predictions are missing here."""

    many: int
    at_us: int
    """When this was written."""


def to_line(one: Prediction | Dropped) -> bytes:
    """Raises TypeError or ValueError for what is no JSON.

    Arrays of numbers keep their bytes, `{"$array": [dtype, shape, base64]}`: their digits would cost the server three
    times as much as all the rest of the line. Many columns are one array, `{COLUMNS: [names, array [rows, names]]}`,
    and come back as a list each: an array for each of 32 columns would cost many times as much. A number in a list
    that is not finite is null, as JSON has it: to a model it is missing either way.
    """
    named = _named(one) if isinstance(one, Prediction) else {"dropped": one.many, "at_us": one.at_us}
    try:
        return orjson.dumps(named, _packed, orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # of integers beyond 64 bits and of lone surrogates, the standard library makes lines too
        return _ENCODER.encode(named).encode() + b"\n"


def from_line(line: bytes) -> Prediction | Dropped:
    """Arrays come back as lists. Raises ValueError if it is no line of ours."""
    named = _DECODER.decode(line.decode())
    try:
        found = Dropped(named["dropped"], named["at_us"]) if "dropped" in named else Prediction(**named)
    except (TypeError, KeyError) as error:
        raise ValueError(f"no line of a prediction log: {error}") from None
    if not all(isinstance(value, kinds) for value, kinds in zip(found, _KINDS[type(found)], strict=True)):
        raise ValueError(f"no line of a prediction log: {found}")
    return found


def _named(one: Prediction) -> dict[str, Any]:
    """As `_asdict`, at a fraction of the cost: it is done for each answer."""
    request, at_us, model, version, why, unit, epoch, latency_us, status, inputs, outputs = one
    return {
        "request": request,
        "at_us": at_us,
        "model": model,
        "version": version,
        "why": why,
        "unit": unit,
        "epoch": epoch,
        "latency_us": latency_us,
        "status": status,
        "inputs": inputs() if callable(inputs) else inputs,
        "outputs": outputs() if callable(outputs) else outputs,
    }


def _packed(value: Any) -> Any:
    if isinstance(value, _NUMBERS):
        if value.dtype.kind in "biuf":
            return {_ARRAY: [value.dtype.str, value.shape, b2a_base64(value.tobytes(), newline=False).decode("ascii")]}
        return value.tolist()
    raise TypeError(f"{type(value).__name__} is no JSON")


def _unpacked(found: dict[str, Any]) -> Any:
    if COLUMNS in found:
        return _spread(found)
    if found.keys() != {_ARRAY}:
        return found
    try:
        dtype, shape, data = found[_ARRAY]
        return np.frombuffer(b64decode(data), dtype).reshape(shape).tolist()
    except (TypeError, ValueError):
        return found  # somebody's own "$array"


def _spread(found: dict[str, Any]) -> dict[str, Any]:
    """Columns that came as one array, and the others."""
    try:
        names, rows = found[COLUMNS]
        columns = dict(zip(names, map(list, zip(*rows, strict=True)), strict=True))
    except (TypeError, ValueError):
        return found  # somebody's own column
    return columns | {name: values for name, values in found.items() if name != COLUMNS}


COLUMNS: Final = "$columns"
_ARRAY: Final = "$array"
_NUMBERS: Final = (np.ndarray, np.generic)
_ENCODER: Final = json.JSONEncoder(default=_packed, separators=(",", ":"))
_DECODER: Final = json.JSONDecoder(object_hook=_unpacked)
_KINDS: Final[dict[type, tuple[Any, ...]]] = {
    Prediction: (str, int, str, int, str, str | None, int, int, int, object, object),
    Dropped: (int, int),
}
