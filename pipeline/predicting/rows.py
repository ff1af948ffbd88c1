"""Rows and their scores → rows with predictions. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import pyarrow as pa

from pipeline.serving.outputs import LABEL, SCORE, Scores, labels
from pipeline.tables.arrow import lake_type
from pipeline.versions.signature import Signature

VERSION: Final = "model_version"
ADDED: Final = (LABEL, SCORE, VERSION)
"""Columns of ours; a regression has no label."""


def predicted_schema(rows: pa.Schema, keep: Sequence[str], signature: Signature) -> pa.Schema:
    """Of the kept columns and the prediction."""
    kept = [pa.field(name, lake_type(rows.field(name).type)) for name in keep]
    label = [] if signature.task == "regression" else [pa.field(LABEL, pa.string())]
    return pa.schema([*kept, *label, pa.field(SCORE, pa.float64()), pa.field(VERSION, pa.int64())])


def predicted(
    rows: pa.RecordBatch, scores: Scores, schema: pa.Schema, signature: Signature, version: int
) -> pa.RecordBatch:
    """`scores`: [n] or [n, classes]; of several classes the likeliest one's is kept.

    A row whose scores are no numbers has no prediction: an endpoint does not answer it either.
    """
    nothing = ~np.isfinite(scores) if scores.ndim == 1 else ~np.isfinite(scores).all(axis=1)
    best = scores if scores.ndim == 1 else scores.max(axis=1)
    made = {
        SCORE: pa.array(best.astype(np.float64), mask=nothing),
        VERSION: pa.array(np.full(len(scores), version, np.int64)),
    }
    if signature.task != "regression":
        made[LABEL] = pa.array(np.array(labels(signature, scores), dtype=object), pa.string(), mask=nothing)
    columns = [made[f.name] if f.name in made else rows.column(f.name).cast(f.type) for f in schema]
    return pa.RecordBatch.from_arrays(columns, schema=schema)
