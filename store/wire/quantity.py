"""What a filter compares with: numbers, durations, sizes and moments, as people write them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal

_NUMBER: Final = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.IGNORECASE)
_PART: Final = re.compile(r"(\d+(?:\.\d+)?)(ms|[smhdw])")
_SECONDS: Final = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_SIZE: Final = re.compile(r"(\d+(?:\.\d+)?)(B|KB|MB|GB|TB)", re.IGNORECASE)
_BYTES: Final = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_DATE: Final = re.compile(r"\d{4}-[\d:.TZ+-]*")
_MONTH, _DAY, _MINUTE = 7, 10, 16  # characters of 2026-03, 2026-03-01, 2026-03-01T14:05
_BEGUN: Final = re.compile(r"[-+]?\.?|[-+]?(\d+\.?\d*|\.\d+)(e[-+]?|[kmgt])|(\d+(\.\d+)?(ms|[smhdw]))+\d+\.?\d*", re.I)


class Unfinished(ValueError):
    """The beginning of something; what it will be is not known yet."""


@dataclass(frozen=True)
class Quantity:
    kind: Literal["number", "duration", "size", "moment"]
    value: float
    """Seconds of a duration, bytes of a size, seconds since 1970 UTC of a moment."""


def quantity(text: str) -> Quantity:
    """`0.05`, `5m`, `1h30m`, `2GB`, `2026-03-01T14:05`. Raises Unfinished, ValueError."""
    if _NUMBER.fullmatch(text):
        return Quantity("number", float(text))
    parts = _PART.findall(text)
    if parts and "".join(number + unit for number, unit in parts) == text:
        return Quantity("duration", sum(float(number) * _SECONDS[unit] for number, unit in parts))
    size = _SIZE.fullmatch(text)
    if size:
        return Quantity("size", float(size[1]) * _BYTES[size[2].upper()])
    if _DATE.fullmatch(text):
        return Quantity("moment", _moment(text))
    if _BEGUN.fullmatch(text):
        raise Unfinished(text)
    raise ValueError(f"{text!r} is no number, duration, size or date")


def _moment(text: str) -> float:
    try:
        moment = datetime.fromisoformat(f"{text}-01" if len(text) == _MONTH else text)
    except ValueError:
        if len(text) < _DAY or _DAY < len(text) < _MINUTE:
            raise Unfinished(text) from None
        raise ValueError(f"{text!r} is no date such as 2026-03-01 or 2026-03-01T14:05") from None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
