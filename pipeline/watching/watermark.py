"""Up to when a prediction log, or the labels of a model, are complete: all that came before that is in the lake."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from pipeline.labels.record import from_line as label_of
from pipeline.predictions.record import from_line
from pipeline.predictions.segments import segments, whole_lines
from store.commits import CURSOR, commit_metadata, newest_version
from store.home import Home

LATE_US: Final = 5_000_000
"""From a request's coming to its line in a segment: it is answered, and waits to be written. What is later still is
found, for the window has other rows then, and is told again."""
_LINES: Final = 1_000_000
"""Bytes."""


def logged_until(home: Home, model: str, now_us: int) -> int:
    """Microseconds since 1970 UTC. Call it before the log is read: what is taken meanwhile is more, and never less."""
    return _until(home.predictions(model), home.serving.predictions(model), now_us, lambda line: from_line(line).at_us)


def labelled_until(home: Home, model: str, now_us: int) -> int:
    """The same of the labels, by their arrival."""
    return _until(home.labels(model), home.serving.labels(model), now_us, lambda line: label_of(line).arrived_us)


def _until(table: Path, folder: Path, now_us: int, moment: Callable[[bytes], int]) -> int:
    said = commit_metadata(table, newest_version(table))
    places: dict[str, int] = json.loads(said.get(CURSOR, "{}"))
    waiting = (_first_at(one, places.get(one.name, 0), moment) for one in segments(folder))
    return min([now_us, *(at_us for at_us in waiting if at_us is not None)]) - LATE_US


def _first_at(segment: Path, offset: int, moment: Callable[[bytes], int]) -> int | None:
    """When the first line that is not in the lake came; None where all are."""
    try:
        return next(_times(segment, offset, moment), None)
    except FileNotFoundError:
        return None  # taken whole, and removed at this moment


def _times(segment: Path, offset: int, moment: Callable[[bytes], int]) -> Iterator[int]:
    for _, line in whole_lines(segment, offset, _LINES):
        try:
            yield moment(line)
        except ValueError:
            continue  # damaged: it will be left out
