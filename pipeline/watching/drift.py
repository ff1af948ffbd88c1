"""`python -P -m pipeline.watching.drift HOME MODEL`: has what a version is asked moved away from what it learned? JSON.

A program of its own, because the daemon that asks for it loads neither Arrow nor NumPy; JAX too, the first time a
version is asked about. It reads the log's newest rows, at most 30,000, in up to three windows of equal size.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from pipeline.stats.discovery import corrected
from pipeline.watching.logged import OUTPUT, Logged, newest_rows
from pipeline.watching.measures import Measures, measures
from pipeline.watching.numbers import NumberProfile
from pipeline.watching.profile import Profile, Profiles, cells_of, profile, together
from pipeline.watching.reference import inputs_of, output_of, reference, signature_of
from pipeline.watching.verdict import Rules, Verdict, decided
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
    before = reference(home, digest, training_set)
    columns = _judged(before, _profiled(logged, before, size, count), rules, output)
    return {**found, **_whole(columns), "since": _moment(min(used)), "until": _moment(max(used)), "columns": columns}


def windows_of(rows: int, rules: Rules) -> tuple[int, int]:
    """(rows of a window, windows): as large as they can be, and none below the floor. What is left over is older."""
    size = max(rules.least_rows, rows // rules.windows)
    return size, min(rules.windows, rows // size)


def _profiled(logged: Logged, before: Profiles, size: int, count: int) -> list[dict[str, Profile]]:
    """Of each window, oldest first."""
    cells = cells_of(before)
    parts = (logged.table.slice(place * size, size) for place in reversed(range(count)))
    return [profile(cells, part.to_batches()) for part in parts]


def _judged(
    before: Profiles, windows: Sequence[Mapping[str, Profile]], rules: Rules, output: str
) -> list[dict[str, Any]]:
    """What `store.wire.DriftColumn` tells of each, drifted ones first."""
    whole = {name: _together([one[name] for one in windows]) for name in before}
    overall = {name: measures(before[name], whole[name]) for name in before}
    chances = dict(zip(overall, _corrected([one.chi_square_p for one in overall.values()]), strict=True))
    found = []
    for name, reference_profile in before.items():
        verdict = decided([measures(reference_profile, one[name]) for one in windows], rules)
        found.append(
            {
                "name": output if name == OUTPUT else name,
                "subject": "prediction" if name == OUTPUT else "feature",
                "kind": "numeric" if isinstance(reference_profile, NumberProfile) else "categorical",
                **_told(verdict),
                **_notes(overall[name], chances[name]),
                "mean": _mean(whole[name]),
                "reference_mean": _mean(reference_profile),
            }
        )
    order = {"drifted": 0, "steady": 1, "not yet": 2}
    return sorted(found, key=lambda one: order[one["state"]])


def _told(verdict: Verdict) -> dict[str, Any]:
    said = [asdict(one) for one in verdict.findings]
    return {"state": verdict.answer, "reason": verdict.reason, "measures": said}


def _notes(overall: Measures, chance: float | None) -> dict[str, Any]:
    names = ("jensen_shannon", "hellinger", "missing", "reference_missing", "new", "reference_new", "examples")
    return {**{name: getattr(overall, name) for name in names}, "chi_square_p": chance}


def _whole(columns: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    drifted = [one["name"] for one in columns if one["state"] == "drifted"]
    if drifted:
        return {
            "state": "drifted",
            "reason": f"{len(drifted)} of {len(columns)} columns have drifted: {', '.join(drifted)}",
        }
    unknown = sum(one["state"] == "not yet" for one in columns)
    if unknown == len(columns):
        return {"state": "not yet", "reason": columns[0]["reason"]}
    said = f"none of {len(columns) - unknown} columns has drifted"
    return {"state": "steady", "reason": said + (f"; of {unknown} nothing can be said" if unknown else "")}


def _corrected(chances: Sequence[float | None]) -> Iterator[float | None]:
    """For many columns at once."""
    found = iter(corrected([one for one in chances if one is not None]).tolist())
    return (None if one is None else next(found) for one in chances)


def _together(parts: Sequence[Profile]) -> Profile:
    first, *rest = parts
    for one in rest:
        first = together(first, one)
    return first


def _mean(one: Profile) -> float | None:
    return one.mean if isinstance(one, NumberProfile) and math.isfinite(one.mean) else None


def _moment(at_us: int) -> str:
    return datetime.fromtimestamp(at_us / 1e6, UTC).isoformat()


if __name__ == "__main__":
    sys.exit(main())
