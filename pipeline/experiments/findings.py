"""One rule's answer about a comparison, in a sentence with its numbers: what decisions are made of and shown by."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Answer = Literal["yes", "no", "not yet"]


@dataclass(frozen=True)
class Finding:
    """`answer`: to the question whether the treatment may take the place of control, as far as this rule goes."""

    rule: str
    answer: Answer
    reason: str
    value: float | None = None
    limit: float | None = None
