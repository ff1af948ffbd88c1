"""A version's answers in a window of time, with their labels as far as those have come: what performance is made of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from duckdb import DuckDBPyConnection

from pipeline.labels.classes import class_of
from pipeline.labels.joined import ANSWERED, joined, parquet, standing
from pipeline.labels.record import LABEL
from pipeline.serving.outputs import SCORE
from pipeline.stats.measured import Floats
from pipeline.stats.metrics import Array
from pipeline.tables.duck import connect
from pipeline.versions.signature import FeatureKind, Signature
from pipeline.watching.logged import as_array, taken

MOST_ROWS: Final = 100_000
"""Of a window; of more requests so many are drawn, each as likely as any other."""
_FETCHED: Final = 500


@dataclass(frozen=True, eq=False, kw_only=True)
class Answers:
    """Rows of a window in the order they were asked. A request's rows keep together."""

    scores: Floats
    """[n], or [n, k] of many classes."""
    labels: Array
    """[n] class numbers or values; read them only where `labelled`."""
    labelled: npt.NDArray[np.bool_]
    columns: pa.Table
    """What was asked: the columns that were wanted, see `logged.as_array`."""
    at: npt.NDArray[np.int64]
    """[n] microseconds since 1970 UTC."""
    requests: int
    """Of the window, that were answered and whose payload was kept."""
    drawn: int
    """That these rows are of."""
    unreadable: int
    """Labels that are no class of the model, no number, or not one for each row."""
    broken: int = 0
    """Rows whose score is no number; they are left out."""


def answers(
    predictions: Sequence[Path],
    labels: Sequence[Path],
    version: int,
    signature: Signature,
    columns: Mapping[str, FeatureKind],
    since_us: int,
    until_us: int,
    most: int = MOST_ROWS,
) -> Answers:
    """Rows that `version` answered from `since_us` on and before `until_us`; shadows' copies are left out.

    `predictions`, `labels`: files of the two tables (`store.lakefiles.live_files`). Memory is bounded by `most` rows of
    these columns, about: the last request drawn brings all its rows.
    """
    read = _Read(signature, columns)
    if not predictions:
        return read.whole(0)
    with closing(connect(readable=[*predictions, *labels])) as connection:
        mine = f"""(SELECT * FROM {parquet(predictions)} WHERE {ANSWERED} AND "version" = {int(version)}
            AND "inputs" IS NOT NULL AND "outputs" IS NOT NULL
            AND "at" >= {_moment(since_us)} AND "at" < {_moment(until_us)})"""
        ((requests,),) = connection.execute(f"SELECT count(*) FROM {mine}").fetchall()
        _ask(connection, mine, predictions, labels, since_us, most)
        while read.rows < most and (batch := connection.fetchmany(_FETCHED)):
            read.take(batch, most)
    return read.whole(int(requests))


def _ask(
    connection: DuckDBPyConnection,
    mine: str,
    predictions: Sequence[Path],
    labels: Sequence[Path],
    since_us: int,
    most: int,
) -> None:
    """Time, inputs, outputs and label of at most `most` requests. They come by a hash of who they are, so that any
    first part of them is a sample."""
    drawn = f'(SELECT * FROM {mine} ORDER BY hash("segment", "offset"), "segment", "offset" LIMIT {int(most)})'
    order = 'ORDER BY hash("segment", "offset"), "segment", "offset"'
    if not labels:
        connection.execute(f'SELECT epoch_us("at"), "inputs", "outputs", NULL FROM {drawn} {order}')
        return
    # All versions, and all that came later: a label by unit belongs to the unit's last request before it. What was
    # asked before the window can take no label from it.
    seen = f"""(SELECT "request", "unit", "why", "at", "segment", "offset" FROM {parquet(predictions)}
        WHERE {ANSWERED} AND "at" >= {_moment(since_us)})"""
    connection.execute(f"""
        SELECT epoch_us(p."at"), p."inputs", p."outputs", l."value"
        FROM {drawn} p LEFT JOIN {joined(seen, standing(labels, LABEL))} l USING ("segment", "offset") {order}
    """)


def truths_of(value: str | None, rows: int, signature: Signature) -> list[float] | None:
    """A label as it is kept → the class number or value of each row of its request; None if it does not fit."""
    if value is None:
        return None
    said = json.loads(value)
    truths = said if isinstance(said, list) else [said]
    if len(truths) != rows:
        return None
    if signature.task == "regression":
        return [float(one) for one in truths] if all(isinstance(one, int | float) for one in truths) else None
    words = [class_of(truth, signature.classes) for truth in truths]
    return None if None in words else [float(signature.classes.index(str(word))) for word in words]


class _Read:
    """What was read so far, a batch at a time as arrays."""

    def __init__(self, signature: Signature, columns: Mapping[str, FeatureKind]) -> None:
        self._signature = signature
        self._kinds = columns
        self._tables: list[pa.Table] = []
        self._scores: list[Floats] = []
        self._truths: list[Floats] = []
        self._at: list[npt.NDArray[np.int64]] = []
        self.rows = self.requests = self.unreadable = 0

    def take(self, batch: Sequence[tuple[int, str, str, str | None]], most: int) -> None:
        """Of a batch, no request after the one that fills the window."""
        values: dict[str, list[Any]] = {name: [] for name in self._kinds}
        scores: list[Any] = []
        truths: list[float] = []
        at: list[int] = []
        for asked_us, inputs, outputs, label in batch:
            if self.rows + len(scores) >= most:
                break
            answered = json.loads(outputs)[SCORE]
            known = truths_of(label, len(answered), self._signature)
            self.requests += 1
            self.unreadable += label is not None and known is None
            taken(values, json.loads(inputs), len(answered))
            scores += answered
            truths += known or [np.nan] * len(answered)
            at += [asked_us] * len(answered)
        self.rows += len(scores)
        self._tables.append(pa.table({name: as_array(values[name], kind) for name, kind in self._kinds.items()}))
        self._scores.append(np.array(scores, np.float64))
        self._truths.append(np.array(truths, np.float64))
        self._at.append(np.array(at, np.int64))

    def whole(self, requests: int) -> Answers:
        """All of it, by time."""
        classes = len(self._signature.classes)
        none = np.zeros((0, classes) if classes > 2 else 0)
        scores, truths = (np.concatenate(parts) if parts else none for parts in (self._scores, self._truths))
        at = np.concatenate(self._at) if self._at else np.zeros(0, np.int64)
        sound = np.flatnonzero(np.isfinite(scores if scores.ndim == 1 else scores.sum(axis=1)))
        order = sound[np.argsort(at[sound], kind="stable")]
        known = truths[order] if len(truths) else np.zeros(0)
        labelled = np.isfinite(known)
        kept = np.where(labelled, known, 0.0)
        kind = np.float64 if self._signature.task == "regression" else np.int32
        empty = pa.table({name: as_array([], one) for name, one in self._kinds.items()})
        columns = pa.concat_tables(self._tables).take(pa.array(order)) if self._tables else empty
        return Answers(
            scores=scores[order],
            labels=kept.astype(kind),
            labelled=labelled,
            columns=columns,
            at=at[order],
            requests=requests,
            drawn=self.requests,
            unreadable=self.unreadable,
            broken=len(at) - len(sound),
        )


def _moment(at_us: int) -> str:
    return f"make_timestamptz({int(at_us)})"
