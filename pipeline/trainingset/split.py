"""Which examples train, validate and test: by time where there is one, else by a stable hash of the key. Pure."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal, Protocol, get_args

from pipeline.config.models import Split
from pipeline.tables.sqltext import identifier
from store.errors import ProjectError

Part = Literal["train", "validate", "test"]
PARTS: Final[tuple[Part, ...]] = get_args(Part)


class Ascending(Protocol):
    """Times of examples in ascending order, microseconds: looked up one by one, so they need not lie in memory."""

    def __len__(self) -> int: ...
    def __getitem__(self, place: int, /) -> Any: ...


@dataclass(frozen=True, kw_only=True)
class TimeSplit:
    """Closed intervals of time, in microseconds since 1970 UTC; what lies between them is the gap."""

    train_until: int
    validate_from: int
    validate_until: int
    test_from: int

    def sql(self, relation: str, time: str) -> str:
        """SQL expression of a row's part, NULL in a gap."""
        at = f"epoch_us({identifier(relation)}.{identifier(time)})"
        return (
            f"CASE WHEN {at} >= {self.test_from} THEN 'test' "
            f"WHEN {at} BETWEEN {self.validate_from} AND {self.validate_until} THEN 'validate' "
            f"WHEN {at} <= {self.train_until} THEN 'train' END"
        )


@dataclass(frozen=True, kw_only=True)
class KeySplit:
    """Shares of the space of hashes: a key stays in its part whatever other rows come or go."""

    validate: float
    test: float

    def sql(self, relation: str, key: Sequence[str]) -> str:
        """SQL expression of a row's part."""
        # Each value carries its length, so ("1", "23") and ("12", "3") are different keys.
        texts = (f"{identifier(relation)}.{identifier(column)}::VARCHAR" for column in key)
        whole = " || ".join(f"coalesce(length({text}) || ':' || {text}, '-')" for text in texts)
        place = f"md5_number_lower({whole}) / {2**64}::DOUBLE"
        return (
            f"CASE WHEN {place} < {self.test!r} THEN 'test' "
            f"WHEN {place} < {self.test + self.validate!r} THEN 'validate' ELSE 'train' END"
        )


def by_time(times: Ascending, split: Split) -> TimeSplit:
    """Boundaries for examples at `times` [n], n > 0, of which it looks at about log n.

    The newest rows test, those before validate, the rest train, with `split.gap` between them. A span counts back
    from the newest time; a share is of all rows, and rows of one moment stay together.
    """
    pause = max(_microseconds(split.gap), 1)
    test_from = _start(times, split.test, until=int(times[len(times) - 1]))
    validate_until = test_from - pause
    validate_from = _start(times, split.validate_, until=validate_until)
    return TimeSplit(
        train_until=validate_from - pause,
        validate_from=validate_from,
        validate_until=validate_until,
        test_from=test_from,
    )


def by_key(split: Split, where: str) -> KeySplit:
    """For examples without time. Raises ProjectError for spans of time."""
    return KeySplit(validate=_share(split.validate_, f"{where}.validate"), test=_share(split.test, f"{where}.test"))


def _share(wanted: timedelta | float, where: str) -> float:
    if isinstance(wanted, timedelta):
        raise ProjectError(
            "a span of time cannot split examples that have no time",
            where=where,
            remedy="give the model `time`, or write a share of the rows, such as 0.15",
        )
    return wanted


def _start(times: Ascending, wanted: timedelta | float, *, until: int) -> int:
    """First moment of a part that ends with `until`."""
    if isinstance(wanted, timedelta):
        return until - _microseconds(wanted) + 1
    end = bisect_right(times, until)
    rows = round(wanted * len(times))
    if rows == 0 or end == 0:
        return until + 1
    return int(times[max(0, end - rows)])


def _microseconds(span: timedelta) -> int:
    return span // timedelta(microseconds=1)
