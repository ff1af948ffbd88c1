"""A line in parts that a search has found and parts that it has not. Pure."""

from __future__ import annotations

import itertools


def cut(text: str, place: int, spans: list[tuple[int, int]]) -> list[tuple[str, bool]]:
    """A text that begins at column `place`, in parts that are in one of the spans and parts that are not."""
    if not spans:
        return [(text, False)] if text else []
    edges = sorted({place, place + len(text), *(e for span in spans for e in span if place < e < place + len(text))})
    return [
        (text[a - place : b - place], any(start <= a < stop for start, stop in spans))
        for a, b in itertools.pairwise(edges)
    ]
