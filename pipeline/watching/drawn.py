"""Rows themselves, some thousand of them: of windows, and of what a version learned from. For what no profile shows.

The same rows are drawn each time: by a hash of who they are from the log, evenly spaced from a dataset, by the training
set's digest from what trained.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.trainingset.build import open_training_set
from pipeline.trainingset.reading import sample_ids
from pipeline.versions.signature import FeatureKind
from pipeline.watching.answers import answers
from pipeline.watching.closing import Full
from pipeline.watching.datasettable import DatasetTable
from pipeline.watching.logged import as_profiled
from pipeline.watching.subjects import Answered
from store.home import Home

MOST_ROWS: Final = 5_000


class Drawing(Protocol):
    """Where rows of windows come from."""

    def rows(self, windows: Sequence[Full]) -> pa.Table:
        """Of these windows, which follow each other, together; about `MOST_ROWS` of them, each as likely as any."""
        ...


@dataclass(frozen=True)
class OfLog:
    """A version's logged requests."""

    answered: Answered
    kinds: Mapping[str, FeatureKind]
    """Columns that are drawn."""

    def rows(self, windows: Sequence[Full]) -> pa.Table:
        first, last = windows[0].window, windows[-1].window
        number, signature = self.answered.version.version, self.answered.signature
        span = (first.start_us, last.end_us)
        return answers(self.answered.predictions, (), number, signature, self.kinds, *span, most=MOST_ROWS).columns


@dataclass(frozen=True)
class OfDataset:
    table: DatasetTable
    vectors: Sequence[str]
    """Drawn beside its columns of numbers and words, as they are."""

    def rows(self, windows: Sequence[Full]) -> pa.Table:
        step = max(1, -(-sum(one.content.rows for one in windows) // MOST_ROWS))
        parts, seen = [], 0
        for full in windows:
            for batch in self.table.scanned(full.window, self.vectors):
                parts.append(batch.take(pa.array(range(-seen % step, batch.num_rows, step), pa.int64())))
                seen += batch.num_rows
        return pa.Table.from_batches(parts) if parts else self.table.none(self.vectors)


def trained_rows(home: Home, digest: str, training_set: str, kinds: Mapping[str, FeatureKind]) -> pa.Table:
    """Of the rows that trained a version, as profiled. Kept beside its profiles, so that they outlive the training set.

    Raises NotFound where they were never drawn and the training set is gone.
    """
    file = home.references / f"{digest}.learned.parquet"
    try:
        return pq.read_table(file)
    except (FileNotFoundError, pa.ArrowInvalid):
        pass
    rows = open_training_set(home, training_set)
    ids = sample_ids(rows.rows["train"], MOST_ROWS, [int(rows.digest[:16], 16), len("rows")])
    drawn = as_profiled(rows.read("train") if ids is None else rows.take("train", ids, list(kinds)), kinds)
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = file.with_suffix(f".{os.getpid()}.new")
    pq.write_table(drawn, aside, compression="zstd")
    os.replace(aside, file)
    return drawn
