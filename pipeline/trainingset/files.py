"""A recorded training set on disk: a Parquet file a part and `manifest.json`, under the digest of its content."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.trainingset.split import PARTS, Part
from store.disk import sync
from store.workspace import workspace

MANIFEST: Final = "manifest.json"


class RowHash:
    """A digest of rows in their order, from nothing but names, types and values.

    It does not depend on batch sizes, on the versions of libraries, or on what lies under a missing value.
    """

    def __init__(self, schema: pa.Schema) -> None:
        self._lengths = [hashlib.sha256(f"{field.name}:{field.type}".encode()) for field in schema]
        self._values = [hashlib.sha256() for _ in schema]

    def update(self, batch: pa.RecordBatch) -> None:
        for column, lengths, values in zip(batch.columns, self._lengths, self._values, strict=True):
            if pa.types.is_primitive(column.type):
                lengths.update(_numbers(column.is_valid(), pa.uint8()))
                values.update(_numbers(column, _BITS[column.type.bit_width]))
            else:
                text = _text(column)
                lengths.update(_numbers(pc.fill_null(pc.binary_length(text), -1), pa.int64()))
                values.update(_joined(text))

    def hexdigest(self) -> str:
        parts = (h.digest() for pair in zip(self._lengths, self._values, strict=True) for h in pair)
        return hashlib.sha256(b"".join(parts)).hexdigest()


_BITS: Final = {1: pa.uint8(), 8: pa.uint8(), 16: pa.uint16(), 32: pa.uint32(), 64: pa.uint64()}


def _numbers(column: pa.Array, wide: pa.DataType) -> bytes:
    """The column's values as bytes, zero where there is none."""
    plain = column.cast(wide) if pa.types.is_boolean(column.type) else column.view(wide)
    return bytes(np.ascontiguousarray(pc.fill_null(plain, 0).to_numpy(zero_copy_only=False)).data)


def _text(column: pa.Array) -> pa.Array:
    """The values as bytes, of whatever type they are."""
    if pa.types.is_string(column.type) or pa.types.is_binary(column.type):
        return column.cast(pa.large_binary())
    return pa.array([None if value is None else str(value).encode() for value in column.to_pylist()], pa.large_binary())


def _joined(text: pa.Array) -> memoryview:
    """All bytes of the values, one after the other."""
    filled = pc.fill_null(text, b"")
    if len(filled) == 0:
        return memoryview(b"")
    _, offsets, data = filled.buffers()
    first, last = np.frombuffer(offsets, np.int64)[[filled.offset, filled.offset + len(filled)]]
    return memoryview(data or b"")[first:last]


def write_set(
    folder: Path,
    read: Callable[[Part], pa.RecordBatchReader],
    describe: Callable[[Mapping[Part, int], str], dict[str, Any]],
) -> str:
    """Writes the parts and their manifest to `folder/<digest>`, whole or not at all.

    `read` gives the rows of a part in their order; `describe` makes the manifest from the rows written and their
    hash. Returns the digest, sha256 of the manifest. An equal set that is there already stays.
    """
    with workspace(folder) as temporary:
        written = {part: _write_part(read(part), part_file(temporary, part)) for part in PARTS}
        row_hash = hashlib.sha256("".join(digest for _, digest in written.values()).encode()).hexdigest()
        manifest = describe({part: rows for part, (rows, _) in written.items()}, row_hash)
        text = json.dumps(manifest, indent=1, sort_keys=True, ensure_ascii=False)
        (temporary / MANIFEST).write_text(text, encoding="utf-8")
        digest = hashlib.sha256(text.encode()).hexdigest()
        _settle(temporary, folder / digest)
        return digest


def part_file(folder: Path, part: Part) -> Path:
    return folder / f"{part}.parquet"


def part_writer(file: Path, first: pa.Table) -> pq.ParquetWriter:
    """Writes a part, whose first rows these are, if it has any: a file that is read often, and by nobody else.

    With LZ4 real columns take a tenth more room than with Zstandard, and three quarters to half of the time to read.
    Numbers that are nearly all different are written as they are: a dictionary of them makes a file a quarter larger,
    and takes three times as long to write.
    """
    return pq.ParquetWriter(file, first.schema, compression="lz4", use_dictionary=_repeating(first))


def _repeating(rows: pa.Table) -> list[str]:
    """Columns of numbers and times that have each value twice or more, on average, and all of other kinds."""
    counted = {
        name: pc.count_distinct(rows.column(name), "all").as_py()
        for name, kind in zip(rows.schema.names, rows.schema.types, strict=True)
        if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_timestamp(kind)
    }
    return [name for name in rows.schema.names if 2 * counted.get(name, 0) <= rows.num_rows]


def _write_part(reader: pa.RecordBatchReader, file: Path) -> tuple[int, str]:
    hashed = RowHash(reader.schema)
    rows = 0
    first = list(islice(reader, 1))
    with part_writer(file, pa.Table.from_batches(first, reader.schema)) as writer:
        for batch in chain(first, reader):
            writer.write_batch(batch)
            hashed.update(batch)
            rows += batch.num_rows
    return rows, hashed.hexdigest()


def _settle(temporary: Path, final: Path) -> None:
    """Flushes the files to disk, then gives the folder its name."""
    for file in temporary.iterdir():
        sync(file)
    sync(temporary)
    if not (final / MANIFEST).exists():
        temporary.rename(final)
        sync(final.parent)
