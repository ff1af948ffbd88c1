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
    kind: Literal["not_null"]
    column: str


class Unique(RowCheck):
    kind: Literal["unique"]
    columns: list[str] = Field(min_length=1)
    """Together they identify a row; every row after the first of its key breaks the rule."""


class Accepted(RowCheck):
    kind: Literal["accepted"]
    column: str
    values: list[str | int | float | bool] = Field(min_length=1)


class Range(RowCheck):
    kind: Literal["range"]
    column: str
    min: float | datetime | None = None
    max: float | datetime | None = None


class Regex(RowCheck):
    kind: Literal["regex"]
    column: str
    pattern: str
    """RE2; the whole value has to match."""


class ForeignKey(RowCheck):
    kind: Literal["foreign_key"]
    column: str
    dataset: str
    """Dataset that holds the allowed values."""
    to: str
    """Its column."""


class SqlRule(RowCheck):
    kind: Literal["sql"]
    rule: str
    """SQL condition that a good row fulfils; NULL counts as broken."""


class RowCount(Check):
    kind: Literal["row_count"]
    min: int | None = Field(default=None, ge=0)
    max: int | None = Field(default=None, ge=0)


class Freshness(Check):
    kind: Literal["freshness"]
    column: str
    within: Duration
    """The newest value is no older than this when the check runs."""


class SchemaCheck(Check):
    kind: Literal["schema"]
    columns: dict[str, str]
    """Column → type; other columns may exist."""


class Distribution(Check):
    kind: Literal["distribution"]
    column: str
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
