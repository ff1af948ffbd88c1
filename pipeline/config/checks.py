"""`[[datasets.NAME.checks]]`: rules that the rows of a dataset obey."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from pipeline.config.base import Duration, Section, Share
from store.words import Severity


class Check(Section):
    name: str | None = None
    """Shown in results and in quarantine; without it made from kind and columns."""
    severity: Severity = "fail"
    """warn: recorded; fail: the version is refused and what depends on it stops."""


class RowCheck(Check):
    """A rule each row obeys or not; rows that do not go to quarantine."""

    max_share: Share = 0.0
    """Share of rows that may break the rule; those rows are quarantined all the same."""
    quarantine: bool = True
    """Take the breaking rows out of the dataset and keep them apart with this check's name."""


class NotNull(RowCheck):
    """The column has a value."""

    kind: Literal["not_null"]
    column: str
    """Column that is judged."""


class Unique(RowCheck):
    """No two rows have the same key."""

    kind: Literal["unique"]
    columns: list[str] = Field(min_length=1)
    """Together they identify a row; every row after the first of its key breaks the rule."""


class Accepted(RowCheck):
    """The value is one of a list."""

    kind: Literal["accepted"]
    column: str
    """Column that is judged."""
    values: list[str | int | float | bool] = Field(min_length=1)
    """The values it may have; missing ones are not judged."""


class Range(RowCheck):
    """The value lies between two bounds."""

    kind: Literal["range"]
    column: str
    """Column that is judged."""
    min: float | datetime | None = None
    """Least value allowed; missing ones are not judged."""
    max: float | datetime | None = None
    """Greatest value allowed."""


class Regex(RowCheck):
    """The text has a pattern."""

    kind: Literal["regex"]
    column: str
    """Column that is judged."""
    pattern: str
    """RE2; the whole value has to match."""


class ForeignKey(RowCheck):
    """The value is to be found in another dataset."""

    kind: Literal["foreign_key"]
    column: str
    """Column that is judged."""
    dataset: str
    """Dataset that holds the allowed values."""
    to: str
    """Its column."""


class SqlRule(RowCheck):
    """An SQL condition holds for the row."""

    kind: Literal["sql"]
    rule: str
    """SQL condition that a good row fulfils; NULL counts as broken."""


class RowCount(Check):
    """The dataset has so many rows."""

    kind: Literal["row_count"]
    min: int | None = Field(default=None, ge=0)
    """Fewest rows allowed."""
    max: int | None = Field(default=None, ge=0)
    """Most rows allowed."""


class Freshness(Check):
    """The newest row is new enough."""

    kind: Literal["freshness"]
    column: str
    """Column that is judged."""
    within: Duration
    """The newest value is no older than this when the check runs; values ahead of the clock say nothing."""


class SchemaCheck(Check):
    """The columns are there and of these types."""

    kind: Literal["schema"]
    columns: dict[str, str]
    """Column → type; other columns may exist."""


class Distribution(Check):
    """The values are spread as they were in the version before."""

    kind: Literal["distribution"]
    column: str
    """Column that is judged."""
    max_psi: float = Field(default=0.25, gt=0)
    """Population stability index against the previous version of the dataset."""
    min_rows: int = Field(default=500, gt=0)
    """With fewer rows on either side the check passes and says why."""


AnyCheck = Annotated[
    NotNull
    | Unique
    | Accepted
    | Range
    | Regex
    | ForeignKey
    | SqlRule
    | RowCount
    | Freshness
    | SchemaCheck
    | Distribution,
    Field(discriminator="kind"),
]
