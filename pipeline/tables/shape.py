"""Shaping: from datasets to a new table, by DuckDB SQL or a Python function. Arrow in, Arrow out.

SQL sees its inputs and nothing else: no files, no network, no Python variables, so equal inputs give equal results.
Its clock is UTC whatever the machine's zone is.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import duckdb
import pyarrow as pa
import pyarrow.dataset as pads

from pipeline import plugins
from pipeline.config import Project
from pipeline.config.datasets import Made
from pipeline.tables.arrow import lake_type, naive_times, to_lake
from pipeline.tables.duck import connect
from pipeline.tables.sqltext import identifier
from store.errors import ProjectError, StorageError, TrainshedError

BATCH_ROWS: Final = 65_536

_NARROWED: Final = {
    "HUGEINT": "BIGINT",  # what sum() of integers gives
    "UHUGEINT": "BIGINT",
    "UBIGINT": "BIGINT",
    "UINTEGER": "BIGINT",
    "USMALLINT": "INTEGER",
    "UTINYINT": "SMALLINT",
    "TIME": "VARCHAR",
    "TIME WITH TIME ZONE": "VARCHAR",
    "UUID": "VARCHAR",
    "BIT": "VARCHAR",
}
"""DuckDB types that the lake does not have → the type they are stored as; a value that does not fit is an error."""
_NAIVE: Final = re.compile(r"TIMESTAMP(_S|_MS|_NS)?")


def shape(project: Project, made: Made, inputs: Mapping[str, pads.Dataset]) -> pa.RecordBatchReader:
    """The rows that `made.sql` or `made.python` makes from the inputs; with neither, the only input as it is.

    Lazy: rows are computed as they are read. Raises ProjectError naming the file for wrong SQL, a failing
    function, or times without a zone.
    """
    if made.sql is not None:
        text, where = sql_text(project.root, made.sql)
        return _by_sql(text, where, inputs)
    if made.python is not None:
        return _by_function(project, made.python, inputs)
    (only,) = inputs.values()
    return pa.RecordBatchReader.from_batches(only.schema, only.to_batches(batch_size=BATCH_ROWS))


def sql_text(root: Path, sql: str) -> tuple[str, str]:
    """The SQL itself and where it stands: `sql` is text, or the path of a `.sql` file in the project."""
    if not re.fullmatch(r"\S+\.sql", sql.strip()):
        return sql, "sql"
    file = plugins.inside(root, sql.strip(), "sql")
    try:
        return file.read_text(encoding="utf-8"), str(file)
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not UTF-8 text"
        raise ProjectError(
            f"the SQL file cannot be read: {reason}", where=str(file), remedy="write it, or correct the path"
        ) from None


def code_text(project: Project, made: Made) -> str:
    """The text of the SQL, or of the Python file, that makes the table: part of its fingerprint."""
    if made.sql is not None:
        return sql_text(project.root, made.sql)[0]
    if made.python is not None:
        plugins.load_function(project.root, made.python)
        return (project.root / made.python.partition(":")[0]).read_text(encoding="utf-8")
    return ""


def _by_sql(text: str, where: str, inputs: Mapping[str, pads.Dataset]) -> pa.RecordBatchReader:
    connection = connect()
    for name, dataset in inputs.items():
        connection.register(name, dataset)
    try:
        relation = _relation(connection, text, where)
        reader = relation.project(_projection(relation, where)).to_arrow_reader(BATCH_ROWS)
    except duckdb.Error as error:
        raise sql_fault(error, where, list(inputs)) from None
    schema = pa.schema([pa.field(f.name, lake_type(f.type)) for f in reader.schema])
    return pa.RecordBatchReader.from_batches(schema, _translated(connection, reader, schema, where, list(inputs)))


def _relation(connection: duckdb.DuckDBPyConnection, text: str, where: str) -> duckdb.DuckDBPyRelation:
    # mypy takes `sql` for never None, yet a statement without a result gives None.
    relation: duckdb.DuckDBPyRelation | None = connection.sql(text)
    if relation is None:
        raise ProjectError("the SQL has no result", where=where, remedy="end it with a SELECT")
    return relation


def _projection(relation: duckdb.DuckDBPyRelation, where: str) -> str:
    """The result's columns, narrowed to types that the lake has."""
    columns = list(zip(relation.columns, (str(t) for t in relation.types), strict=True))
    _refuse_twins([name for name, _ in columns], where)
    naive = [name for name, kind in columns if _NAIVE.fullmatch(kind)]
    if naive:
        raise naive_fault(naive, where)
    strange = [f"{name} {kind}" for name, kind in columns if kind == "INTERVAL"]
    if strange:
        raise ProjectError(
            f"an interval cannot be stored: {', '.join(strange)}",
            where=where,
            remedy="turn it into a number, such as epoch(…) for seconds",
        )
    return ", ".join(_column(name, kind) for name, kind in columns)


