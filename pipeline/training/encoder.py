"""From the train part to what a network starts with: its signature, its rows as arrays, what to know of its inputs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.models.embeddings import Preparation
from pipeline.training.batches import Rows
from pipeline.versions.signature import (
    FIRST_WORD,
    InputColumn,
    NamedFeature,
    Signature,
    Task,
    encode,
    encode_labels,
    label_classes,
    words,
)

MAX_VOCABULARY = 2000
"""Words of a categorical input, the most frequent first; the rest counts as unseen."""
_QUANTILE_ROWS = 200_000
"""Rows that quantiles are taken from: their error is then below 0.3 % of the rows."""


def fit_signature(train: pa.Table, features: Sequence[NamedFeature], label: str, task: Task) -> Signature:
    """What the model will take and give, from the train part alone."""
    inputs = [
        InputColumn(
            name=f.name, kind=f.kind, vocabulary=_vocabulary(train.column(f.name)) if f.kind == "categorical" else []
        )
        for f in features
    ]
    classes = [] if task == "regression" else label_classes(train.column(label))
    return Signature(inputs=inputs, task=task, label=label, classes=classes)


def encode_rows(table: pa.Table, signature: Signature) -> Rows:
    """A part as arrays. Targets: float32 of a binary task or a regression, int32 class numbers of a multiclass one.

    Raises SchemaChanged and Unlearnable.
    """
    numeric, categorical = encode(table, signature)
    target = encode_labels(table.column(signature.label), signature)
    return Rows(numeric, categorical, target.astype(np.float32) if signature.task == "binary" else target)


def prepare(rows: Rows, signature: Signature, bins: int, seed: int) -> Preparation:
    """Quantiles, means and deviations of the numeric inputs over the train rows; missing values do not count.

    A column without any value gets edges and mean 0: only its missing flag will ever speak.
    """
    numeric = np.asarray(rows.numeric, np.float64)
    chosen = np.random.default_rng(seed).permutation(len(numeric))[:_QUANTILE_ROWS]
    edges = [_edges(column[np.isfinite(column)], bins) for column in numeric[chosen].T]
    known = np.isfinite(numeric)
    count = np.maximum(known.sum(axis=0), 1)
    mean = np.where(known, numeric, 0.0).sum(axis=0) / count
    deviation = np.sqrt(np.where(known, np.square(numeric - mean), 0.0).sum(axis=0) / count)
    return Preparation(
        edges=np.asarray(edges, np.float32).reshape(len(edges), bins + 1),
        mean=mean.astype(np.float32),
        deviation=np.where(deviation > 0, deviation, 1.0).astype(np.float32),
        cardinalities=tuple(len(column.vocabulary) + FIRST_WORD for column in signature.categorical),
    )


def target_scale(rows: Rows) -> tuple[float, float]:
    """Mean and deviation of the targets; a deviation of 0 becomes 1."""
    target = np.asarray(rows.target, np.float64)
    return float(target.mean()), float(target.std()) or 1.0


def _edges(values: np.ndarray, bins: int) -> np.ndarray:
    """[bins + 1] quantiles, ascending. Where values repeat, edges coincide and their bins stay empty.

    Distinct values fewer than the edges become the edges themselves, so that no value is split from its neighbour
    by less than one bin; the rest of the edges lies on the last one.
    """
    if len(values) == 0:
        return np.zeros(bins + 1)
    distinct = np.unique(values)
    if len(distinct) <= bins + 1:
        return np.concatenate([distinct, np.full(bins + 1 - len(distinct), distinct[-1])])
    return np.asarray(np.quantile(values, np.linspace(0.0, 1.0, bins + 1)))


def _vocabulary(column: pa.ChunkedArray) -> list[str]:
    """Words by frequency, equally frequent ones in the order of the alphabet."""
    counted = pc.value_counts(pc.drop_null(words(column)))
    pairs = sorted(
        zip(counted.field("values").to_pylist(), counted.field("counts").to_pylist(), strict=True), key=_rank
    )
    return [word for word, _ in pairs[:MAX_VOCABULARY]]


def _rank(pair: tuple[str, int]) -> tuple[int, str]:
    return -pair[1], pair[0]
