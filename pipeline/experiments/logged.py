"""Exposures and outcomes of a comparison, read from the prediction log and its labels in the lake.

Units are known by a hash of 64 bits: a comparison of a million units takes some tens of megabytes, however long their
ids are. Two units of a million share one with a probability of 3 in 100 million.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from duckdb import DuckDBPyConnection

from pipeline.experiments.cohort import Exposed
from pipeline.experiments.metrics import ABSOLUTE_ERROR, ERRORS, LABELLED, LATENCY
from pipeline.experiments.reckon import Outcomes
from pipeline.labels.classes import class_of
from pipeline.labels.joined import ANSWERED, joined, parquet, standing
from pipeline.labels.record import LABEL
from pipeline.tables.sqltext import literal

_FETCHED: Final = 1000
_LINES: Final = "lines"
"""Relation of what was asked in the comparison: a request whose unit was assigned, of one of its versions."""
_ONE: Final = "coalesce(TRY_CAST({one} AS DOUBLE), CASE {one} WHEN 'true' THEN 1.0 WHEN 'false' THEN 0.0 END)"
_EACH: Final = f'list_transform(TRY_CAST(l."value" AS VARCHAR[]), lambda one: {_ONE.format(one="one")})'
_NUMBER: Final = f"""coalesce(
    {_ONE.format(one='l."value"')},
    CASE WHEN len({_EACH}) = list_count({_EACH}) THEN list_sum({_EACH}) END
)"""
"""A reward's value: a number, a truth value as 1 or 0, the sum of a list; null for a word, or one in a list."""
_NAMES: Final = ("unit", "at", "value", "arrived")


@dataclass(frozen=True, kw_only=True)
class Span:
    """Which lines of the log are the comparison's."""

    control: int
    treatment: int
    began: datetime
    until: datetime


@dataclass(frozen=True)
class Known:
    """Outcomes of one metric."""

    outcomes: Outcomes
    unreadable: int
    """Labels whose value is no number, no class of the model, or not one for each row of its request."""


def lay_out(connection: DuckDBPyConnection, files: Sequence[Path], span: Span) -> None:
    """Makes the relation that the others read. Its first line is under the routing that the comparison began with.

    Before that all of the units were control's, for the moment in which the record had changed and the workers had not.
    """
    versions = f"({int(span.control)}, {int(span.treatment)})"
    whole = f"""
        SELECT "request", "at", "version", "why", "unit", hash("unit") AS "who", "epoch", "latency_us", "status",
               "outputs", "segment", "offset"
        FROM {parquet(files)}
        WHERE "why" = 'assigned' AND "unit" IS NOT NULL AND "version" IN {versions}
          AND "at" >= {_moment(span.began)} AND "at" < {_moment(span.until)}
    """
    first = f'(SELECT min("epoch") FROM ({whole}) WHERE "version" = {int(span.treatment)})'
    connection.execute(f'CREATE TEMP VIEW {_LINES} AS SELECT * FROM ({whole}) WHERE "epoch" >= coalesce({first}, 0)')


def exposures(connection: DuckDBPyConnection) -> Exposed:
    """Each unit's first, without those that met both versions."""
    found = connection.execute(f"""
        SELECT "who" AS "unit", arg_min("version", "at") AS "arm", epoch_us(min("at")) AS "at",
               count(DISTINCT "version") > 1 AS "crossed"
        FROM {_LINES} GROUP BY "who" ORDER BY "who"
    """).fetchnumpy()
    crossed = np.asarray(found["crossed"], dtype=np.bool_)
    unit, arm, at = (np.asarray(found[name])[~crossed] for name in ("unit", "arm", "at"))
    return Exposed(unit, arm, at.astype("datetime64[us]"), int(crossed.sum()))


