"""Leakage alarms: signs that the label, or the test rows, were known to the training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
from duckdb import DuckDBPyConnection
from sklearn.ensemble import HistGradientBoostingClassifier

from pipeline.judging.evidence import LeakageFacts
from pipeline.process.threads import few_threads
from pipeline.stats.auc import auc
from pipeline.stats.measured import Floats
from pipeline.stats.metrics import Task
from pipeline.tables.sqltext import identifier, literal
from pipeline.versions.encoding import numbers, words
from pipeline.versions.signature import NamedFeature

Codes = npt.NDArray[np.int64]
_GROUPS = 32
"""Quantile groups of a number when the label's mean is learned per group."""
_ADVERSARIES = 4000
"""Rows of each side that the adversary sees: enough to find what a gate should know, and half a second of work."""


def leakage_facts(
    *,
    train: pa.Table,
    test: pa.Table,
    features: Sequence[NamedFeature],
    label: str,
    task: Task,
    rng: np.random.Generator,
    whole: WholeTrain | None = None,
) -> LeakageFacts:
    """All alarms. `train` and `test` hold the raw feature columns and the label; both have rows.

    `whole`: what is known of all training rows where `train` is a sample; a twin that was not drawn is a twin.
    """
    both = pa.concat_tables([_chosen(train, features, label), _chosen(test, features, label)], promote_options="none")
    codes = {name: _codes(both.column(name)) for name in both.column_names}
    share, by_chance = duplicates(list(codes.values()), train.num_rows, whole)
    truths = _truths(both.column(label), task)
    alone = {
        feature.name: single_feature_auc(
            both.column(feature.name), feature, codes[feature.name], truths, train.num_rows
        )
        for feature in features
    }
    return LeakageFacts(
        duplicate_share=share,
        duplicate_share_by_chance=by_chance,
        single_feature_auc=dict(sorted(alone.items(), key=lambda item: -item[1])),
        adversarial_auc=_adversarial_auc(both, features, codes, train.num_rows, rng),
    )


@dataclass(frozen=True)
class WholeTrain:
    """Of all training rows, where the others at hand are a sample."""

    rows: int
    twins: npt.NDArray[np.bool_]
    """[n] whether a test row has its like among them."""


def find_twins(
    connection: DuckDBPyConnection, train: Path, test: pa.Table, features: Sequence[NamedFeature], label: str
) -> npt.NDArray[np.bool_]:
    """Whether each test row has its like in the Parquet file `train`, by a 64-bit hash of features and label.

    The file is read once, in bounded memory; `connection` has it among its readable files.
    """
    names = [*(feature.name for feature in features), label]
    of_row = f"hash({', '.join(map(identifier, names))})"
    connection.register("_asked", test.select(names).append_column("_row", pa.array(np.arange(test.num_rows))))
    connection.sql(f"CREATE OR REPLACE TEMP TABLE _hashes AS SELECT _row, {of_row} AS h FROM _asked")
    found = connection.sql(
        f"""SELECT _row FROM _hashes SEMI JOIN (
              SELECT h FROM (SELECT {of_row} AS h FROM read_parquet({literal(str(train))})) SEMI JOIN _hashes USING (h)
            ) USING (h)"""
    ).to_arrow_table()
    twins = np.zeros(test.num_rows, np.bool_)
    twins[found["_row"].to_numpy()] = True
    return twins


def duplicates(columns: Sequence[Codes], train_rows: int, whole: WholeTrain | None = None) -> tuple[float, float]:
    """(share of test rows equal to a training row, share to be expected by chance).

    `columns`: one number a distinct value, training rows first. Rows are compared by a 64-bit hash. By chance, were the
    columns independent, a row has a twin among m training rows with 1 - (1 - Πp)^m, p the share of its value among
    the others (the twin left out: a value that only the two of them have is no chance). With `whole`, twins and m are
    those of all training rows, and p is that of the sample.
    """
    hashes = np.zeros(len(columns[0]), dtype=np.uint64)
    log_chance = np.zeros(len(columns[0]) - train_rows)
    for column in columns:
        hashes = _mixed(hashes ^ column.astype(np.uint64))
        seen = np.bincount(column[:train_rows], minlength=int(column.max()) + 1)[column[train_rows:]]
        with np.errstate(divide="ignore"):
            log_chance += np.log(np.maximum(seen - 1, 0) / train_rows)
    twins = np.isin(hashes[train_rows:], hashes[:train_rows]) if whole is None else whole.twins
    chance = -np.expm1((whole.rows if whole else train_rows) * np.log1p(-np.minimum(np.exp(log_chance), 1 - 1e-12)))
    return float(twins.mean()), float((twins * chance).mean())


