"""Whether a message that could not be sent is tried again, and when. Pure: facts in, a decision out."""

from __future__ import annotations

from typing import Final

from daemon.channels.answer import Answer
from pipeline.retry import GiveUp, Wait

FIRST_S: Final = 5.0
LONGEST_S: Final = 300.0
LONGEST_ASKED_S: Final = 3600.0
"""A receiver is left alone for so long at most, whatever it asks for."""
MOST_UNWANTED: Final = 5
"""Tries of a message that a receiver does not take, so that it does not keep others from being sent."""


def next_try(tries: int, waited_s: float, give_up_s: float, answer: Answer, chance: float) -> Wait | GiveUp:
    """After `tries` tries (1 = the first one failed), `waited_s` seconds after the message was made.

    Waits as long as the receiver asked, else 5 · 2^(tries-1) seconds, at most 300, of which the last half is left to
    chance (0 ≤ chance < 1).
    """
    if waited_s >= give_up_s:
        return GiveUp(f"it could not be sent in {tries} tries")
    if answer.unwanted and tries >= MOST_UNWANTED:
        return GiveUp(f"the receiver did not take it, {tries} times")
    if answer.after_s is not None:
        return Wait(min(answer.after_s, LONGEST_ASKED_S))
    return Wait(min(LONGEST_S, FIRST_S * 2 ** min(tries - 1, 20)) * (0.5 + chance / 2))
