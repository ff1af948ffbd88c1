"""`python -P -m pipeline.judging.replay HOME MODEL CANDIDATE LIVE LAST`: a candidate on logged requests, as JSON.

CANDIDATE and LIVE are digests of versions, LIVE is `-` where there is none. Both answer the same inputs, as they were
sent, by the rules of the endpoint; what the candidate would refuse is told instead. A process of its own, because it
loads JAX.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, suppress
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np

from pipeline.judging.replayed import moved, quartered
from pipeline.judging.rival import in_terms_of
from pipeline.judging.strange import learned, strange
from pipeline.labels.joined import ANSWERED, parquet
from pipeline.serving.columns import Columns
from pipeline.serving.executables import settle_jax
from pipeline.serving.refusal import Refusal
from pipeline.tables.duck import connect
from pipeline.trainingset.build import open_training_set
from pipeline.versions.bundle import LoadedBundle, load_bundle
from pipeline.versions.signature import InputColumn
from store.errors import TrainshedError
from store.home import Home
from store.lakefiles import live_files

NICENESS: Final = 10
MOST_ROWS: Final = 50_000
"""Of all requests together; older requests beyond them are left out."""
SHOWN: Final = 3
_FETCHED: Final = 500
_TIMED_ROWS: Final = 64
_TIMES: Final = 30
Row = Mapping[str, Any]


class _Asked:
    """Requests that the log has the inputs of, newest first."""

    def __init__(self) -> None:
        self.requests: list[list[Row]] = []
        self.times: list[int] = []


def replay(home: Home, model: str, candidate: str, live: str | None, last: int) -> dict[str, Any]:
    """What `store.wire.ReplayView` tells of a replay that is done. Raises BundleDamaged."""
    asked = _asked(live_files(home.predictions(model)), last)
    found: dict[str, Any] = {"requests": len(asked.requests)}
    if not asked.requests:
        return found
    found |= {"since": _moment(min(asked.times)), "until": _moment(max(asked.times))}
    new = load_bundle(home.bundle(candidate))
    old = None if live is None else load_bundle(home.bundle(live))
    columns = Columns(new.signature)
    fit, refusals = _admitted(columns, asked.requests)
    found |= {"refused": len(asked.requests) - len(fit), "refusals": refusals}
    rows = [row for request in fit for row in request]
    if not rows:
        return found
    return found | _strange(home, new, columns, rows) | _compared(new, old, rows)


def _asked(files: Sequence[Path], last: int) -> _Asked:
    asked, rows = _Asked(), 0
    if not files:
        return asked
    with closing(connect(readable=files)) as connection:
        kept = f'FROM {parquet(files)} WHERE "inputs" IS NOT NULL AND {ANSWERED}'
        query = f'SELECT epoch_us("at"), "inputs" {kept} ORDER BY "at" DESC, "segment", "offset" DESC LIMIT {int(last)}'
        connection.execute(query)
        while rows < MOST_ROWS and (batch := connection.fetchmany(_FETCHED)):
            for at, inputs in batch:
                request = _rows(json.loads(inputs))
                if request and rows + len(request) <= MOST_ROWS:
                    asked.requests.append(request)
                    asked.times.append(at)
                rows += len(request)
    return asked


def _rows(columns: Mapping[str, Sequence[Any]]) -> list[Row]:
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _admitted(columns: Columns, requests: Sequence[list[Row]]) -> tuple[list[list[Row]], list[str]]:
    """Requests that a version takes; and why it refuses the others, most of them first."""
    fit, reasons = [], Counter[str]()
    for request in requests:
        missing = [name for name in columns.names if name not in request[0]]
        try:
            columns.of_rows(request)
        except Refusal as refusal:
            reasons[f"column {missing[0]} is not in them" if missing else _without_place(refusal.message)] += 1
        else:
            fit.append(request)
    return fit, [f"{count:,} requests: {reason}" for reason, count in reasons.most_common(SHOWN)]


def _without_place(message: str) -> str:
    """A refusal without `row 3, `: the same fault of many requests is one reason."""
    return message.split(", ", 1)[1].partition(":")[0] + " is of another kind" if ", " in message else message


def _strange(home: Home, new: LoadedBundle, columns: Columns, rows: Sequence[Row]) -> dict[str, Any]:
    """What it is asked that it did not learn from; why numbers are held against nothing, where they are not."""
    known, why_not = {}, ""
    training_set = new.lineage.get("training_set")
    if training_set is None:
        why_not = "it names no training set"
    else:
        try:
            known = learned(open_training_set(home, training_set).file("train"), new.signature)
        except TrainshedError as error:
            why_not = error.what
    found = strange(new.signature, columns.of_rows(rows), rows, known)
    return {"strange": [asdict(one) for one in found], "no_ranges": why_not}


def _compared(new: LoadedBundle, old: LoadedBundle | None, rows: list[Row]) -> dict[str, Any]:
    columns = Columns(new.signature)
    if old is None:
        return {"rows": len(rows), "latency_ms": _milliseconds([(new, columns.of_rows(rows[:_TIMED_ROWS]))])[0]}
    if (old.signature.task == "regression") != (new.signature.task == "regression"):
        return {"rows": len(rows), "why_not": f"the live version answers a {old.signature.task} task"}
    before = Columns(old.signature)
    both = [row for row in rows if all(name in row for name in before.names)]
    if not both:
        return {"rows": len(rows), "why_not": "no logged request has all columns of the live version"}
    try:
        theirs = before.of_rows(both)
    except Refusal as refusal:
        return {"rows": len(rows), "why_not": f"the live version takes these rows no more: {refusal.message}"}
    ours = columns.of_rows(both)
    answers = in_terms_of(new.signature, old.signature, old.scores(*theirs)), new.scores(*ours)
    slices = {column.name: _words(column, both) for column in new.signature.inputs}
    pairs = [(new, tuple(part[:_TIMED_ROWS] for part in ours)), (old, tuple(part[:_TIMED_ROWS] for part in theirs))]
    took = _milliseconds(pairs)
    said = asdict(moved(*answers, new.signature.classes, slices))
    return {"latency_ms": took[0], "live_latency_ms": took[1], **said}


def _words(column: InputColumn, rows: Sequence[Row]) -> list[str]:
    if column.kind == "numeric":
        return quartered([row[column.name] for row in rows])
    return ["none" if row[column.name] is None else str(row[column.name])[:60] for row in rows]


def _milliseconds(pairs: Sequence[tuple[LoadedBundle, Any]]) -> list[float]:
    """Median of a run over up to 64 rows, of each in turn, once they are warm."""
    times: list[list[float]] = [[] for _ in pairs]
    for turn in range(_TIMES + 1):
        for (bundle, encoded), took in zip(pairs, times, strict=True):
            began = time.perf_counter()
            bundle.scores(*encoded)
            if turn:
                took.append(time.perf_counter() - began)
    return [round(float(np.median(took)) * 1e3, 4) for took in times]


def _moment(at_us: int) -> str:
    return datetime.fromtimestamp(at_us / 1e6, UTC).isoformat()


def _arguments(argv: Sequence[str]) -> Iterator[Any]:
    home, model, candidate, live, last = argv
    yield from (Home(Path(home)), model, candidate, None if live == "-" else live, int(last))


def main(argv: Sequence[str] | None = None) -> int:
    with suppress(OSError):
        os.nice(NICENESS)
    settle_jax()
    try:
        print(json.dumps(replay(*_arguments(sys.argv[1:] if argv is None else argv))))
    except TrainshedError as error:
        print(json.dumps({"fault": error.what}))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
