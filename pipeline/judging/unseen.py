"""`python -P -m pipeline.judging.unseen HOME MODEL QUESTION`: a new version against the live one on what neither has
learned from, as JSON: the newest labelled window of the prediction log.

A window counts if all of it was asked after the last row that trained or validated the new version. The live version's
answers are those that it gave; the new one answers the same inputs. A process of its own, because it loads JAX.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any, Final, TypedDict

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pipeline.judging.evaluate import ProductionScores, compare_with_production
from pipeline.judging.evidence import Comparison
from pipeline.judging.rival import in_terms_of
from pipeline.trainingset import open_training_set
from pipeline.versions.bundle import LoadedBundle, load_bundle
from pipeline.watching.answers import Answers, answers
from pipeline.watching.reference import inputs_of
from store.errors import SchemaChanged, TrainshedError
from store.home import Home
from store.lakefiles import live_files
from store.times import to_us

NICENESS: Final = 10
MOST_ROWS: Final = 50_000
"""Of a window; of a longer one so many are drawn."""


class Question(TypedDict):
    candidate: str
    """Digest."""
    training_set: str
    """Of the candidate."""
    trained_at: int
    """µs: when its training began, for a model whose examples have no time."""
    live: str
    live_version: int
    windows: list[tuple[int, int]]
    """Newest first, [start, end) in µs: those of the live version that have labels enough, by the record."""
    least_rows: int


def compared(home: Home, model: str, asked: Question) -> dict[str, Any]:
    """`{"why_not": sentence}` while there is no such window; else `since`, `until` (µs), `rows`, `comparison`.

    Raises BundleDamaged, NotFound (its training set is gone).
    """
    learned_until = last_learned(home, asked)
    unseen = [window for window in asked["windows"] if window[0] > learned_until]
    if not unseen:
        return {"why_not": "no window with labels enough lies wholly after what the version has learned from"}
    new, live = load_bundle(home.bundle(asked["candidate"])), load_bundle(home.bundle(asked["live"]))
    for since, until in unseen:
        found = _answered(home, model, new, asked["live_version"], since, until, live)
        if int(found.labelled.sum()) >= asked["least_rows"]:
            comparison = _compared(new, live, found, asked["live_version"], since)
            rows = int(found.labelled.sum())
            said = {"objective": new.evidence.objective, "comparison": comparison.model_dump(mode="json")}
            return {"since": since, "until": until, "rows": rows, **said}
    return {"why_not": f"no window since then has {asked['least_rows']} rows whose label can be read"}


def last_learned(home: Home, asked: Question) -> int:
    """When (µs) the last row was that trained or validated it; those of the test part chose nothing."""
    rows = open_training_set(home, asked["training_set"])
    if rows.time is None:
        return asked["trained_at"]
    ends = [_last(rows.file(part), rows.time) for part in ("train", "validate") if rows.rows[part]]
    return max(ends, default=asked["trained_at"])


def _last(file: Path, time: str) -> int:
    """Rows lie by time: the last group has it."""
    with pq.ParquetFile(file) as opened:
        column = opened.read_row_group(opened.num_row_groups - 1, columns=[time]).column(time)
    newest: datetime = pc.max(column.cast(pa.timestamp("us", "UTC"))).as_py()
    return to_us(newest)


def _answered(
    home: Home, model: str, new: LoadedBundle, live: int, since: int, until: int, old: LoadedBundle
) -> Answers:
    predictions, labels = live_files(home.predictions(model)), live_files(home.labels(model))
    return answers(predictions, labels, live, old.signature, inputs_of(new.signature), since, until, MOST_ROWS)


def _compared(new: LoadedBundle, live: LoadedBundle, found: Answers, number: int, seed: int) -> Comparison:
    """On the labelled rows, in the new version's terms."""
    here = found.labelled
    why_not = _incomparable(new, live, found)
    if why_not:
        return Comparison(version=number, incomparable=why_not)
    try:
        scores = new.predict(found.columns.filter(pa.array(here)))
    except SchemaChanged as error:
        return Comparison(version=number, incomparable=f"the new version cannot answer these rows: {error.what}")
    labels = found.labels[here]
    theirs = in_terms_of(new.signature, live.signature, found.scores[here].astype(np.float32))
    production = ProductionScores(number, theirs)
    task = new.signature.task
    return compare_with_production(task, labels, scores, production, np.random.default_rng(seed))


def _incomparable(new: LoadedBundle, live: LoadedBundle, found: Answers) -> str:
    if new.signature.classes != live.signature.classes or new.signature.task != live.signature.task:
        return "it has other classes than the live version, whose labels these are"
    never = [name for name in found.columns.column_names if found.columns.column(name).null_count == len(found.labels)]
    if never:
        return f"the log has no column {never[0]}, which the new version takes"
    return ""


def main(argv: Sequence[str] | None = None) -> int:
    from pipeline.serving.executables import settle_jax

    with suppress(OSError):
        os.nice(NICENESS)
    settle_jax()
    home, model, question = sys.argv[1:] if argv is None else argv
    try:
        print(json.dumps(compared(Home(Path(home)), model, json.loads(question))))
    except TrainshedError as error:
        print(json.dumps({"fault": error.what}))
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
