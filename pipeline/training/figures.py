"""What the training rows say about a network's inputs and target, in one pass over blocks: memory stays bounded, and
rows in memory and rows on disk give the same bits."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from pipeline.models.embeddings import Preparation
from pipeline.training.batches import Rows
from pipeline.versions.signature import FIRST_WORD, Signature

BLOCK_ROWS = 65_536
"""Rows looked at together. Part of the result: sums are rounded block by block."""
_QUANTILE_ROWS = 200_000
"""Rows that quantiles are taken from: their error is then below 0.3 % of the rows."""


def prepare(rows: Rows, signature: Signature, bins: int, seed: int) -> Preparation:
    """Quantiles, means and deviations of the numeric inputs over the train rows; missing values do not count.

    Quantiles are those of 200,000 rows drawn by `seed` where there are more. A column without any value gets edges and
    mean 0: only its missing flag will ever speak.
    """
    numeric = np.asarray(rows.numeric)
    chosen = np.asarray(numeric[_drawn(len(numeric), seed)], np.float64)
    edges = [_edges(column[np.isfinite(column)], bins) for column in chosen.T]
    mean, deviation = _moments(numeric)
    return Preparation(
        edges=np.asarray(edges, np.float32).reshape(len(edges), bins + 1),
        mean=mean.astype(np.float32),
        deviation=np.where(deviation > 0, deviation, 1.0).astype(np.float32),
        cardinalities=tuple(len(column.vocabulary) + FIRST_WORD for column in signature.categorical),
    )


def target_scale(rows: Rows) -> tuple[float, float]:
    """Mean and deviation of the targets; a deviation of 0 becomes 1."""
    mean, deviation = _moments(np.asarray(rows.target)[:, None])
    return float(mean[0]), float(deviation[0]) or 1.0


def _moments(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means and deviations of the finite values of each column [n, d], float64 [d]; 0 where a column has none.

    Blocks are joined as Chan, Golub & LeVeque 1983 do, so large means do not cancel small deviations.
    """
    count, mean, squares = np.zeros(values.shape[1]), np.zeros(values.shape[1]), np.zeros(values.shape[1])
    for block in _blocks(values):
        known = np.isfinite(block)
        here = known.sum(axis=0)
        its_mean = np.where(known, block, 0.0).sum(axis=0) / np.maximum(here, 1)
        its_squares = np.where(known, np.square(block - its_mean), 0.0).sum(axis=0)
        total = np.maximum(count + here, 1)
        apart = its_mean - mean
        mean = np.where(count > 0, mean + apart * here / total, its_mean)
        squares += its_squares + np.square(apart) * count * here / total
        count += here
    return mean, np.sqrt(squares / np.maximum(count, 1))


def _blocks(values: np.ndarray) -> Iterator[np.ndarray]:
    for start in range(0, len(values), BLOCK_ROWS):
        yield np.asarray(values[start : start + BLOCK_ROWS], np.float64)


def _drawn(rows: int, seed: int) -> np.ndarray | slice:
    """Ascending, so that rows on disk are read in their order."""
    if rows <= _QUANTILE_ROWS:
        return slice(None)
    return np.sort(np.random.default_rng(seed).choice(rows, _QUANTILE_ROWS, replace=False, shuffle=False))


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
