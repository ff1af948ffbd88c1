"""Shares of traffic as they are typed: `3=10%`, `0.1`. Pure; the shell and the screens read the same words."""

from __future__ import annotations

from collections.abc import Iterable

from tui.failure import Usage


def share_of_version(word: str) -> tuple[int, float]:
    """`3=10%` → (3, 0.1). Raises Usage."""
    version, equals, share = word.partition("=")
    if not equals or not version.strip().isdecimal():
        raise Usage(f"{word!r} is no VERSION=SHARE", remedy="write 3=10% or 3=0.1")
    return int(version), share_of(share)


def shares_of(words: Iterable[str]) -> dict[int, float]:
    """Version → share. Raises Usage."""
    return dict(map(share_of_version, words))


def share_of(word: str) -> float:
    """`10%` or `0.1` → 0.1. Raises Usage."""
    text = word.strip()
    try:
        share = round(float(text[:-1]) / 100.0, 12) if text.endswith("%") else float(text)
    except ValueError:
        raise Usage(f"{word!r} is no share", remedy="write 10% or 0.1") from None
    if not 0.0 < share <= 1.0:
        raise Usage(f"{word} is no share of the whole", remedy="above 0, and at most 100% or 1")
    return share
