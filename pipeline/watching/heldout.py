"""A version's answers to rows it had not seen, with what those rows turned out to be: what estimates without labels,
models of its error and classifiers of windows are made from.

Made the first time somebody asks, from what never changes, and kept under the version's digest as a Parquet file beside
its profiles. Nothing that was fitted is kept: whatever is wanted is fitted anew from these rows, in a second or two.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.stats.measured import Floats
from pipeline.stats.metrics import Array
from pipeline.trainingset.build import open_training_set
from pipeline.trainingset.reading import sample_ids
from pipeline.versions.encoding import encode_labels
from pipeline.versions.signature import Signature
from pipeline.watching.logged import as_profiled
from pipeline.watching.reference import inputs_of, signature_of
from store.home import Home

MOST_ROWS: Final = 20_000
_MOST_VALUES: Final = 4_000_000
_LEAST: Final = 5_000
"""Rows x columns that are kept, at most, but for so many rows: some 16 MB before they are packed."""
_LABEL, _SCORES = "$label", "$scores"


@dataclass(frozen=True, eq=False, kw_only=True)
class HeldOut:
    """Rows of the test part, drawn by the training set's digest."""

    columns: pa.Table
    """What the model takes, as profiles have it (`logged.as_profiled`)."""
    labels: Array
    """[n] class numbers or values."""
    scores: Floats
    """[n], or [n, k] of many classes."""


def most_rows(columns: int) -> int:
    """Of a version with so many columns."""
    return max(_LEAST, min(MOST_ROWS, _MOST_VALUES // max(columns, 1)))


def held_out(home: Home, digest: str, training_set: str) -> HeldOut:
    """Raises NotFound without the training set, BundleDamaged."""
    file = home.references / f"{digest}.rows.parquet"
    signature = signature_of(home, digest)
    kept = _kept(file)
    if kept is None:
        kept = _made(home, digest, training_set, signature)
        _keep(file, kept)
    return _read(kept, signature)


def _made(home: Home, digest: str, training_set: str, signature: Signature) -> pa.Table:
    # Here, for it loads JAX.
    from pipeline.serving.executables import settle_jax
    from pipeline.versions.bundle import load_bundle

    settle_jax()
    rows = open_training_set(home, training_set)
    ids = sample_ids(rows.rows["test"], most_rows(len(signature.inputs)), int(rows.digest[:16], 16))
    drawn = rows.read("test") if ids is None else rows.take("test", ids)
    scores = load_bundle(home.bundle(digest)).predict(drawn)
    labels = encode_labels(drawn.column(signature.label), signature)
    wide = pa.array(scores) if scores.ndim == 1 else pa.array(scores.tolist(), pa.list_(pa.float32()))
    columns = as_profiled(drawn, inputs_of(signature))
    return columns.append_column(_LABEL, pa.array(labels)).append_column(_SCORES, wide)


def _kept(file: Path) -> pa.Table | None:
    try:
        return pq.read_table(file)
    except (FileNotFoundError, pa.ArrowInvalid):
        return None


def _keep(file: Path, rows: pa.Table) -> None:
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = file.with_suffix(f".{os.getpid()}.new")
    pq.write_table(rows, aside, compression="zstd")
    os.replace(aside, file)


def _read(kept: pa.Table, signature: Signature) -> HeldOut:
    labels = kept.column(_LABEL).to_numpy()
    scores = kept.column(_SCORES).combine_chunks()
    wide = signature.task == "multiclass"
    numbers = scores.flatten().to_numpy().reshape(len(scores), -1) if wide else scores.to_numpy()
    return HeldOut(
        columns=kept.drop_columns([_LABEL, _SCORES]),
        labels=labels.astype(np.float64 if signature.task == "regression" else np.int32),
        scores=np.asarray(numbers, np.float64),
    )
