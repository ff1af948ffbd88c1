"""A label as it is sent, and as one line of a segment. The only place that knows what a label may be.

{"request": "order-17", "value": true}                          of the request that had this id
{"unit": "ann", "at": "2026-03-01T10:00:00Z", "value": 12.5}    of the last request about this unit before that time
{…, "name": "revenue"}                                          what a request brought, beside the label itself
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

LABEL: Final = "label"
"""The name of what a model predicts; other names are rewards."""
MOST_TEXT: Final = 1000
"""Letters of an id, a unit, a name or a word."""
MOST_ROWS: Final = 10_000
"""Values of one request: one for each of its rows."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_KEYS: Final = ("request", "unit", "at", "name", "value")


class Label(NamedTuple):
    """What is true of a request."""

    name: str
    request: str | None
    unit: str | None
    """Where there is no request."""
    at_us: int | None
    """When it happened, microseconds since 1970 UTC; of a unit's it is always known."""
    value: str
    """JSON, of one spelling: 1.0 is `1`."""
    arrived_us: int
    post: str
    """With which it came, if that was named."""

    @property
    def key(self) -> str:
        """What the label is of: two with one key speak of the same thing."""
        whose = [self.request] if self.request is not None else [self.unit, self.at_us]
        return json.dumps([self.name, *whose], ensure_ascii=False, separators=(",", ":"))


def read_label(given: Any, *, arrived_us: int, post: str = "") -> Label:
    """A label as it was sent. Raises ValueError with a sentence for its sender."""
    if not isinstance(given, Mapping):
        raise ValueError('a label is an object, such as {"request": "order-17", "value": true}')
    for key in given:
        if key not in _KEYS:
            raise ValueError(f"a label has no {key!r}; it has request, or unit and at, and value and name")
    request, unit = _text(given, "request"), _text(given, "unit")
    at = _moment(given.get("at"))
    if (request is None) == (unit is None):
        raise ValueError("a label names the request that it is of, or a unit and a time, and not both")
    if unit is not None and at is None:
        raise ValueError("a label of a unit needs `at`, the time when it happened")
    if "value" not in given:
        raise ValueError("a label needs a value")
    return Label(_text(given, "name") or LABEL, request, unit, at, _value(given["value"]), arrived_us, post)


def to_line(label: Label) -> bytes:
    return json.dumps(label._asdict(), ensure_ascii=False, separators=(",", ":")).encode(errors="replace") + b"\n"


def from_line(line: bytes) -> Label:
    """Raises ValueError if it is no line of ours."""
    try:
        found = Label(**json.loads(line))
    except TypeError as error:
        raise ValueError(f"no line of labels: {error}") from None
    if not all(isinstance(value, kinds) for value, kinds in zip(found, _KINDS, strict=True)):
        raise ValueError(f"no line of labels: {found}")
    return found


def _text(given: Mapping[str, Any], key: str) -> str | None:
    value = given.get(key)
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if value is not None and not (isinstance(value, str) and 0 < len(value) <= MOST_TEXT):
        raise ValueError(f"`{key}` is text of 1 to {MOST_TEXT} letters")
    # Half a surrogate pair, which JSON lets a caller send, is no text to Arrow; the prediction log has it so too.
    return None if value is None else value.encode(errors="replace").decode()


def _moment(value: Any) -> int | None:
    if value is None:
        return None
    try:
        found = datetime.fromisoformat(value)
        if found.tzinfo is None:
            raise ValueError
        return (found - _EPOCH) // timedelta(microseconds=1)
    except (TypeError, ValueError, OverflowError):
        raise ValueError("`at` is a time with its offset, such as 2026-03-01T10:00:00Z") from None


def _value(value: Any) -> str:
    if isinstance(value, list):
        if not 0 < len(value) <= MOST_ROWS:
            raise ValueError(f"a value has 1 to {MOST_ROWS} rows: one for each row of its request")
        return f"[{','.join(map(_scalar, value))}]"
    return _scalar(value)


def _scalar(value: Any) -> str:
    if isinstance(value, float) and math.isfinite(value):
        return json.dumps(int(value) if value.is_integer() and abs(value) < 2**53 else value)
    if isinstance(value, bool | int) and abs(value) < 2**63:
        return json.dumps(value)
    if isinstance(value, str) and len(value) <= MOST_TEXT:
        return json.dumps(value.encode(errors="replace").decode(), ensure_ascii=False)
    raise ValueError("a value is true, false, a finite number, a word, or a list of these, one for each row")


_KINDS: Final = (str, str | None, str | None, int | None, str, int, str)
