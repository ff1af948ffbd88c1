"""The only preprocessing outside a model's graph: columns of a table → two arrays.

Everything that could differ between training and serving (scaling, bins, embeddings, temperature) is inside the
exported graph; what is left here is names and words. Requests are encoded by the same rules, without Arrow, in
`pipeline.serving.columns`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from pipeline.versions.signature import FIRST_WORD, MISSING, UNSEEN, Categorical, InputColumn, Numeric, Signature
from store.errors import SchemaChanged, Unlearnable


def encode(table: pa.Table, signature: Signature) -> tuple[Numeric, Categorical]:
    """Rows → (numeric [n, d] with NaN for missing, categorical [n, c] of word numbers).

    Raises SchemaChanged naming the column that is not there or not of its kind.
    """
    numeric = np.empty((table.num_rows, len(signature.numeric)), dtype=np.float32)
    for position, column in enumerate(signature.numeric):
        numeric[:, position] = numbers(_find(table, column.name), column.name)
    categorical = np.empty((table.num_rows, len(signature.categorical)), dtype=np.int32)
    for position, column in enumerate(signature.categorical):
        categorical[:, position] = _word_numbers(_find(table, column.name), column)
    return numeric, categorical


def label_classes(column: pa.ChunkedArray) -> list[str]:
    """The distinct label values as text; numbers and truth values in their own order, text in that of the alphabet."""
    distinct = pc.drop_null(pc.unique(_decoded(column)))
    ordered = pa.chunked_array([distinct.take(pc.array_sort_indices(distinct))])
    return [str(value) for value in words(ordered).to_pylist() if value is not None]


def encode_labels(column: pa.ChunkedArray, signature: Signature) -> npt.NDArray[np.float32] | npt.NDArray[np.int32]:
    """Labels → class numbers [n] int32, or [n] float32 for a regression.

    Raises Unlearnable for a label that is missing or of no known class.
    """
    if signature.task == "regression":
        values = numbers(column, signature.label)
        if not np.isfinite(values).all():
            raise _unlabelled(signature.label, int((~np.isfinite(values)).sum()))
        return values
    found = pc.index_in(words(column), value_set=pa.array(signature.classes, pa.string()))
    if found.null_count:
        raise _unlabelled(signature.label, found.null_count)
    return np.asarray(found.to_numpy(), dtype=np.int32)


def words(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Any column as text, null for missing: what vocabularies and classes are written in (1.0 is "1", so that a
    whole number is the same word whether it came as an integer or, beside a null, as a float)."""
    plain = _decoded(column)
    if pa.types.is_floating(plain.type):
        plain = pc.if_else(pc.is_nan(plain), pa.scalar(None, plain.type), plain)
    return pc.cast(plain, pa.string())


def numbers(column: pa.ChunkedArray, name: str) -> Numeric:
    """A numeric column → float32 [n]; nulls and infinities become NaN. Raises SchemaChanged for other types."""
    plain = _decoded(column)
    kind = plain.type
    if pa.types.is_boolean(kind) or pa.types.is_null(kind):
        plain = pc.cast(plain, pa.int8())
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)):
        raise SchemaChanged(
            f"column {name} is a {kind}, the model takes a number",
            where=name,
            remedy=f"cast {name} to a number, or list it in `categorical`, and train again",
        )
    values = np.asarray(pc.cast(plain, pa.float64(), safe=False).to_numpy(), dtype=np.float64)
    with np.errstate(over="ignore"):
        narrow = values.astype(np.float32)
    narrow[~np.isfinite(narrow)] = np.nan
    return narrow


def _word_numbers(column: pa.ChunkedArray, described: InputColumn) -> Categorical:
    text = words(column)
    found = pc.add(pc.index_in(text, value_set=pa.array(described.vocabulary, pa.string())), FIRST_WORD)
    known = pc.fill_null(found, UNSEEN)
    numbered = pc.if_else(pc.is_null(text), pa.scalar(MISSING, pa.int32()), known)
    return np.asarray(numbered.to_numpy(), dtype=np.int32)


def _find(table: pa.Table, name: str) -> pa.ChunkedArray:
    if name not in table.column_names:
        raise SchemaChanged(
            f"column {name} is not in the rows, and the model needs it",
            where=name,
            remedy=f"bring {name} back into the dataset or its views, or train a version without it",
        )
    return table.column(name)


def _decoded(column: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.cast(column, column.type.value_type) if pa.types.is_dictionary(column.type) else column


def _unlabelled(label: str, rows: int) -> Unlearnable:
    return Unlearnable(
        f"{rows} rows have no usable value of {label}",
        where=label,
        remedy=f"leave rows without {label} out of the dataset, or train again if it has a new value",
    )
