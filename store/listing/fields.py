"""What a list can be filtered and sorted by, and which index leads there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["text", "number", "duration", "time"]


@dataclass(frozen=True, kw_only=True)
class Live:
    """What stands for a value in rows that are still under way."""

    when: str
    """Which these are."""
    index: str
    """Leads to them."""
    sql: str
    """`:now` is the present in microseconds."""


@dataclass(frozen=True, kw_only=True)
class Field:
    """One thing that is known of each row."""

    kind: Kind
    sql: str
    """Its value in the row: text, a number, microseconds of a duration or since 1970 UTC."""
    index: str | None = None
    """An index on it, and then on the id: a condition on it may lead to few rows, those of one value in order."""
    words: tuple[str, ...] | None = None
    """All values there can be, where they are few and known."""
    listed: bool = False
    """Whether its values are few, and can be listed by leaps through `index`."""
    live: Live | None = None


@dataclass(frozen=True, kw_only=True)
class Sort:
    """An order of the rows. Ties go by id, in the same direction; rows without a value come last in both."""

    sql: str
    index: str
    """Covers the order."""


@dataclass(frozen=True, kw_only=True)
class Listing:
    """A table as a list. Its ids are given out one by one, so that without a hole a position says the id."""

    table: str
    what: str
    """As its refusals call it."""
    fields: Mapping[str, Field]
    words: tuple[str, ...]
    """Fields that a bare word is looked for in."""
    sorts: Mapping[str, Sort] = field(default_factory=dict)
    """Besides `id`."""
    word_index: str | None = None
    """Covers the fields of `words` whose values are not listed, in the order of ids."""
    trigrams: str | None = None
    """The table that leads from three letters to the rows in whose fields of `words`, but the listed, they stand."""
    by_number: Sort | None = None
    """The order of ids by an index, where old rows were removed: it is a tenth of the table."""
    has_metrics: bool = False
