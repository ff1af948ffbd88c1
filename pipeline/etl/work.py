"""One dataset being made: what every part of `etl` needs to know."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from pipeline.config.datasets import Dataset
from pipeline.process.context import RunContext
from store.lake import LakeVersion


@dataclass(frozen=True, kw_only=True)
class Work:
    ctx: RunContext
    name: str
    dataset: Dataset
    base: LakeVersion | None
    """The version that the new one is made against, or None for the first."""

    @property
    def where(self) -> str:
        """For messages."""
        return f"datasets.{self.name}"

    @property
    def path(self) -> Path:
        """The dataset's table in the lake."""
        return self.ctx.home.dataset(self.name)

    @property
    def folder(self) -> Path:
        """Staging."""
        return self.ctx.home.staging(self.name)

    @property
    def references(self) -> list[str]:
        """Other datasets that foreign keys point to."""
        checks = self.dataset.checks
        return sorted({check.dataset for check in checks if check.kind == "foreign_key"} - {self.name})


@dataclass(frozen=True, kw_only=True)
class Raw:
    """Rows before the contract, and what their commit has to carry."""

    schema: pa.Schema
    batches: Iterable[pa.RecordBatch]
    empty: bool
    """There is no row, and so perhaps no column either."""
    fingerprint: str
    ingest: str
    """Names these rows: a crash after their commit is recognised by it."""
    inputs: Mapping[str, int]
    """Dataset → version, of those that were read."""
    metadata: Mapping[str, str]
    """Further metadata of the commit."""


@dataclass(frozen=True)
class Unchanged:
    """There is nothing to do, and why."""

    reason: str
