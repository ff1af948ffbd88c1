"""`python -P -m pipeline.check --project DIR [--json]`: exit status 0 without a fault, else 1."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from pipeline.check.project import check_project
from store.home import Home


def main() -> int:
    parser = argparse.ArgumentParser(prog="trainshed check", description="Find what is wrong with a project.")
    parser.add_argument("--project", type=Path, default=Path(), metavar="DIR")
    parser.add_argument("--json", action="store_true", help="one JSON document on standard output")
    given = parser.parse_args()
    report = check_project(given.project.resolve(), Home.of_project(given.project))
    print(json.dumps(report.as_json(), indent=2) if given.json else report)
    return 1 if report.faults else 0


if __name__ == "__main__":
    sys.exit(main())
