"""What is looked for in a log: a text as it stands, or after `re:` a pattern, as RE2 reads it. Pure."""

from __future__ import annotations

import re
from typing import Final

PREFIX: Final = "re:"


def ignores_case(needle: str) -> bool:
    """Capitals count if there are any; in a pattern `\\D` and `\\S` are none."""
    shown = re.sub(r"\\.", "", needle) if needle.startswith(PREFIX) else needle
    return shown == shown.lower()


def hits(text: str, needle: str) -> list[tuple[int, int]]:
    """Where it stands in a line, as the daemon's search finds it."""
    if needle.startswith(PREFIX):
        return _fitting(text, needle.removeprefix(PREFIX), ignores_case(needle))
    if not needle:
        return []
    if ignores_case(needle):
        text = text.lower()
    found, place = [], text.find(needle)
    while place >= 0:
        found.append((place, place + len(needle)))
        place = text.find(needle, place + len(needle))
    return found


def _fitting(text: str, pattern: str, ignore_case: bool) -> list[tuple[int, int]]:
    """None for what is no pattern: the search says so."""
    import re2  # dear, and most never search by a pattern

    options = re2.Options()
    options.case_sensitive, options.log_errors, options.never_nl = not ignore_case, False, True
    try:
        compiled = re2.compile(f"(?m)(?:{pattern})", options)
    except re2.error:
        return []
    return [found.span() for found in compiled.finditer(text) if found.end() > found.start()]
