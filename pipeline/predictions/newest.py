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

from pipeline.labels.joined import joined, parquet, standing
from pipeline.labels.record import LABEL
from pipeline.tables.duck import connect
from pipeline.tables.plain import plain
from pipeline.tables.sqltext import identifier
from store.commits import commit_metadata, newest_version
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
    parser.add_argument("--labels", type=Path, help="folder of the Delta table of their labels")
    asked = parser.parse_args(argv)
    print(json.dumps(newest(asked.table, asked.last, asked.labels)))
    return 0


def newest(table: Path, last: int, labels: Path | None = None) -> dict[str, Any]:
    """{"total", "dropped", "damaged", "items": the last requests, the newest first}; zeros where there is no table.

    With `labels`, each item has the label that stands and when it arrived, None where there is none.
    """
    files = live_files(table)
    if not files:
        return {"total": 0, "dropped": 0, "damaged": 0, "items": []}
    known = [] if labels is None else live_files(labels)
    with closing(connect(readable=[*files, *known])) as connection:
        ((total,),) = connection.execute(f"SELECT count(*) FROM {parquet(files)}").fetchall()
        rows = connection.execute(_query(files, known, last)).fetchall()
    said = commit_metadata(table, newest_version(table))
    return {
        "total": int(total),
        "dropped": int(said.get(_DROPPED, 0)),
        "damaged": int(said.get(_DAMAGED, 0)),
        "items": [
            {**_item(at, dict(zip(_COLUMNS, values, strict=True))), **_label(value, arrived)}
            for at, value, arrived, *values in rows
        ],
    }


def _query(files: Sequence[Path], known: Sequence[Path], last: int) -> str:
    """Time, label, its arrival, and the columns, newest first."""
    columns, order = ", ".join(map(identifier, _COLUMNS)), '"at" DESC, "segment", "offset" DESC'
    logged = f"FROM {parquet(files)} ORDER BY {order} LIMIT {int(last)}"
    if not known:
        return f'SELECT epoch_us("at"), NULL, NULL, {columns} {logged}'
    named = ", ".join(f"p.{identifier(column)}" for column in _COLUMNS)
    labels = joined(parquet(files), standing(known, LABEL))
    return f"""
        SELECT epoch_us(p."at"), l."value", epoch_us(l."arrived"), {named}
        FROM (SELECT * {logged}) p LEFT JOIN {labels} l USING ("segment", "offset")
        ORDER BY p."at" DESC, "segment", "offset" DESC
    """


def _label(value: str | None, arrived_us: int | None) -> dict[str, Any]:
    if value is None or arrived_us is None:
        return {"label": None, "labelled_at": None}
    return {"label": json.loads(value), "labelled_at": _moment(arrived_us)}


def _item(at_us: int, values: dict[str, Any]) -> dict[str, Any]:
    inputs, outputs = (None if values[key] is None else json.loads(values[key]) for key in ("inputs", "outputs"))
    return {
        **values,
        "at": _moment(at_us),
        "rows": max(map(len, inputs.values()), default=0) if inputs is not None else None,
        "inputs": _begun(inputs),
        "outputs": _begun(outputs),
    }


def _moment(at_us: int) -> str:
    return datetime.fromtimestamp(at_us / 1e6, UTC).isoformat()


def _begun(columns: dict[str, list[Any]] | None) -> dict[str, Any] | None:
    """Column → the first of its values."""
    return None if columns is None else {name: plain(values[:SHOWN_ROWS]) for name, values in columns.items()}


if __name__ == "__main__":
    sys.exit(main())
