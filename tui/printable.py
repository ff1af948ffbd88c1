"""Text of strangers, fit for a terminal."""

from __future__ import annotations


def printable(text: str) -> str:
    """The text on one line, without anything that a terminal would obey: what runs print is not to be trusted."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else " " if char.isspace() else "\N{REPLACEMENT CHARACTER}" for char in text
    )


def shortened(text: str, most: int) -> str:
    """At most so many letters of it, printable."""
    return printable(text if len(text) <= most else f"{text[: most - 1]}…")
