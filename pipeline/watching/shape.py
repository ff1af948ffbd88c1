"""`python -P -m pipeline.watching.shape HOME PROJECT MONITOR`: what a column of a window looked like, beside what it is
held against. JSON.

A program of its own, because the daemon that asks for it loads neither Arrow nor NumPy. Both are read from the profiles
that are kept, as a backtest does; on standard input it is given what the record knows of the windows.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import numpy as np
from pydantic import TypeAdapter

from pipeline.config import load_project
from pipeline.config.monitors import MonitorSection
from pipeline.config.references import nearest
from pipeline.config.watched import monitor_of
from pipeline.process.spec import KnownWindow, MonitorFacts
from pipeline.stats.measured import Floats
from pipeline.watching.backtest import full_of
from pipeline.watching.held import Held
from pipeline.watching.judged import shown_as
from pipeline.watching.numbers import SPECIAL, NumberProfile
from pipeline.watching.profile import Profile
from pipeline.watching.rowassessor import vectors_of
from pipeline.watching.subjects import subjects_of
from pipeline.watching.sums import FARTHEST
from pipeline.watching.words import WordProfile
from store.errors import NotFound, TrainshedError
from store.home import Home

STRETCHES: Final = 40
"""Into which numbers are laid: as many as a screen can draw."""
WORDS: Final = 20
_TAIL: Final = 0.005
"""Share of either side's rows that may lie beyond the outermost stretches."""
_NICENESS: Final = 10


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser("pipeline.watching.shape", description="A column beside what it is held against.")
    parser.add_argument("home", type=Path)
    parser.add_argument("project", type=Path)
    parser.add_argument("monitor")
    parser.add_argument("--column", required=True)
    parser.add_argument("--version", type=int, required=True, help="that answered; 0 of a dataset")
    parser.add_argument("--start", type=int, required=True, help="of the window, microseconds since 1970 UTC")
    asked = parser.parse_args(argv)
    with suppress(OSError):
        os.nice(_NICENESS)
    try:
        facts = TypeAdapter(MonitorFacts).validate_json(sys.stdin.read())
        section = monitor_of(load_project(asked.project), asked.monitor)
        found = shape(
            Home(asked.home), asked.monitor, section, facts, asked.column, version=asked.version, start_us=asked.start
        )
        print(json.dumps(found, allow_nan=False))
    except TrainshedError as error:
        print(json.dumps({"fault": {"what": error.what, "where": error.where, "remedy": error.remedy}}))
        return error.exit_code
    return 0


def shape(
    home: Home,
    monitor: str,
    section: MonitorSection,
    facts: MonitorFacts,
    column: str,
    *,
    version: int,
    start_us: int,
) -> dict[str, Any]:
    """What `store.wire.ShapeView` tells, without names and times. Raises NotFound, BundleDamaged, SchemaChanged."""
    known = sorted((one for one in facts.windows if one.version == version), key=lambda one: one.end_us)
    place = next((place for place, one in enumerate(known) if one.start_us == start_us), None)
    if place is None:
        raise NotFound(
            f"the record has no such window of {monitor}",
            where=f"version {version}, start {start_us}",
            remedy=f"`trainshed monitors show {monitor}` lists those that it has",
        )
    before, now = _pair(home, monitor, section, facts, known, place, column)
    if isinstance(before, NumberProfile) and isinstance(now, NumberProfile):
        return of_numbers(before, now)
    assert isinstance(before, WordProfile)
    assert isinstance(now, WordProfile)
    return of_words(before, now)


def _pair(
    home: Home,
    monitor: str,
    section: MonitorSection,
    facts: MonitorFacts,
    known: Sequence[KnownWindow],
    place: int,
    column: str,
) -> tuple[Profile, Profile]:
    windows = [full_of(one) for one in known]
    wanted = [one for one in facts.versions if one.version == known[place].version]
    for subject in subjects_of(home, monitor, section, wanted, known[-1].end_us):
        basis = subject.basis(windows)
        if column in vectors_of(basis):
            raise NotFound(
                f"{column} is of vectors: it has no distribution that could be drawn",
                where="column",
                remedy=f"`trainshed monitors show {monitor} --column {column}` shows how far it has moved",
            )
        compared = Held(section, basis, subject.number, windows).compared(place)
        if compared is None:
            break
        before, now = compared
        names = {shown_as(name, subject.output): name for name in now}
        if column not in names:
            raise NotFound(
                f"{monitor} watches no column {column!r}{nearest(column, names)}",
                where="column",
                remedy=f"`trainshed monitors show {monitor}` lists them",
            )
        return before[names[column]], now[names[column]]
    raise NotFound(
        "this window has nothing that it could be held against yet",
        where=f"monitor {monitor}",
        remedy=f"its reference is {section.held_against}: look at a later window",
    )


