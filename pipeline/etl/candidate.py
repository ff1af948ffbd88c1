"""The candidate: all rows that a run wants to commit, in the contract's schema, in one file that can be read often."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from duckdb import DuckDBPyConnection

from pipeline.tables.arrow import is_number, is_time, lake_column, word_of
from pipeline.tables.calendar import require_calendar
from pipeline.tables.sqltext import identifier, literal
from store.errors import DataError, SchemaChanged

RELATION: Final = "candidate"
_GROUP_ROWS: Final = 131_072


def write(batches: Iterable[pa.RecordBatch], schema: pa.Schema, file: Path, where: str) -> int:
    """Writes the rows as the schema wants them; returns how many. `where`: `datasets.NAME`.

    A column that a batch lacks is missing there; one that the schema lacks is left out. Raises SchemaChanged where
    a value does not fit its column's type, naming the value.
    """
    rows = 0
    with pq.ParquetWriter(file, schema, compression="zstd", compression_level=1) as writer:
        for batch in batches:
            rows += batch.num_rows
            writer.write_batch(conform(batch, schema, where), row_group_size=_GROUP_ROWS)
    return rows


def read_parts(parts: Sequence[Path]) -> Iterator[pa.RecordBatch]:
    """The rows of several Parquet files, in order, a batch at a time."""
    for part in parts:
        with pq.ParquetFile(part) as file:
            yield from file.iter_batches(batch_size=_GROUP_ROWS)


def conform(batch: pa.RecordBatch, schema: pa.Schema, where: str) -> pa.RecordBatch:
    """The batch in exactly this schema. Raises SchemaChanged."""
    present = set(batch.schema.names)
    columns = [
        _conformed(batch.column(field.name), field, where)
        if field.name in present
        else pa.nulls(batch.num_rows, field.type)
        for field in schema
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def register(connection: DuckDBPyConnection, file: Path, *, last_of: Sequence[str] = ()) -> None:
    """Makes the candidate known to DuckDB as the relation `candidate`.

    `last_of`: key columns; of several rows with the same key only the last one stays, as in a merge the newer row
    stands. Raises DataError where a key is missing.
    """
    path = literal(str(file))
    connection.execute(f"CREATE VIEW {RELATION} AS SELECT * FROM read_parquet({path})")
    if not last_of:
        return
    keys = ", ".join(identifier(name) for name in last_of)
    (keyless, twins) = _key_faults(connection, keys, last_of)
    if keyless:
        raise DataError(
            f"{keyless} rows have no value in their key ({', '.join(last_of)}), so they match no row and never will",
            where="key",
            remedy="give every row a key at the source, or leave such rows out by SQL",
        )
    if twins:
        connection.execute(
            f"CREATE OR REPLACE TEMP TABLE last_rows AS SELECT * EXCLUDE (file_row_number) "
            f"FROM read_parquet({path}, file_row_number = true) "
            f"QUALIFY row_number() OVER (PARTITION BY {keys} ORDER BY file_row_number DESC) = 1"
        )
        connection.execute(f"CREATE OR REPLACE VIEW {RELATION} AS SELECT * FROM last_rows")


def leave_known(connection: DuckDBPyConnection, columns: Sequence[str], key: Sequence[str], previous: str) -> bool:
    """Of the candidate only those rows stay that the relation `previous` has not just so; whether there are any.

    `columns`: those of both.
    """
    same = " AND ".join(
        f"c.{identifier(name)} {'=' if name in key else 'IS NOT DISTINCT FROM'} p.{identifier(name)}"
        for name in columns
    )
    connection.execute(f"CREATE TEMP TABLE news AS SELECT * FROM {RELATION} AS c ANTI JOIN {previous} AS p ON {same}")
    connection.execute(f"CREATE OR REPLACE VIEW {RELATION} AS SELECT * FROM news")
    ((rows,),) = connection.execute("SELECT count(*) FROM news").fetchall()
    return bool(rows)


def _key_faults(connection: DuckDBPyConnection, keys: str, names: Sequence[str]) -> tuple[int, int]:
    """Rows without a key, and rows whose key an other row has too."""
    missing = " OR ".join(f"{identifier(name)} IS NULL" for name in names)
    ((keyless, twins),) = connection.execute(
        f"SELECT count(*) FILTER ({missing}), count(*) - count(DISTINCT ({keys})) FROM {RELATION}"
    ).fetchall()
    return int(keyless), int(twins)


def _conformed(column: pa.Array, field: pa.Field, where: str) -> pa.Array:
    made = _cast(column, field, where)
    require_calendar(made, f"{where}.{field.name}")
    return made


def _cast(column: pa.Array, field: pa.Field, where: str) -> pa.Array:
    if column.type == field.type:
        return column
    if is_time(field.type) and is_number(column.type) and column.null_count < len(column):
        raise SchemaChanged(
            f"{column.drop_null()[0]} is a number, and nobody can say whether it counts seconds, milliseconds or days",
            where=f"{where}.{field.name}",
            remedy=f"declare it as {word_of(column.type)}, and make a time of it by SQL, such as to_timestamp(seconds)",
        )
    try:
        return pc.cast(lake_column(column), field.type)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise SchemaChanged(
            f"{_first_misfit(column, field.type)} is not a {word_of(field.type)}",
            where=f"{where}.{field.name}",
            remedy=f"mend it at the source, or declare the column as {word_of(column.type)} in [{where}.columns]",
        ) from None


def _first_misfit(column: pa.Array, wanted: pa.DataType) -> str:
    for value in column:
        try:
            pc.cast(pa.array([value.as_py()], column.type), wanted)
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            return repr(value.as_py())
    return f"a value of type {word_of(column.type)}"
