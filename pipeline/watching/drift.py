"""`python -P -m pipeline.watching.drift HOME MODEL`: has what a version is asked moved away from what it learned? JSON.

A program of its own, because the daemon that asks for it loads neither Arrow nor NumPy; JAX too, the first time a
version is asked about. It reads the log's newest rows, at most 30,000, in up to three windows of equal size.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pipeline.watching.judged import judged, whole_verdict
from pipeline.watching.logged import Logged, newest_rows
from pipeline.watching.profile import Profile, Profiles, cells_of, profile
from pipeline.watching.reference import inputs_of, output_of, reference, signature_of
from pipeline.watching.verdict import Rules
from store.errors import TrainshedError
from store.home import Home
from store.lakefiles import live_files

MOST_ROWS: Final = 30_000
_NICENESS: Final = 10
"""Those who answer requests come first."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("pipeline.watching.drift", description="What a version is asked, against before.")
    parser.add_argument("home", type=Path)
    parser.add_argument("model")
    parser.add_argument("--version", type=int, required=True, help="number of the version, as the log has it")
    parser.add_argument("--digest", required=True, help="of the version")
    parser.add_argument("--training-set", required=True, help="digest of what it learned from")
    parser.add_argument("--since", type=int, default=0, help="microseconds since 1970 UTC; older rows are left out")
    asked = parser.parse_args(argv)
    with suppress(OSError):
        os.nice(_NICENESS)
    home = Home(asked.home)
    try:
        found = drift(home, asked.model, asked.version, asked.digest, asked.training_set, asked.since)
        print(json.dumps(found, allow_nan=False))
    except TrainshedError as error:
        print(json.dumps({"fault": {"what": error.what, "where": error.where, "remedy": error.remedy}}))
        return error.exit_code
    return 0


def drift(
    home: Home, model: str, version: int, digest: str, training_set: str, since_us: int, rules: Rules | None = None
) -> dict[str, Any]:
    """What `store.wire.DriftView` tells, without the model. Without enough rows, no reference is made.

    Raises NotFound without the training set, BundleDamaged.
    """
    rules = rules or Rules()
    signature = signature_of(home, digest)
    output, files = output_of(signature), live_files(home.predictions(model))
    logged = newest_rows(files, version, inputs_of(signature), output, since_us, MOST_ROWS)
    size, count = windows_of(len(logged.at), rules)
    found: dict[str, Any] = {"rows": size * count, "windows": count, "window_rows": size, "columns": []}
    if count < rules.needed:
        some = len(logged.at)
        reason = (
            f"{some:,} rows of version {version} are in the log, and {rules.needed * rules.least_rows:,} are needed"
        )
        return {**found, "state": "not yet", "reason": reason, "since": None, "until": None}
    used = logged.at[: size * count]
    before = reference(home, digest, training_set).profiles
    windows = [(before, one) for one in _profiled(logged, before, size, count)]
    columns = judged(windows, rules, output)
    return {
        **found,
        **whole_verdict(columns),
        "since": _moment(min(used)),
        "until": _moment(max(used)),
        "columns": columns,
    }


def windows_of(rows: int, rules: Rules) -> tuple[int, int]:
    """(rows of a window, windows): as large as they can be, and none below the floor. What is left over is older."""
    size = max(rules.least_rows, rows // rules.windows)
    return size, min(rules.windows, rows // size)


def _profiled(logged: Logged, before: Profiles, size: int, count: int) -> list[dict[str, Profile]]:
    """Of each window, oldest first."""
    cells = cells_of(before)
    parts = (logged.table.slice(place * size, size) for place in reversed(range(count)))
    return [profile(cells, part.to_batches()) for part in parts]


def _moment(at_us: int) -> str:
    return datetime.fromtimestamp(at_us / 1e6, UTC).isoformat()


if __name__ == "__main__":
    sys.exit(main())