def outcomes(connection: DuckDBPyConnection, metric: str, labels: Sequence[Path], classes: Sequence[str]) -> Known:
    """What is known of a metric (see `pipeline.experiments.metrics`). `classes`: of the model, [] for a regression."""
    if metric in (ERRORS, LATENCY):
        value = 'CAST("status" >= 500 AS DOUBLE)' if metric == ERRORS else '"latency_us" / 1000.0'
        return _numbers(connection, f'SELECT "who", epoch_us("at"), {value}, epoch_us("at") FROM {_LINES}')
    if not labels:
        return Known(Outcomes(*_arrays([], [], [], [])), 0)
    if metric in LABELLED:
        return _compared(connection, labels, metric, classes)
    return _numbers(connection, _rewards(standing(labels, metric)))


def _rewards(labels: str) -> str:
    """By unit as they are, by request as of the first request of that id."""
    arrived = 'epoch_us(l."arrived")'
    return f"""
        SELECT hash(l."unit"), epoch_us(l."at"), {_NUMBER}, {arrived} FROM {labels} l WHERE l."unit" IS NOT NULL
        UNION ALL
        SELECT p."who", epoch_us(coalesce(l."at", p."at")), {_NUMBER}, {arrived} FROM {labels} l JOIN
        (SELECT "request", arg_min("who", "at") AS "who", min("at") AS "at" FROM {_LINES} GROUP BY "request") p
        ON p."request" = l."request"
    """


def _numbers(connection: DuckDBPyConnection, query: str) -> Known:
    columns = ", ".join(f'"{name}"' for name in _NAMES)
    found = connection.execute(f"SELECT * FROM ({query}) AS found({columns})").fetchnumpy()
    values = np.ma.filled(np.ma.asarray(found["value"], dtype=np.float64), np.nan)
    good = np.isfinite(values)
    kept = {name: np.asarray(found[name])[good] for name in ("unit", "at", "arrived")}
    return Known(Outcomes(*_arrays(kept["unit"], kept["at"], values[good], kept["arrived"])), int((~good).sum()))


def _compared(connection: DuckDBPyConnection, labels: Sequence[Path], metric: str, classes: Sequence[str]) -> Known:
    """Answers against their labels, one by one: of a batch at a time nothing but numbers is kept."""
    heard = f"(SELECT * FROM {_LINES} WHERE {ANSWERED})"
    connection.execute(f"""
        SELECT p."who", epoch_us(p."at"), epoch_us(l."arrived"), p."outputs", l."value"
        FROM {heard} p JOIN {joined(heard, standing(labels, LABEL))} l USING ("segment", "offset")
        WHERE p."outputs" IS NOT NULL
    """)
    unit, at, values, arrived = array("Q"), array("q"), array("d"), array("q")
    unreadable = 0
    while batch := connection.fetchmany(_FETCHED):
        for who, asked_at, came_at, outputs, value in batch:
            compared = against(json.loads(outputs), json.loads(value), metric, classes)
            unreadable += compared is None
            for one in compared or ():
                unit.append(who)
                at.append(asked_at)
                values.append(one)
                arrived.append(came_at)
    return Known(Outcomes(*_arrays(unit, at, values, arrived)), unreadable)


def against(outputs: Any, label: Any, metric: str, classes: Sequence[str]) -> list[float] | None:
    """The metric of each row of a request, from the answer and its label. None if they do not fit together."""
    answers = outputs.get("score" if metric == ABSOLUTE_ERROR else "label")
    truths = label if isinstance(label, list) else [label]
    if not isinstance(answers, list) or len(answers) != len(truths):
        return None
    if metric == ABSOLUTE_ERROR:
        if not all(isinstance(one, int | float) for one in (*answers, *truths)):
            return None
        return [abs(float(answer) - float(truth)) for answer, truth in zip(answers, truths, strict=True)]
    words = [class_of(truth, classes) for truth in truths]
    if None in words:
        return None
    return [float(answer == word) for answer, word in zip(answers, words, strict=True)]


def _arrays(unit: Any, at: Any, values: Any, arrived: Any) -> tuple[Any, Any, Any, Any]:
    times = [np.asarray(moments, dtype=np.int64).astype("datetime64[us]") for moments in (at, arrived)]
    return np.asarray(unit, dtype=np.uint64), times[0], np.asarray(values, dtype=np.float64), times[1]


def _moment(at: datetime) -> str:
    return f"TIMESTAMPTZ {literal(at.isoformat())}"
