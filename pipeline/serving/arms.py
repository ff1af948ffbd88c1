"""Who answers a request: the one place where a version is chosen."""

from __future__ import annotations

from typing import Final, cast

from pipeline.traffic.hashing import HashName
from pipeline.traffic.route import Route as Choice
from pipeline.traffic.route import route as choice
from pipeline.traffic.split import Shadow, Split, Treatment
from store.routing import Route

_NOTHING_COMPARED: Final = "nothing compared"
"""A salt for copies to be drawn by, where there is no comparison."""


def split_of(route: Route) -> Split:
    """How the snapshot parts a model's traffic; made once a snapshot, used for each request."""
    control, *others = route.arms
    shadow = None if route.shadow is None else Shadow(version=route.shadow.version, share=route.shadow.weight)
    return Split(
        salt=route.salt or _NOTHING_COMPARED,
        control=control.version,
        treatments=tuple(Treatment(version=one.version, low=one.low, high=one.high, room=one.high) for one in others),
        shadow=shadow,
        hash=cast(HashName, route.hash),
    )


def choose(split: Split, *, unit: str | None, request: str, pin: int | None) -> Choice:
    """The version that answers a request about `unit` (None: it names nobody), why that one, and who gets a copy.

    `request`: its id. `pin`: the version that it insists on. Pure, and the same in every worker after every restart.
    """
    return choice(split, unit=unit, request=request, pin=pin)
