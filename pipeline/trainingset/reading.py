"""Reading a part of a training set: in batches, row by row number, or a sample of it, never whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.tables.shape import BATCH_ROWS

Ids = npt.NDArray[np.int64]
_JUDGED_ROWS: Final = 500_000
"""Rows of a part that evidence rests on, at most: an AUC is then known to about 0.001."""
_JUDGED_VALUES: Final = 25_000_000
"""The same in values, for wide tables: judging holds a few hundred bytes a value."""
_JUDGED_LEAST: Final = 50_000
"""Rows that evidence may always rest on, however wide they are."""


def most_judged(columns: int) -> int:
    """Rows of a part with so many columns that are judged, at most."""
    return max(_JUDGED_LEAST, min(_JUDGED_ROWS, _JUDGED_VALUES // max(columns, 1)))


def sample_ids(rows: int, most: int, seed: int | Sequence[int]) -> Ids | None:
    """`most` of the numbers 0 … rows - 1, ascending; None where that is all of them.

    Of each run of up to BATCH_ROWS its share, to a row, and in a run each is as likely as any other: to draw from all
    at once would take 8 bytes for each of them.
    """
    if rows <= most:
        return None
    rng = np.random.default_rng(seed)
    runs = -(-rows // BATCH_ROWS)
    starts = [run * rows // runs for run in range(runs + 1)]
    found = []
    for start, end in pairwise(starts):
        drawn = np.zeros(end - start, np.bool_)
        some = end * most // rows - start * most // rows
        drawn[rng.choice(end - start, some, replace=False, shuffle=False)] = True
        found.append(start + np.flatnonzero(drawn))
    return np.concatenate(found)


def read_batches(
    file: Path, words: Sequence[str] = (), columns: Sequence[str] | None = None, *, threads: bool = True
) -> Iterator[pa.RecordBatch]:
    """The rows of a Parquet file, at most BATCH_ROWS at a time.

    `words`: columns of text that are wanted as dictionaries, each word read once a row group and not for each row.
    `threads`: columns side by side, sooner by as many as there are cores, and for a fifth more CPU: each thread has
    memory of its own.
    """
    with pq.ParquetFile(file, read_dictionary=list(words)) as opened:
        for group in range(opened.num_row_groups):
            # Not `iter_batches`, which holds on to the groups behind it: of ten groups, all ten (measured, pyarrow 26).
            yield from opened.read_row_group(group, columns, use_threads=threads).to_batches(BATCH_ROWS)


def take_rows(file: Path, ids: Ids, columns: Sequence[str] | None = None) -> pa.Table:
    """The rows with these numbers in the order asked for; a row group at a time, those without any are not read."""
    order = np.argsort(ids, kind="stable")
    wanted = ids[order]
    with pq.ParquetFile(file) as opened:
        counts = [opened.metadata.row_group(group).num_rows for group in range(opened.num_row_groups)]
        starts = np.cumsum([0, *counts])
        edges = np.searchsorted(wanted, starts)
        found = [
            opened.read_row_group(group, columns).take(
                pa.array(wanted[edges[group] : edges[group + 1]] - starts[group])
            )
            for group in range(len(counts))
            if edges[group] < edges[group + 1]
        ]
        empty = [] if found else [opened.schema_arrow.empty_table().select(columns or opened.schema_arrow.names)]
    back = np.empty_like(order)
    back[order] = np.arange(len(order))
    return pa.concat_tables([*found, *empty]).take(pa.array(back))
