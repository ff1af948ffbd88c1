"""`python -P -m pipeline.trainingset --project DIR MODEL --since TIME --until TIME --to FILE [--json]`."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from pipeline.config.load import load_project
from store.errors import TrainshedError
from store.home import Home


def main(argv: Sequence[str] | None = None) -> int:
    """Exit status: 0 written, 1 refused or failed, 2 wrong usage."""
    parser = argparse.ArgumentParser("pipeline.trainingset", description="A model's examples between two times.")
    parser.add_argument("model")
    parser.add_argument("--since", type=datetime.fromisoformat, required=True, help="with its offset")
    parser.add_argument("--until", type=datetime.fromisoformat, required=True, help="with its offset; not included")
    parser.add_argument("--to", type=Path, required=True, metavar="FILE", help="Parquet")
    parser.add_argument("--project", type=Path, required=True, metavar="DIR")
    parser.add_argument("--json", action="store_true", dest="as_json", help="one JSON object on standard output")
    given = parser.parse_args(argv)
    try:
        project = load_project(given.project)
        # Only now: they load Arrow, and what was asked for wrongly is to be said at once.
        from pipeline.trainingset.between import Place, write_between

        place = Place(project=project, home=Home.of_project(given.project))
        done = write_between(place, given.model, given.since, given.until, given.to)
    except TrainshedError as error:
        fault = {"code": error.code, "detail": error.what, "where": error.where, "remedy": error.remedy}
        print(json.dumps(fault) if given.as_json else error, file=sys.stdout if given.as_json else sys.stderr)
        return 1
    facts = {"file": str(done.file), "rows": done.rows, "columns": done.columns, "inputs": done.inputs}
    print(json.dumps(facts) if given.as_json else f"{done.rows:,} rows of {len(done.columns)} columns in {done.file}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
