"""What all sections share: strictness, durations, sizes, names and references."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86_400.0, "w": 604_800.0}
_SIZES = {"B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


class Section(BaseModel):
    """A table of the project file: frozen, and an unknown key is an error.

    Under each field stands a sentence (pipeline/config/sentences.py).
    """

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


def parse_duration(value: Any) -> timedelta:
    """`"90s"`, `"6h"`, `"1d 12h"` → timedelta; units ms, s, m, h, d, w. ValueError says what is allowed."""
    if isinstance(value, timedelta):
        return value
    parts = re.findall(r"(\d+(?:\.\d+)?)\s*(ms|[smhdw])", str(value))
    if not parts or "".join(f"{n}{u}" for n, u in parts) != re.sub(r"\s", "", str(value)):
        raise ValueError(f'{value!r} is not a duration: write a number with ms, s, m, h, d or w, such as "6h"')
    return timedelta(seconds=sum(float(number) * _UNITS[unit] for number, unit in parts))


def duration_text(value: timedelta) -> str:
    """The other way: `1d 12h`, `15s`, `250ms`."""
    left, parts = round(value.total_seconds() * 1000), []
    for unit in ("d", "h", "m", "s", "ms"):
        number, left = divmod(left, round(_UNITS[unit] * 1000))
        parts += [f"{number}{unit}"] if number else []
    return " ".join(parts) or "0s"


def parse_size(value: Any) -> int:
    """`"2GB"`, `"64 MB"` or plain bytes → bytes (decimal units)."""
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    match = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*(B|KB|MB|GB|TB)\s*", str(value), re.IGNORECASE)
    if match is None:
        raise ValueError(f'{value!r} is not a size: write a number with B, KB, MB, GB or TB, such as "2GB"')
    return int(float(match[1]) * _SIZES[match[2].upper()])


Duration = Annotated[timedelta, BeforeValidator(parse_duration)]
Size = Annotated[int, BeforeValidator(parse_size)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,62}$")]
"""Of a source, dataset, view, model, schedule: lower case, digits and underscores."""
Share = Annotated[float, Field(ge=0.0, le=1.0)]
PythonReference = Annotated[str, Field(pattern=r"^[^:\s]+\.py:[A-Za-z_][A-Za-z0-9_]*$")]
"""`"file.py:function"`, the file relative to the project."""
Reference = str
"""A literal, or `env:NAME`, or `file:PATH`: read when it is used, never stored."""


def none_if_off(value: Any) -> Any:
    """`"off"` → None: TOML has no word for nothing."""
    return None if value == "off" else value
