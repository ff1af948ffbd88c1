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
_CAME: Final = 'CASE WHEN "unit" IS NULL THEN "arrived" ELSE greatest("arrived", "at") END'
"""A label by unit counts from its own time on, if that is after its arrival."""


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
            if not _any_new(connection, labels, since_us, until_us):
                return read.whole()
            _ask(connection, predictions, labels, version, asked_us, since_us, until_us, most)
            while read.rows < most and (batch := connection.fetchmany(_FETCHED)):
                read.take(batch, most)
    return read.whole()


def _any_new(connection: DuckDBPyConnection, labels: Sequence[Path], since_us: int, until_us: int) -> bool:
    """Mostly there is none: then no request is read."""
    said = f'{parquet(labels)} WHERE "name" = {literal(LABEL)}'
    span = f"{_CAME} >= {moment(since_us)} AND {_CAME} < {moment(until_us)}"
    return bool(connection.execute(f"SELECT 1 FROM {said} AND {span} LIMIT 1").fetchall())


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
    """By a hash of who they are, so that any first part of them is a sample.

    A row of the span has a label of the span. So only requests that such a label may be of are looked at, with all that
    their labels may be of besides: all requests of their units, by whatever version, and all labels of both.
    """
    until = moment(until_us)
    connection.execute(f"""
        WITH "said" AS MATERIALIZED (
            SELECT "request", "unit", "at", "arrived", "value", "segment", "offset", {_CAME} AS "came"
            FROM {parquet(labels)} WHERE "name" = {literal(LABEL)} AND {_CAME} < {until}
        ), "new" AS MATERIALIZED (SELECT "request", "unit" FROM "said" WHERE "came" >= {moment(since_us)}),
        "seen" AS (
            SELECT "request", "unit", "why", "at", "segment", "offset" FROM {parquet(predictions)}
            WHERE {ANSWERED} AND "at" >= {moment(asked_us)} AND "at" < {until}
        ), "near" AS MATERIALIZED (
            SELECT "request", "unit" FROM "seen"
            WHERE {_among("new")}
        ), "asked" AS MATERIALIZED (SELECT * FROM "seen" WHERE {_among("near")}),
        "told" AS MATERIALIZED (SELECT * FROM "said" WHERE {_among("near")})
        SELECT epoch_us(k."known"), epoch_us(p."at"), p."outputs", k."value"
        FROM (
            SELECT "at", "outputs", "segment", "offset" FROM {parquet(predictions)}
            WHERE "version" = {int(version)} AND "outputs" IS NOT NULL AND "at" >= {moment(asked_us)} AND "at" < {until}
        ) p JOIN {known_since('"asked"', '"told"')} k USING ("segment", "offset")
        WHERE k."known" >= {moment(since_us)}
        ORDER BY hash("segment", "offset"), "segment", "offset" LIMIT {int(most)}
    """)


def _among(relation: str) -> str:
    """Whose request, or unit, is one of the relation's."""
    of = f'(SELECT "request" FROM "{relation}" WHERE "request" IS NOT NULL)'
    units = f'(SELECT "unit" FROM "{relation}" WHERE "unit" IS NOT NULL)'
    return f'("request" IN {of} OR "unit" IN {units})'


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
