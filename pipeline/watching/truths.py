"""Label drift: are the labels that come like those that the version learned from? As a column like any other.

The profile of the training labels is kept beside the others; `measures` and `verdict` compare with it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from pipeline.stats.metrics import Array
from pipeline.trainingset.build import TrainingSet, open_training_set
from pipeline.trainingset.reading import sample_ids
from pipeline.versions.encoding import words
from pipeline.versions.signature import FeatureKind, Signature
from pipeline.watching.learned import FITTED_ROWS
from pipeline.watching.logged import as_profiled
from pipeline.watching.profile import Profile, fit, from_document, profile, to_document
from pipeline.watching.reference import signature_of
from store.home import Home

TRUTH: Final = "$label"
"""The column of labels: no input has such a name."""


def truth_kinds(signature: Signature) -> dict[str, FeatureKind]:
    return {TRUTH: "numeric" if signature.task == "regression" else "categorical"}


def truth_reference(home: Home, digest: str, training_set: str) -> Profile:
    """Of the labels of the rows that trained, all of them. Raises NotFound."""
    file = home.references / f"{digest}.labels.json"
    kept = _kept(file)
    if kept is None:
        kept = _made(open_training_set(home, training_set), signature_of(home, digest))
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        aside = file.with_suffix(f".{os.getpid()}.new")
        aside.write_text(json.dumps(to_document({TRUTH: kept}), allow_nan=False), encoding="utf-8")
        os.replace(aside, file)
    return kept


def truth_profile(reference: Profile, signature: Signature, labels: Array, labelled: npt.NDArray[np.bool_]) -> Profile:
    """Of a window's labels: `labels` [n] class numbers or values as `Answers` has them, those that are `labelled`."""
    said = labels[labelled]
    if signature.task != "regression":
        said = np.array(signature.classes, np.str_)[said.astype(np.int64)]
    kind = pa.float32() if signature.task == "regression" else pa.string()
    rows = pa.table({TRUTH: pa.array(said.tolist(), kind)})
    return profile({TRUTH: reference.cells}, rows.to_batches())[TRUTH]


def _made(rows: TrainingSet, signature: Signature) -> Profile:
    kinds = truth_kinds(signature)
    ids = sample_ids(rows.rows["train"], FITTED_ROWS, int(rows.digest[:16], 16))
    sample = rows.read("train").select([signature.label]) if ids is None else rows.take("train", ids, [signature.label])
    cells = fit(_as_truth(sample, signature, kinds), kinds)
    batches = (
        part
        for batch in rows.batches("train")
        for part in _as_truth(pa.Table.from_batches([batch]), signature, kinds).to_batches()
    )
    return profile(cells, batches)[TRUTH]


def _as_truth(rows: pa.Table, signature: Signature, kinds: dict[str, FeatureKind]) -> pa.Table:
    column = rows.column(signature.label)
    return as_profiled(pa.table({TRUTH: column if signature.task == "regression" else words(column)}), kinds)


def _kept(file: Path) -> Profile | None:
    try:
        said: dict[str, Any] = json.loads(file.read_bytes())
        return from_document(said)[TRUTH]
    except (FileNotFoundError, ValueError):
        return None
