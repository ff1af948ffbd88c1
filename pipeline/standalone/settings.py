"""What an export can be told by its environment; all else is as `[serving]` has it by default."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from typing import Any, Final

from pipeline.serving.settings import ServingSettings
from store.errors import ProjectError

_PREFIX: Final = "TRAINSHED_"
_SETTABLE: Final[Mapping[str, Callable[[str], Any]]] = {
    "host": str,
    "port": int,
    "largest_batch": int,
    "most_rows": int,
    "most_body": int,
    "queue_rows": int,
    "longest_wait_s": float,
    "timeout_s": float,
    "most_connections": int,
    "drain_s": float,
}


def settings_of(environ: Mapping[str, str], **defaults: Any) -> ServingSettings:
    """`TRAINSHED_PORT=9000` sets `port`, and so on. Raises ProjectError for what is no such number."""
    assert _SETTABLE.keys() <= {field.name for field in fields(ServingSettings)}
    said: dict[str, Any] = {}
    for name, kind in _SETTABLE.items():
        text = environ.get(_PREFIX + name.upper())
        if text is None:
            continue
        try:
            said[name] = kind(text)
        except ValueError:
            raise ProjectError(
                f"{text!r} is not a number", where=_PREFIX + name.upper(), remedy="correct it, or leave it out"
            ) from None
    return replace(ServingSettings(), **{**defaults, **said})
