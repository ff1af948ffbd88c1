"""Which workers there should be: facts in, what to do out. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal

State = Literal["loading", "ready", "accepting", "draining"]
FIRST_PAUSE_S: Final = 0.5
LONGEST_PAUSE_S: Final = 30.0


@dataclass(frozen=True, kw_only=True)
class Member:
    """A worker, as far as it matters here."""

    number: int
    state: State
    epoch: int
    connected: bool
    old: bool = False
    """Made with settings that are not in force any more: others take its place, one after another."""
    whole: bool = True
    """All that is to answer could be loaded."""


@dataclass(frozen=True)
class Orders:
    accept: tuple[int, ...]
    """These begin to answer."""
    switch: tuple[int, ...]
    """These have missed a snapshot."""
    retire: tuple[int, ...]
    """These answer what they have and end; others answer in their place."""
    start: bool
    """One more is started: one at a time, so that the first one is soon ready."""


def orders(crew: Sequence[Member], workers: int, spare: bool, epoch: int) -> Orders:
    """`workers` accept, and one more waits, warm, to take the place of one that dies.

    Nobody begins to accept with an older epoch than the one in force. Old members go when as many of the new ones
    accept; one that cannot load what the old ones answer takes nobody's place.
    """
    there = [member for member in crew if member.state != "draining"]
    fresh = [member for member in there if not member.old]
    accepting = sum(member.state == "accepting" for member in (fresh if len(fresh) < len(there) else there))
    able = [member for member in there if member.connected and member.state != "loading"]
    ready = [member for member in able if member.state == "ready" and member.epoch >= epoch]
    if len(fresh) < len(there):
        ready = [member for member in ready if member.whole and not member.old]
    fit = sorted(member.number for member in ready)
    return Orders(
        accept=tuple(fit[: max(0, workers - accepting)]),
        switch=tuple(member.number for member in able if member.epoch < epoch),
        retire=_retired(there, workers, spare),
        start=len(fresh) < workers + int(spare) and all(member.state != "loading" for member in there),
    )


def _retired(there: Sequence[Member], workers: int, spare: bool) -> tuple[int, ...]:
    """Old ones: of those that accept, as many as there are too many; the others at the end."""
    old = [member for member in there if member.old]
    accepting = [member.number for member in old if member.state == "accepting"]
    too_many = sum(member.state == "accepting" for member in there) - workers
    replaced = sum(member.whole and member.state in ("ready", "accepting") for member in there if not member.old)
    rest = [member.number for member in old if member.state != "accepting"] if replaced >= workers + int(spare) else []
    return (*sorted(accepting)[: max(0, too_many)], *rest)


def pause_s(failures: int) -> float:
    """Before the next start, after so many workers in a row died before they were ready."""
    return 0.0 if failures == 0 else min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** (failures - 1))
