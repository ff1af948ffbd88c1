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


@dataclass(frozen=True)
class Orders:
    accept: tuple[int, ...]
    """These begin to answer."""
    switch: tuple[int, ...]
    """These have missed a snapshot."""
    start: bool
    """One more is started: one at a time, so that the first one is soon ready."""


def orders(crew: Sequence[Member], workers: int, spare: bool, epoch: int) -> Orders:
    """`workers` accept, and one more waits, warm, to take the place of one that dies.

    Nobody begins to accept with an older epoch than the one in force.
    """
    there = [member for member in crew if member.state != "draining"]
    accepting = sum(member.state == "accepting" for member in there)
    able = [member for member in there if member.connected and member.state != "loading"]
    fit = sorted(member.number for member in able if member.state == "ready" and member.epoch >= epoch)
    return Orders(
        accept=tuple(fit[: max(0, workers - accepting)]),
        switch=tuple(member.number for member in able if member.epoch < epoch),
        start=len(there) < workers + int(spare) and all(member.state != "loading" for member in there),
    )


def pause_s(failures: int) -> float:
    """Before the next start, after so many workers in a row died before they were ready."""
    return 0.0 if failures == 0 else min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2.0 ** (failures - 1))
