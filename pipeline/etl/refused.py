"""`python -P -m pipeline.etl.refused TABLE`: rows of a quarantine table as JSON, the newest first.

A program of its own, because the daemon that asks for it loads nothing that reads the lake. Somebody waits for its
answer, so it reads the files by DuckDB alone: Arrow would be four fifths of the time.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC
from pathlib import Path
from typing import Any, Final

from duckdb import DuckDBPyConnection

from pipeline.tables import kept
from pipeline.tables.duck import connect
from pipeline.tables.plain import plain
from pipeline.tables.sqltext import identifier, literal
from store.lakefiles import live_files

_ZONED: Final = "TIMESTAMP WITH TIME ZONE"


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("pipeline.etl.refused", description="Rows of a quarantine table as JSON.")
    parser.add_argument("table", type=Path, help="folder of the Delta table")
    parser.add_argument("--run", type=int, help="only what this run kept apart")
    parser.add_argument("--check", help="only what this check threw out")
    parser.add_argument("--limit", type=int, default=50, help="at most so many rows")
    asked = parser.parse_args(argv)
    print(json.dumps(refused(asked.table, run=asked.run, check=asked.check, limit=asked.limit)))
    return 0


def refused(table: Path, *, run: int | None, check: str | None, limit: int) -> dict[str, Any]:
    """{"total": rows that match, "rows": [{"checks", "run", "at", "values"}]}; nothing when there is no such table."""
    files = live_files(table)
    if not files:
        return {"total": 0, "rows": []}
    conditions = ["TRUE"]
    conditions += [f"{kept.RUN} = {int(run)}"] if run is not None else []
    conditions += [f"list_contains({kept.CHECKS}, {literal(check)})"] if check is not None else []
    # Files from before a column was there lack it.
    listed = ", ".join(literal(str(file)) for file in files)
    matching = f"FROM read_parquet([{listed}], union_by_name = true) WHERE {' AND '.join(conditions)}"
    with closing(connect(readable=files)) as connection:
        ((total,),) = connection.execute(f"SELECT count(*) {matching}").fetchall()
        rows = _newest(connection, matching, int(limit))
    return {"total": int(total), "rows": [_row(values) for values in rows]}


def _newest(connection: DuckDBPyConnection, matching: str, limit: int) -> list[dict[str, Any]]:
    types = {name: str(type_) for name, type_, *_ in connection.execute(f"DESCRIBE SELECT * {matching}").fetchall()}
    # DuckDB gives out times with a zone only where pytz is installed; this connection's zone is UTC.
    columns = [f"{identifier(name)}::{type_.replace(_ZONED, 'TIMESTAMP')}" for name, type_ in types.items()]
    newest = f"SELECT {', '.join(columns)} {matching} ORDER BY {kept.AT} DESC, {kept.RUN} DESC LIMIT {limit}"
    zoned = {name for name, type_ in types.items() if type_ == _ZONED}
    return [
        {
            name: value.replace(tzinfo=UTC) if name in zoned and value is not None else value
            for name, value in zip(types, row, strict=True)
        }
        for row in connection.execute(newest).fetchall()
    ]


def _row(values: dict[str, Any]) -> dict[str, Any]:
    shown = {name: plain(value) for name, value in values.items()}
    return {
        "checks": shown[kept.CHECKS],
        "run": shown[kept.RUN],
        "at": shown[kept.AT],
        "values": {name: value for name, value in shown.items() if name not in kept.OWN},
    }


if __name__ == "__main__":
    sys.exit(main())
