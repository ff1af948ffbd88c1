"""What a version learned from, as profiles: of the rows that trained it, and of its answers to rows it had not seen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

import pyarrow as pa

from pipeline.serving.outputs import SCORE, labels
from pipeline.trainingset.build import TrainingSet, open_training_set
from pipeline.trainingset.reading import sample_ids
from pipeline.versions.signature import FeatureKind, Signature
from pipeline.watching.logged import OUTPUT, as_profiled, kind_of
from pipeline.watching.profile import Profile, fit, fitted, profile
from store.home import Home

FITTED_ROWS: Final = 65_536
"""Drawn by the training set's digest, so that profiles made again are the same."""
ANSWERED_ROWS: Final = 20_000


def learned(home: Home, training_set: str, inputs: Mapping[str, FeatureKind]) -> dict[str, Profile]:
    """Of the rows that trained: a sample places the cells, and all rows are counted. Raises NotFound."""
    rows = open_training_set(home, training_set)
    return fitted(inputs, lambda: _batches(rows, inputs), sample_ids(rows.rows["train"], FITTED_ROWS, _seed(rows)))


def answered(home: Home, digest: str, training_set: str, signature: Signature, output: str) -> dict[str, Profile]:
    """Of the rows that tested it: about those that trained it a model is too sure. Raises NotFound, BundleDamaged."""
    # Here, for it loads JAX.
    from pipeline.serving.executables import settle_jax
    from pipeline.versions.bundle import load_bundle

    settle_jax()
    rows = open_training_set(home, training_set)
    ids = sample_ids(rows.rows["test"], ANSWERED_ROWS, _seed(rows))
    scores = load_bundle(home.bundle(digest)).predict(rows.read("test") if ids is None else rows.take("test", ids))
    said = pa.table({OUTPUT: scores if output == SCORE else pa.array(labels(signature, scores))})
    kinds = {OUTPUT: kind_of(output)}
    answers = as_profiled(said, kinds)
    return profile(fit(answers, kinds), answers.to_batches())


def _batches(rows: TrainingSet, inputs: Mapping[str, FeatureKind]) -> Iterator[pa.RecordBatch]:
    words = [name for name, kind in inputs.items() if kind == "categorical"]
    for batch in rows.batches("train", words, list(inputs), threads=False):
        yield from as_profiled(pa.Table.from_batches([batch]), inputs).to_batches()


def _seed(rows: TrainingSet) -> list[int]:
    return [int(rows.digest[:16], 16), len("drift")]
