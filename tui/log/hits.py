"""Where a search finds its text in a line, and the line in parts that are found and parts that are not. Pure."""

from __future__ import annotations

import itertools


def hits(text: str, needle: str) -> list[tuple[int, int]]:
    """Where a text stands in a line, as the daemon's search finds it: without capitals, either case."""
    if not needle:
        return []
    if needle == needle.lower():
        text = text.lower()
    found, place = [], text.find(needle)
    while place >= 0:
        found.append((place, place + len(needle)))
        place = text.find(needle, place + len(needle))
    return found


def cut(text: str, place: int, spans: list[tuple[int, int]]) -> list[tuple[str, bool]]:
    """A text that begins at column `place`, in parts that are in one of the spans and parts that are not."""
    if not spans:
        return [(text, False)] if text else []
    edges = sorted({place, place + len(text), *(e for span in spans for e in span if place < e < place + len(text))})
    return [
        (text[a - place : b - place], any(start <= a < stop for start, stop in spans))
        for a, b in itertools.pairwise(edges)
    ]