def single_feature_auc(
    column: pa.ChunkedArray, feature: NamedFeature, codes: Codes, truths: list[npt.NDArray[np.bool_]], train_rows: int
) -> float:
    """The better of two readings of one feature on the test rows, mean over `truths` (one a class): its own order
    (numbers only, missing lowest, either direction), and the label's mean in its group of training rows."""
    groups, ranked = codes, None
    if feature.kind == "numeric":
        ranked = np.nan_to_num(numbers(column, feature.name).astype(np.float64), nan=-np.inf)
        groups = _quantile_groups(ranked, train_rows)
    areas = [_best_area(truth, ranked, groups, train_rows) for truth in truths]
    known = [area for area in areas if np.isfinite(area)]
    return float(np.mean(known)) if known else 0.5


def _best_area(truth: npt.NDArray[np.bool_], ranked: Floats | None, groups: Codes, train_rows: int) -> float:
    learned, asked = groups[:train_rows], groups[train_rows:]
    size = int(groups.max()) + 1
    total = np.bincount(learned, minlength=size)
    happened = np.bincount(learned, truth[:train_rows], minlength=size)
    rate = (happened + truth[:train_rows].mean()) / (total + 1)  # an unseen group is given the mean of all
    best = auc(truth[train_rows:], rate[asked])
    if ranked is None:
        return best
    own = auc(truth[train_rows:], ranked[train_rows:])
    return max(best, own, 1 - own)


def _truths(column: pa.ChunkedArray, task: Task) -> list[npt.NDArray[np.bool_]]:
    """What is to be guessed, yes or no: class by class; of a regression, whether above the median."""
    if task == "regression":
        values = numbers(column, "label")
        return [np.asarray(values > np.nanmedian(values))]
    codes = _codes(column)
    kinds = np.unique(codes)
    return [np.asarray(codes == kind) for kind in (kinds[1:] if len(kinds) == 2 else kinds)]


def _adversarial_auc(
    both: pa.Table, features: Sequence[NamedFeature], codes: dict[str, Codes], train_rows: int, rng: np.random.Generator
) -> float:
    """AUC, on held-out rows, of trees that tell test rows from training rows."""
    sides = [np.arange(train_rows), np.arange(train_rows, both.num_rows)]
    picked = [rng.permutation(side)[:_ADVERSARIES] for side in sides]
    rows = rng.permutation(np.concatenate(picked))
    matrix = np.stack(
        [
            numbers(both.column(f.name), f.name)[rows]
            if f.kind == "numeric"
            else codes[f.name][rows].astype(np.float32)
            for f in features
        ],
        axis=1,
    )
    from_test, half = rows >= train_rows, len(rows) // 2
    if len({*from_test[:half]}) < 2:
        return float("nan")
    trees = HistGradientBoostingClassifier(max_iter=30, early_stopping=False, random_state=int(rng.integers(2**31)))
    with few_threads(matrix.size):
        trees.fit(matrix[:half], from_test[:half])
        return auc(from_test[half:], trees.predict_proba(matrix[half:])[:, 1])


def _chosen(table: pa.Table, features: Sequence[NamedFeature], label: str) -> pa.Table:
    return table.select([*(feature.name for feature in features), label])


def _codes(column: pa.ChunkedArray) -> Codes:
    """One number a distinct value, null among them."""
    encoded = pc.dictionary_encode(words(column), null_encoding="encode").combine_chunks()
    indices = encoded.indices if isinstance(encoded, pa.DictionaryArray) else encoded.chunk(0).indices
    return np.asarray(indices.to_numpy(zero_copy_only=False), dtype=np.int64)


def _quantile_groups(values: Floats, train_rows: int) -> Codes:
    edges = np.unique(np.quantile(values[:train_rows], np.linspace(0, 1, _GROUPS + 1)[1:-1], method="lower"))
    return np.asarray(np.searchsorted(edges, values), dtype=np.int64)


def _mixed(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """splitmix64 (Steele, Lea & Flood 2014): every bit of the input moves every bit of the output."""
    mixed = values + np.uint64(0x9E3779B97F4A7C15)
    mixed = (mixed ^ (mixed >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    mixed = (mixed ^ (mixed >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(mixed ^ (mixed >> np.uint64(31)), dtype=np.uint64)