def _column(name: str, kind: str) -> str:
    target = "VARCHAR" if kind.startswith("ENUM(") else _NARROWED.get(kind)
    return f"CAST({identifier(name)} AS {target}) AS {identifier(name)}" if target else identifier(name)


def _refuse_twins(names: list[str], where: str) -> None:
    lower = [name.lower() for name in names]
    twins = sorted({name for name in names if lower.count(name.lower()) > 1})
    if twins:
        raise ProjectError(
            f"two columns have the same name (upper and lower case are one): {', '.join(twins)}",
            where=where,
            remedy="name the columns of the SELECT, and give each its own name with AS",
        )


def naive_fault(columns: list[str], where: str) -> ProjectError:
    """The refusal of times without a zone in a result."""
    return ProjectError(
        f"times without a zone in {', '.join(columns)}",
        where=where,
        remedy=f"say which zone they are in, such as {columns[0]} AT TIME ZONE 'UTC' AS {columns[0]}",
    )


def sql_fault(error: duckdb.Error, where: str, inputs: list[str]) -> TrainshedError:
    """DuckDB's message with its place; a full disk or memory is a fault of the machine, not of the SQL."""
    message = str(error).strip()
    if isinstance(error, duckdb.OutOfMemoryException | duckdb.IOException):
        return StorageError(message, where=where, remedy="free memory and disk space, or let the query do less at once")
    return ProjectError(message, where=where, remedy=f"mend the SQL; it can read: {', '.join(inputs) or 'nothing'}")


def _translated(
    connection: duckdb.DuckDBPyConnection,
    reader: pa.RecordBatchReader,
    schema: pa.Schema,
    where: str,
    inputs: list[str],
) -> Iterator[pa.RecordBatch]:
    """The reader's batches; what DuckDB says while it computes them is a fault of the SQL."""
    try:
        for batch in reader:
            yield batch.cast(schema)
    except duckdb.Error as error:
        raise sql_fault(error, where, inputs) from None
    except OSError as error:
        # An Arrow stream has room for a message only: what DuckDB raised inside arrives as a plain IO error.
        raise ProjectError(
            str(error).strip(), where=where, remedy=f"mend the SQL; it can read: {', '.join(inputs)}"
        ) from None
    finally:
        connection.close()


def _by_function(project: Project, reference: str, inputs: Mapping[str, pads.Dataset]) -> pa.RecordBatchReader:
    function = plugins.load_function(project.root, reference)
    tables = {name: dataset.to_table() for name, dataset in inputs.items()}
    result: Any = plugins.call(function, tables, where=reference)
    if not isinstance(result, pa.Table | pa.RecordBatch | pa.RecordBatchReader):
        raise ProjectError(
            f"it returned a {type(result).__name__}, not an Arrow table",
            where=reference,
            remedy="return a pyarrow.Table or a pyarrow.RecordBatchReader",
        )
    if isinstance(result, pa.RecordBatch):
        result = pa.table(result)
    _refuse_twins(list(result.schema.names), reference)
    naive = naive_times(result.schema)
    if naive:
        raise ProjectError(
            f"times without a zone in {', '.join(naive)}",
            where=reference,
            remedy="give them one, such as pyarrow.compute.assume_timezone(column, 'UTC')",
        )
    return to_lake(result)