# ---- numbers ---------------------------------------------------------------------------------------------------------


def of_numbers(before: NumberProfile, now: NumberProfile) -> dict[str, Any]:
    """Over stretches of equal length; or a part a value, where the reference has few."""
    edges = before.cells.edges
    values = edges[1:]
    if before.cells.points and len(values) <= STRETCHES:
        parts = _points(values, before, now)
    else:
        parts = _stretches(before, now)
    infinite = [int(one.counts[-len(SPECIAL) : -2].sum()) for one in (now, before)]
    return _told("numeric", before, now, parts, infinite)


def _points(values: Floats, before: NumberProfile, now: NumberProfile) -> list[dict[str, Any]]:
    """The cell of each value; what is below and above all, with the nearest of them."""
    shares = []
    for one in (before, now):
        counts = one.finite.astype(np.float64)
        inner = counts[1:-1] if len(counts) > 1 else counts[:0]
        if len(inner):
            inner[0] += counts[0]
            inner[-1] += counts[-1]
        shares.append(inner / max(1, one.rows))
    return [
        {"label": f"{value:.6g}", "low": float(value), "high": float(value), "reference": float(b), "current": float(c)}
        for value, b, c in zip(values, *shares, strict=True)
    ]


def _stretches(before: NumberProfile, now: NumberProfile) -> list[dict[str, Any]]:
    """A cell's rows are spread evenly over it."""
    bounds = [_bounds(one) for one in (before, now) if one.finite.any()]
    if not bounds:
        return []
    low, high = min(one[0] for one in bounds), max(one[1] for one in bounds)
    edges = np.linspace(low, high if high > low else low + 1.0, STRETCHES + 1)
    shares = [_spread(one, edges) for one in (before, now)]
    return [
        {"label": "", "low": float(a), "high": float(b), "reference": float(r), "current": float(c)}
        for a, b, r, c in zip(edges, edges[1:], *shares, strict=False)
    ]


def _bounds(one: NumberProfile) -> tuple[float, float]:
    """Where all but a little of its rows lie."""
    upto, edges = _cumulative(one)
    low, high = np.interp([_TAIL, 1.0 - _TAIL], upto, edges)
    return float(low), float(high)


def _spread(one: NumberProfile, edges: Floats) -> Floats:
    """Share of all its rows in each stretch; the outermost have what lies beyond."""
    if not one.finite.any():
        return np.zeros(len(edges) - 1)
    upto, at = _cumulative(one)
    cumulative = np.interp(edges, at, upto)
    cumulative[0], cumulative[-1] = 0.0, 1.0
    return np.diff(cumulative) * (float(one.finite.sum()) / max(1, one.rows))


def _cumulative(one: NumberProfile) -> tuple[Floats, Floats]:
    """Share of the finite values up to each edge, with the lowest and the highest value at the ends."""
    counts = one.finite.astype(np.float64)
    inner = one.cells.edges
    edges = np.concatenate(([min(one.lowest, *inner[:1])], inner, [max(one.highest, *inner[-1:])]))
    upto = np.concatenate(([0.0], np.cumsum(counts))) / counts.sum()
    return upto, _drawable(np.maximum.accumulate(edges))


def _drawable(edges: Floats) -> Floats:
    """What no picture shows would overflow what it is drawn with."""
    return np.where(np.abs(edges) < 1 / FARTHEST, 0.0, np.clip(edges, -FARTHEST, FARTHEST))


# ---- words -----------------------------------------------------------------------------------------------------------


def of_words(before: WordProfile, now: WordProfile) -> dict[str, Any]:
    """The commonest of both, the most common first."""
    words = before.cells.words
    shares = [one.counts[: len(words)] / max(1, one.rows) for one in (before, now)]
    most = np.argsort(-np.maximum(*shares), kind="stable")[:WORDS]
    parts = [
        {
            "label": words[place],
            "low": None,
            "high": None,
            "reference": float(shares[0][place]),
            "current": float(shares[1][place]),
        }
        for place in most
    ]
    return _told("categorical", before, now, parts, [now.others, before.others])


def _told(
    kind: str, before: Profile, now: Profile, parts: list[dict[str, Any]], others: Sequence[int]
) -> dict[str, Any]:
    return {
        "kind": kind,
        "rows": now.rows,
        "reference_rows": before.rows,
        "parts": parts,
        "missing": now.missing / max(1, now.rows),
        "reference_missing": before.missing / max(1, before.rows),
        "others": float(others[0]) / max(1, now.rows),
        "reference_others": float(others[1]) / max(1, before.rows),
    }


if __name__ == "__main__":
    sys.exit(main())
