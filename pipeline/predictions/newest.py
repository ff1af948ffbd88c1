"""`python -P -m pipeline.predictions.newest TABLE`: the newest logged predictions of a model as JSON.

A program of its own, because the daemon that asks for it loads nothing that reads the lake; by DuckDB alone, because
somebody waits for its answer.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pipeline.tables.duck import connect
from pipeline.tables.plain import plain
from pipeline.tables.sqltext import identifier, literal
from store.commits import commit_metadata
from store.lakefiles import live_files

SHOWN_ROWS: Final = 10
"""Of a request, values of so many rows are told; the table has all."""
_COLUMNS: Final = ("request", "version", "why", "unit", "epoch", "latency_us", "status", "inputs", "outputs")
_DROPPED, _DAMAGED = "trainshed.dropped", "trainshed.damaged"
"""As in `pipeline.predictions.ingest`, which is dear to load; a test holds them together."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("pipeline.predictions.newest", description="The newest predictions as JSON.")
    parser.add_argument("table", type=Path, help="folder of the Delta table")
    parser.add_argument("--last", type=int, default=20, help="at most so many")
    asked = parser.parse_args(argv)
    print(json.dumps(newest(asked.table, asked.last)))
    return 0


def newest(table: Path, last: int) -> dict[str, Any]:
    """{"total", "dropped", "damaged", "items": the last requests, the newest first}; zeros where there is no table."""
    files = live_files(table)
    if not files:
        return {"total": 0, "dropped": 0, "damaged": 0, "items": []}
    source = f"FROM read_parquet([{', '.join(literal(str(file)) for file in files)}])"
    with closing(connect(readable=files)) as connection:
        ((total,),) = connection.execute(f"SELECT count(*) {source}").fetchall()
        columns, order = ", ".join(map(identifier, _COLUMNS)), '"at" DESC, "segment", "offset" DESC'
        query = f'SELECT epoch_us("at"), {columns} {source} ORDER BY {order} LIMIT {int(last)}'
        rows = connection.execute(query).fetchall()
    said = commit_metadata(table, _version(table))
    return {
        "total": int(total),
        "dropped": int(said.get(_DROPPED, 0)),
        "damaged": int(said.get(_DAMAGED, 0)),
        "items": [_item(at, dict(zip(_COLUMNS, values, strict=True))) for at, *values in rows],
    }


def _version(table: Path) -> int:
    return max(
        (int(file.stem) for file in (table / "_delta_log").glob("[0-9]*.json") if file.stem.isdigit()), default=0
    )


def _item(at_us: int, values: dict[str, Any]) -> dict[str, Any]:
    inputs, outputs = (None if values[key] is None else json.loads(values[key]) for key in ("inputs", "outputs"))
    return {
        **values,
        "at": datetime.fromtimestamp(at_us / 1e6, UTC).isoformat(),
        "rows": max(map(len, inputs.values()), default=0) if inputs is not None else None,
        "inputs": _begun(inputs),
        "outputs": _begun(outputs),
    }


def _begun(columns: dict[str, list[Any]] | None) -> dict[str, Any] | None:
    """Column → the first of its values."""
    return None if columns is None else {name: plain(values[:SHOWN_ROWS]) for name, values in columns.items()}


if __name__ == "__main__":
    sys.exit(main())
