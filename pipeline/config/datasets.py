"""`[datasets.NAME]` and `[features.NAME]`: versioned tables in the lake."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator

from pipeline.config.base import Duration, Name, PythonReference, Section
from pipeline.config.checks import AnyCheck


class Made(Section):
    """A table made from datasets by SQL or Python."""

    description: str = ""
    """For people."""
    sql: str | None = None
    """DuckDB SQL text, or the path of a `.sql` file in the project; each input is a table of its name."""
    python: PythonReference | None = None
    """A function from Arrow tables (by the names of the inputs) to an Arrow table."""
    inputs: list[Name] = []
    """Datasets it is made from."""


class Dataset(Made):
    """A versioned table."""

    source: Name | None = None
    """Source whose rows it holds; instead of sql or python."""
    mode: Literal["append", "replace", "merge"] = "replace"
    """What a run does with its rows: add them, put them in place of all, or update and insert by `key`."""
    key: list[str] = []
    """Columns that identify a row (needed for merge)."""
    time: str | None = None
    """Column that says when a row happened; freshness and splits use it."""
    columns: dict[str, str] = {}
    """Contract: column → type (string, int64, float64, bool, timestamp, date); only these are kept.
    Empty: as found."""
    on_new_column: Literal["add", "ignore", "refuse"] = "add"
    """A column the previous version did not have."""
    on_changed_type: Literal["refuse", "widen", "cast"] = "widen"
    """widen: only without loss (int64 → float64); cast: convert, and refuse where a value does not fit."""
    checks: list[AnyCheck] = []
    """Rules on its rows, judged before they become a version."""

    @model_validator(mode="after")
    def _one_origin(self) -> Self:
        if sum(x is not None for x in (self.source, self.sql, self.python)) != 1:
            raise ValueError("needs exactly one of source, sql and python")
        if self.source is None and not self.inputs:
            raise ValueError("needs `inputs`: the datasets that the sql or python reads")
        if self.mode == "merge" and not self.key:
            raise ValueError('mode = "merge" needs `key`: the columns that identify a row')
        return self


class FeatureView(Made):
    """Features of an entity over time."""

    entity: list[str] = Field(min_length=1)
    """Columns that say whose features these are."""
    time: str
    """Column: from when on the values were true (event time)."""
    created: str | None = None
    """Column: when the row was known; rows created after the moment asked for are not seen."""
    ttl: Duration | None = None
    """Values older than this are missing. Without it they last for ever."""
    data_delay: Duration = Field(default="0s", validate_default=True)
    """Time that rows take to land: a row is seen only this long after its event time."""
    strict: bool = False
    """See only rows before the moment asked for, not at it."""
    online: bool = False
    """Keep each entity's newest values ready for requests, which then may name the entity instead of the values."""
    columns: list[str] = []
    """Its features; empty: all columns besides entity, time and created."""

    @model_validator(mode="after")
    def _origin(self) -> Self:
        if self.sql is not None and self.python is not None:
            raise ValueError("needs at most one of sql and python")
        if not self.inputs:
            raise ValueError("needs `inputs`: the datasets that it is made from")
        if self.sql is None and self.python is None and len(self.inputs) != 1:
            raise ValueError("without sql or python it takes exactly one input, as it is")
        return self
