"""Which predictions a path asks for. Clients ask the same few paths over and over, so a path is taken apart once."""

from __future__ import annotations

from functools import lru_cache
from typing import Final, NamedTuple

from pipeline.serving.metrics import Door

_MOST: Final = 256
"""Paths that are remembered, and characters of one."""


class Destination(NamedTuple):
    door: Door
    model: str
    version: str | None
    """The one that it insists on."""


class Destinations:
    """One process's."""

    def __init__(self) -> None:
        self._known = lru_cache(_MOST)(destination)

    def of(self, path: str) -> Destination | None:
        """As `destination`; what is longer than paths are is not kept."""
        return self._known(path) if len(path) <= _MOST else destination(path)


def destination(path: str) -> Destination | None:
    """None: it asks for something else, or for nothing that there is."""
    match path.split("/")[1:]:
        case ["v2", "models", model, "infer"] | ["v2", "models", model, "", "infer"]:
            return Destination("rest", model, None)
        case ["v2", "models", model, "versions", version, "infer"]:
            return Destination("rest", model, version)
        case ["v1", "predict", model] | ["v1", "predict", model, ""]:
            return Destination("plain", model, None)
        case ["v1", "predict", model, "versions", version]:
            return Destination("plain", model, version)
    return None
