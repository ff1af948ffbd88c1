"""How an endpoint's traffic is parted: treatments as intervals of [0, 1), and the rest is control's.

A treatment has a room of its own, which never moves. It grows from the lower edge of its room upwards, so whoever has
it keeps it, and room that it does not fill yet is control's.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Final

from pipeline.traffic.hashing import SALT_BYTES, HashName
from store.errors import Conflict

_ROUNDED: Final = 1e-9
"""Shares that differ by less are the same one, and edges too: each is rounded for itself."""


@dataclass(frozen=True, kw_only=True)
class Treatment:
    """A version that takes the units in [low, high), and may grow up to `room`."""

    version: int
    low: float
    high: float
    room: float

    @property
    def share(self) -> float:
        """Of all units."""
        return _round(self.high - self.low)

    def __post_init__(self) -> None:
        if not 0.0 <= self.low <= self.high <= self.room <= 1.0:
            raise ValueError(f"version {self.version}: 0 ≤ {self.low} ≤ {self.high} ≤ {self.room} ≤ 1 does not hold")


@dataclass(frozen=True, kw_only=True)
class Shadow:
    """A version that is given a copy of requests and never answers."""

    version: int
    share: float = 1.0
    """Of the requests, drawn by their ids."""

    def __post_init__(self) -> None:
        if not 0.0 < self.share <= 1.0:
            raise ValueError(f"a shadow takes more than 0 and at most 1 of the requests, not {self.share}")


@dataclass(frozen=True, kw_only=True)
class Split:
    """Who gets what. Values only: a change makes a new one."""

    salt: str
    """Two experiments with the same salt part their units alike; another salt parts them anew."""
    control: int
    """The version that answers everybody else, and every request without a unit."""
    treatments: tuple[Treatment, ...] = ()
    """In the order of their rooms, which do not overlap."""
    shadow: Shadow | None = None
    hash: HashName = "blake2b"

    def __post_init__(self) -> None:
        if not 1 <= len(self.salt.encode()) <= SALT_BYTES:
            raise ValueError(f"a salt has 1 to {SALT_BYTES} bytes, and {self.salt!r} has {len(self.salt.encode())}")
        versions = [self.control, *(one.version for one in self.treatments)]
        if len(set(versions)) < len(versions):
            raise ValueError(f"versions {versions}: an endpoint's arms are different versions")
        for below, above in pairwise(self.treatments):
            if above.low < below.room:
                raise ValueError(f"the rooms of versions {below.version} and {above.version} overlap")

    @property
    def shares(self) -> dict[int, float]:
        """Version → planned share of the units, control first; what counts of units are held against."""
        treated = {one.version: one.share for one in self.treatments}
        return {self.control: _round(1.0 - sum(treated.values())), **treated}


def laid_out(salt: str, control: int, rooms: Mapping[int, float], *, name: HashName = "blake2b") -> Split:
    """A split whose treatments have their rooms side by side, and no traffic yet.

    `rooms`: version → the largest share that it may ever take; a canary's is 1. Raises ValueError where they exceed 1.
    """
    treatments, edge = [], 0.0
    for version, room in rooms.items():
        end = _within(edge + room, 1.0)
        treatments.append(Treatment(version=version, low=edge, high=edge, room=end))
        edge = end
    return Split(salt=salt, control=control, treatments=tuple(treatments), hash=name)


def ramped(split: Split, version: int, share: float) -> Split:
    """The same split with more units for one treatment: nobody who has a treatment loses it.

    Raises Conflict when the treatment would shrink or leave its room, or has no place in the split.
    """
    found = next((one for one in split.treatments if one.version == version), None)
    if found is None:
        raise Conflict(f"version {version} is no treatment here", remedy="lay out a split that gives it room")
    if share < found.share - _ROUNDED:
        what = (
            f"version {version} has {found.share:.4g} of the units; at {share:.4g} some would be moved back to control"
        )
        raise Conflict(what, remedy="end the comparison, and begin another with a new salt")
    high = max(found.high, _within(found.low + share, found.room))
    if high > found.room:
        what = f"version {version} has room for {_round(found.room - found.low):.4g} of the units, not for {share:.4g}"
        raise Conflict(what, remedy="ask for less, or begin another comparison with other rooms and a new salt")
    grown = replace(found, high=high)
    return replace(split, treatments=tuple(grown if one is found else one for one in split.treatments))


def withdrawn(split: Split, version: int) -> Split:
    """The same split without a treatment: its units are control's again, all others keep what they have."""
    return replace(split, treatments=tuple(one for one in split.treatments if one.version != version))


def _within(edge: float, limit: float) -> float:
    """Rounded, and at the limit where it is beyond by no more than edges that were rounded before it add up to."""
    return limit if limit < _round(edge) < limit + _ROUNDED else _round(edge)


def _round(edge: float) -> float:
    """Sums such as 0.1 + 0.2 on the float that one means by 0.3, so that edges are those of GrowthBook's buckets."""
    return round(edge, 12)
