"""`python -P -m pipeline.predictions.take HOME`: what was logged and labelled since the last time into the lake, once.

A program of its own, because the daemon that starts it loads nothing that writes the lake. Of two at once one waits for
the other. It may be killed at any moment: rows and place are one commit. Then the tables are put in order. Prints what
it took and what it let go of, by model, as JSON.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from pipeline.labels.ingest import Taken
from pipeline.labels.ingest import ingest as ingest_labels
from pipeline.predictions.ingest import Ingested, forget, ingest
from pipeline.predictions.segments import segments
from pipeline.predictions.tidy import tidy
from store.errors import TrainshedError
from store.home import Home, ServingDir

_NICENESS: Final = 10
"""Those who answer requests come first."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        "pipeline.predictions.take", description="Logged predictions and labels into the lake."
    )
    parser.add_argument("home", type=Path)
    parser.add_argument("--keep", type=float, default=0.0, help="seconds that a segment stays once it is in the lake")
    parser.add_argument("--keep-rows", type=float, help="seconds that rows stay in the lake; for ever if not said")
    parser.add_argument("--disk", type=int, default=0, help="bytes of a model's segments, of which half may stay")
    asked = parser.parse_args(argv)
    with suppress(OSError):
        os.nice(_NICENESS)
    home = Home(asked.home)
    with alone(home.serving):
        now = datetime.now(UTC)
        taken = take(home, keep=timedelta(seconds=asked.keep), disk=asked.disk, now=now)
        rows = None if asked.keep_rows is None else timedelta(seconds=asked.keep_rows)
        print(json.dumps({**taken, "tidied": put_in_order(home, keep=rows, now=now)}))
    return 0


def take(home: Home, *, keep: timedelta, disk: int, now: datetime) -> dict[str, Any]:
    """{"predictions": {model: {"rows", "dropped", "damaged"}}, "labels": {model: {"new", "restated", "repeated",
    "damaged"}}}; and "fault" beside them where the rest could not be had: the others go on."""
    return {
        "predictions": {
            folder.name: _take(ingest, folder, home.predictions(folder.name), keep, disk, now)
            for folder in _folders(home.serving.predictions_root)
        },
        "labels": {
            folder.name: _take(ingest_labels, folder, home.labels(folder.name), keep, disk, now)
            for folder in _folders(home.serving.labels_root)
        },
    }


def put_in_order(home: Home, *, keep: timedelta | None, now: datetime) -> dict[str, Any]:
    """{"predictions": {model: {"forgotten", "joined", "removed"}}, "labels": the same}, or "fault" where it failed.

    `keep`: how long rows stay, None: for ever. Tables of models that are served no more are put in order too.
    """
    return {
        "predictions": {one.name: _tidied(one, "at", keep, now) for one in _folders(home.predictions("any").parent)},
        "labels": {one.name: _tidied(one, "arrived", keep, now) for one in _folders(home.labels("any").parent)},
    }


def _tidied(table: Path, column: str, keep: timedelta | None, now: datetime) -> dict[str, Any]:
    try:
        return asdict(tidy(table, column, keep, now))
    except (TrainshedError, OSError) as error:
        return {"fault": str(error)}


def _folders(root: Path) -> list[Path]:
    return sorted(path for path in root.glob("*") if path.is_dir())


def _take(
    part: Callable[[Path, Path], Ingested | Taken], folder: Path, table: Path, keep: timedelta, disk: int, now: datetime
) -> dict[str, Any]:
    """What all parts took together, up to the first with room left: while requests come, there is none without rows."""
    total: Counter[str] = Counter()
    full = True
    try:
        while full:
            found = asdict(part(folder, table))
            full = found.pop("full")
            del found["version"]
            total.update(found)  # also with zeros, so that every count is said
        forget(folder, table, keep=keep, now=now)
        if sum(path.stat().st_size for path in segments(folder)) > disk / 2:
            forget(folder, table, keep=timedelta(0), now=now)
    except (TrainshedError, OSError) as error:
        return {**total, "fault": str(error)}
    return dict(total)


@contextmanager
def alone(folder: ServingDir) -> Iterator[None]:
    """One at a time in a home."""
    folder.predictions_root.mkdir(mode=0o700, parents=True, exist_ok=True)
    with folder.predictions_lock.open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    sys.exit(main())
