"""`python -P -m pipeline.etl.refused TABLE`: rows of a quarantine table as JSON, the newest first.

A program of its own, because the daemon that asks for it loads nothing that reads the lake.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, Final

from pipeline.tables import kept
from pipeline.tables.describe import sample_of
from pipeline.tables.shape import connect
from pipeline.tables.sqltext import literal
from store import lake

_RELATION: Final = "quarantine"


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
    if lake.latest(table) is None:
        return {"total": 0, "rows": []}
    conditions = ["TRUE"]
    conditions += [f"{kept.RUN} = {int(run)}"] if run is not None else []
    conditions += [f"list_contains({kept.CHECKS}, {literal(check)})"] if check is not None else []
    matching = f"FROM {_RELATION} WHERE {' AND '.join(conditions)}"
    with closing(connect()) as connection:
        connection.register(_RELATION, lake.dataset_at(table))
        ((total,),) = connection.sql(f"SELECT count(*) {matching}").fetchall()
        newest = f"SELECT * {matching} ORDER BY {kept.AT} DESC, {kept.RUN} DESC LIMIT {int(limit)}"
        found = connection.sql(newest).to_arrow_table()
    return {"total": int(total), "rows": [_row(values) for values in sample_of(found)]}


def _row(values: dict[str, Any]) -> dict[str, Any]:
    return {
        "checks": values[kept.CHECKS],
        "run": values[kept.RUN],
        "at": values[kept.AT],
        "values": {name: value for name, value in values.items() if name not in kept.OWN},
    }


if __name__ == "__main__":
    sys.exit(main())
