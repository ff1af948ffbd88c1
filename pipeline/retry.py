"""Whether to ask a server again, and after how long. Pure: facts in, a decision out."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

WORTH_IT: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses that time can mend."""
FIRST_DELAY_S: Final = 0.5
LONGEST_DELAY_S: Final = 60.0
LONGEST_ASKED_S: Final = 600.0
"""A server that asks for a longer pause is left alone; the job's own retry comes back later."""


@dataclass(frozen=True)
class GiveUp:
    reason: str


@dataclass(frozen=True)
class Wait:
    seconds: float


def next_try(failed: int, retries: int, *, asked_s: float | None, chance: float) -> Wait | GiveUp:
    """After `failed` failures (1 = the first try failed), with `retries` allowed.

    Waits as long as the server asked, else `0.5 · 2^(failed-1)` seconds, at most 60, of which the last half is
    left to chance (0 ≤ chance < 1), so that many clients do not come back at once.
    """
    if failed > retries:
        return GiveUp(f"{failed} tries")
    if asked_s is not None:
        return (
            Wait(asked_s) if asked_s <= LONGEST_ASKED_S else GiveUp(f"the server asks for a pause of {asked_s:.0f} s")
        )
    delay = min(LONGEST_DELAY_S, FIRST_DELAY_S * 2 ** min(failed - 1, 20))
    return Wait(delay * (0.5 + chance / 2))


def retry_after(header: str | None, now: datetime) -> float | None:
    """Seconds that a Retry-After header asks for: a number of seconds or an HTTP date; None if absent or senseless."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - now).total_seconds())
