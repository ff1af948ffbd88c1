"""From the train part to what a network starts with: its signature, and its rows as arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.dataset as pads
from duckdb import DuckDBPyConnection

from pipeline.tables.duck import connect
from pipeline.tables.sqltext import identifier
from pipeline.training.batches import Rows
from pipeline.training.storage import Layout
from pipeline.versions.encoding import encode, encode_labels, label_classes
from pipeline.versions.signature import InputColumn, NamedFeature, Signature, Task

MAX_VOCABULARY = 2000
"""Words of a categorical input, the most frequent first; the rest counts as unseen."""
_TRAIN = "_train"


def fit_signature(
    train: pa.Table | pads.Dataset,
    features: Sequence[NamedFeature],
    label: str,
    task: Task,
    spill: Path | None = None,
) -> Signature:
    """What the model will take and give, from the train part alone, of whatever size; categorical features are text.

    Counts that do not fit into the memory of `tables.shape.connect` go to the folder `spill`.
    """
    with closing(connect(spill=spill)) as connection:
        connection.register(_TRAIN, train)
        inputs = [
            InputColumn(
                name=f.name,
                kind=f.kind,
                vocabulary=_vocabulary(connection, f.name) if f.kind == "categorical" else [],
            )
            for f in features
        ]
        classes = [] if task == "regression" else _classes(connection, label)
    return Signature(inputs=inputs, task=task, label=label, classes=classes)


def layout_of(rows: int, signature: Signature) -> Layout:
    """The arrays that so many encoded rows make."""
    numeric, categorical = len(signature.numeric), len(signature.categorical)
    return Layout(rows, numeric, categorical, "int32" if signature.task == "multiclass" else "float32")


def encode_batches(batches: Iterable[pa.RecordBatch], signature: Signature) -> Iterator[Rows]:
    """Each batch as arrays. Raises SchemaChanged and Unlearnable."""
    for batch in batches:
        yield encode_rows(pa.Table.from_batches([batch]), signature)


def encode_rows(table: pa.Table, signature: Signature) -> Rows:
    """A part as arrays. Targets: float32 of a binary task or a regression, int32 class numbers of a multiclass one.

    Raises SchemaChanged and Unlearnable.
    """
    numeric, categorical = encode(table, signature)
    target = encode_labels(table.column(signature.label), signature)
    return Rows(numeric, categorical, target.astype(np.float32) if signature.task == "binary" else target)


def _vocabulary(connection: DuckDBPyConnection, column: str) -> list[str]:
    """Words by frequency, equally frequent ones in the order of the alphabet."""
    name = identifier(column)
    counted = connection.sql(
        f"SELECT {name}::VARCHAR FROM {_TRAIN} WHERE {name} IS NOT NULL GROUP BY 1 "
        f"ORDER BY count(*) DESC, 1 LIMIT {MAX_VOCABULARY}"
    )
    return [word for (word,) in counted.fetchall()]


def _classes(connection: DuckDBPyConnection, label: str) -> list[str]:
    name = identifier(label)
    distinct = connection.sql(f"SELECT DISTINCT {name} FROM {_TRAIN} WHERE {name} IS NOT NULL").to_arrow_table()
    return label_classes(distinct.column(0))
