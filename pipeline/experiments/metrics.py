"""What a comparison may be decided by: what is known of each request, labels, or rewards by their names."""

from __future__ import annotations

from typing import Final, Literal

Better = Literal["higher", "lower"]
Per = Literal["unit", "answer", "share"]
"""`unit`: the sum of what a unit brought, 0 if it brought nothing. `answer`: the mean over answers, of units that have
some; the ratio of two sums. `share`: the same where each is 0 or 1."""
CORRECT: Final = "correct"
"""Share of labelled answers that named the right class."""
ABSOLUTE_ERROR: Final = "absolute_error"
"""|answer - label|, of labelled answers of a regression."""
ERRORS: Final = "errors"
"""Share of requests that were ours to answer, and were not."""
LATENCY: Final = "latency_ms"
"""Mean time that requests took."""
LABELLED: Final = frozenset({CORRECT, ABSOLUTE_ERROR})
SHARES: Final = frozenset({CORRECT, ERRORS})
PROMPT: Final = frozenset({ERRORS, LATENCY})
"""Known with the request: nothing of a unit is pending."""


def per(metric: str) -> Per:
    """How it is summed up; a reward by unit."""
    if metric in SHARES:
        return "share"
    return "answer" if metric in LABELLED | PROMPT else "unit"


def usual(metric: str) -> Better:
    """Which way is better, unless somebody says otherwise."""
    return "lower" if metric in {ABSOLUTE_ERROR, ERRORS, LATENCY} else "higher"
