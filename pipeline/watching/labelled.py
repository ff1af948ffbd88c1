"""A version's rows whose first label came within a span of time: each row in exactly one span, however often labels
come again, are corrected, or are read.

A row is known from when on both its request and its first label were there. Spans that follow each other part the rows,
so a stream that remembers where its last span ended has each of them once.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from duckdb import DuckDBPyConnection

from pipeline.labels.joined import ANSWERED, known_since, parquet
from pipeline.labels.record import LABEL
from pipeline.serving.outputs import SCORE
from pipeline.stats.measured import Floats
from pipeline.stats.metrics import Array
from pipeline.tables.duck import connect
from pipeline.tables.sqltext import literal
from pipeline.versions.signature import Signature
from pipeline.watching.answers import truths_of
from pipeline.watching.logtable import moment

MOST_ROWS: Final = 100_000
"""Of a span; of more requests so many are drawn, each as likely as any other."""
TOGETHER_US: Final = 60_000_000
"""Labels of one minute have come together: their rows are in the order in which they were asked."""
_FETCHED: Final = 500


@dataclass(frozen=True, eq=False, kw_only=True)
class Labelled:
    """Rows in the order in which they became known, minute by minute, and within a minute as they were asked."""

    scores: Floats
    """[n], or [n, k] of many classes."""
    labels: Array
    """[n] class numbers or values."""
    at: npt.NDArray[np.int64]
    """[n] when each was asked, microseconds since 1970 UTC."""

    def asked_within(self, since_us: int, until_us: int) -> Labelled:
        """Those asked from `since_us` on and before `until_us`, in the order in which they were asked."""
        order = np.argsort(self.at, kind="stable")
        wanted = order[(self.at[order] >= since_us) & (self.at[order] < until_us)]
        return Labelled(scores=self.scores[wanted], labels=self.labels[wanted], at=self.at[wanted])


def whole_minute(at_us: int) -> int:
    """The last moment up to which all minutes are over."""
    return at_us // TOGETHER_US * TOGETHER_US


def labelled_rows(
    predictions: Sequence[Path],
    labels: Sequence[Path],
    version: int,
    signature: Signature,
    *,
    asked_us: int,
    since_us: int,
    until_us: int,
    most: int = MOST_ROWS,
) -> Labelled:
    """Rows that `version` answered, asked from `asked_us` on, known from `since_us` on and before `until_us`.

    `predictions`, `labels`: files of the two tables. Labels that do not fit their request, and scores that are no
    numbers, are left out. Memory is bounded by `most` rows, about: the last request drawn brings all its rows.
    """
    read = _Read(signature)
    if predictions and labels and since_us < until_us:
        with closing(connect(readable=[*predictions, *labels])) as connection:
            _ask(connection, predictions, labels, version, asked_us, since_us, until_us, most)
            while read.rows < most and (batch := connection.fetchmany(_FETCHED)):
                read.take(batch, most)
    return read.whole()


def _ask(
    connection: DuckDBPyConnection,
    predictions: Sequence[Path],
    labels: Sequence[Path],
    version: int,
    asked_us: int,
    since_us: int,
    until_us: int,
    most: int,
) -> None:
    """By a hash of who they are, so that any first part of them is a sample."""
    until = moment(until_us)
    # All versions: a label by unit belongs to the unit's last request before it.
    seen = f"""(SELECT * FROM {parquet(predictions)}
        WHERE {ANSWERED} AND "at" >= {moment(asked_us)} AND "at" < {until})"""
    said = f"""(SELECT * FROM {parquet(labels)}
        WHERE "name" = {literal(LABEL)} AND "arrived" < {until} AND ("unit" IS NULL OR "at" < {until}))"""
    slim = f'(SELECT "request", "unit", "why", "at", "segment", "offset" FROM {seen})'
    connection.execute(f"""
        SELECT epoch_us(k."known"), epoch_us(p."at"), p."outputs", k."value"
        FROM (SELECT * FROM {seen} WHERE "version" = {int(version)} AND "outputs" IS NOT NULL) p
        JOIN {known_since(slim, said)} k USING ("segment", "offset")
        WHERE k."known" >= {moment(since_us)} AND k."known" < {until}
        ORDER BY hash("segment", "offset"), "segment", "offset" LIMIT {int(most)}
    """)


class _Read:
    """What was read so far."""

    def __init__(self, signature: Signature) -> None:
        self._signature = signature
        self._scores: list[Any] = []
        self._truths: list[float] = []
        self._moments: list[tuple[int, int]] = []
        """(minute in which it became known, when it was asked)."""

    @property
    def rows(self) -> int:
        return len(self._moments)

    def take(self, batch: Sequence[tuple[int, int, str, str]], most: int) -> None:
        """Of a batch, no request after the one that fills the span."""
        for known_us, asked_us, outputs, label in batch:
            if self.rows >= most:
                return
            answered = json.loads(outputs)[SCORE]
            truths = truths_of(label, len(answered), self._signature)
            if truths is not None:
                self._scores += answered
                self._truths += truths
                self._moments += [(known_us // TOGETHER_US, asked_us)] * len(answered)

    def whole(self) -> Labelled:
        classes = len(self._signature.classes)
        shape = (-1, classes) if classes > 2 else (-1,)
        scores = np.array(self._scores, np.float64).reshape(shape)
        truths = np.array(self._truths, np.float64)
        moments = np.array(self._moments, np.int64).reshape(-1, 2)
        sound = np.isfinite(truths) & np.isfinite(scores if scores.ndim == 1 else scores.sum(axis=1))
        order = np.flatnonzero(sound)[np.lexsort((moments[sound, 1], moments[sound, 0]))]
        kind = np.float64 if self._signature.task == "regression" else np.int32
        return Labelled(scores=scores[order], labels=truths[order].astype(kind), at=moments[order, 1])
