"""One request, one version: the decision that the server takes for each request, and why it fell so."""

from __future__ import annotations

from typing import Final, Literal, NamedTuple

from pipeline.traffic.hashing import keyed, position
from pipeline.traffic.split import Shadow, Split

Why = Literal["assigned", "no unit", "pinned", "not loaded", "shadow"]
"""To be counted by: what is not assigned takes no part in a comparison. The last two are the server's words: control
answered because the unit's version is not loaded there, or nobody heard this answer, since the request was a copy.
"""

_SHADOW: Final = b"shadow"


class Route(NamedTuple):
    """Where a request goes."""

    version: int
    why: Why
    shadow: int | None = None
    """The version that gets a copy."""

    @property
    def exposed(self) -> bool:
        """Whether the answer is one of the comparison's: such a request goes into the exposure log."""
        return self.why == "assigned"


def route(split: Split, *, unit: str | None, request: str, pin: int | None = None) -> Route:
    """`unit`: whom the comparison assigns, None or "" if the request does not say. `request`: its id.

    `pin`: the version that the caller demands; whether it is loaded is the server's to know. Such a request is out of
    the comparison and not copied, since it says nothing about what callers normally get.
    """
    if pin is not None:
        return Route(pin, "pinned")
    shadow = _copied(split.shadow, request, split.salt)
    if not unit:
        return Route(split.control, "no unit", shadow)
    return Route(assigned(split, unit), "assigned", shadow)


def assigned(split: Split, unit: str) -> int:
    """The unit's version: that of the interval its position lies in, else control."""
    if not split.treatments:
        return split.control
    place = position(unit, split.salt, split.hash)
    for one in split.treatments:
        if one.low <= place < one.high:
            return one.version
    return split.control


def _copied(shadow: Shadow | None, request: str, salt: str) -> int | None:
    if shadow is None or (shadow.share < 1.0 and keyed(request, salt, _SHADOW) >= shadow.share):
        return None
    return shadow.version
