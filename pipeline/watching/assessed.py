"""What is said of one thing that is watched: it wants a person, it does not, or nobody can tell yet. With numbers."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

Answer = Literal["found", "clear", "not yet"]
"""`found`: it wants a person. `not yet`: there is too little to say."""
Kind = Literal["drift", "performance", "service", "freshness", "skew", "rot"]


@dataclass(frozen=True, kw_only=True)
class Assessed:
    """One thing. Two with one kind and subject speak of the same."""

    kind: Kind
    subject: str
    """Of what: a metric, a slice, a column, a dataset."""
    answer: Answer
    title: str
    """A few words: what it would be called in a list."""
    reason: str
    """The sentence that decided, with its numbers."""
    evidence: Mapping[str, Any] = field(default_factory=dict)
    """The numbers: plain JSON."""
    suggestion: str = ""
    """What to do about it; of what is found."""
    part_of: str = ""
    """Subject of the same kind that it is a slice of."""

    def document(self) -> dict[str, Any]:
        """Plain JSON: a number that does not exist is None."""
        return {**asdict(self), "evidence": plain(dict(self.evidence))}


def plain(value: Any) -> Any:
    """The same without NaN and infinities, which JSON does not know."""
    if isinstance(value, Mapping):
        return {name: plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, float):
        return float(value) if math.isfinite(value) else None
    return value
