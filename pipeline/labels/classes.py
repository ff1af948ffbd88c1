"""Which class a label means, however it was spelt."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any


def class_of(label: Any, classes: Sequence[str]) -> str | None:
    """The class that a label means: true is `true` or `1`, 1 is `1`, `1.0` or `true`. None for none of them."""
    return next((word for word in _spellings(label) if word in classes), None)


def _spellings(label: Any) -> Iterator[str]:
    if isinstance(label, bool):
        yield from (str(label).lower(), str(int(label)))
    else:
        yield str(label)
    if isinstance(label, int | float):
        yield str(float(label))
        if label in (0, 1):
            yield ("false", "true")[int(label)]
