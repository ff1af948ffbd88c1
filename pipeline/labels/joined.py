"""SQL that brings labels and logged predictions together. DuckDB reads it; nothing else is loaded for it.

A label by request belongs to the requests of that id. One by unit belongs to the unit's last request at or before its
time. Where a request has both, the one by request stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from pipeline.tables.sqltext import literal

ANSWERED: Final = """("status" < 500 AND "why" <> 'shadow')"""
"""Of logged requests, those whose answer somebody heard: nobody has a label for no answer, or for a shadow's."""
STANDING: Final = (
    "(SELECT * FROM {labels}"
    ' QUALIFY row_number() OVER (PARTITION BY "key" ORDER BY "arrived" DESC, "segment" DESC, "offset" DESC) = 1)'
)
"""Of all labels, each key's newest: what stands."""


def parquet(files: Sequence[Path]) -> str:
    """A relation of the rows of these files, of which there is at least one."""
    return f"read_parquet([{', '.join(literal(str(file)) for file in files)}])"


def standing(files: Sequence[Path], name: str) -> str:
    """A relation of the labels of that name that stand."""
    rows = f'(SELECT * FROM {parquet(files)} WHERE "name" = {literal(name)})'
    return STANDING.format(labels=rows)


def joined(predictions: str, labels: str) -> str:
    """A relation (segment, offset, key, value, at, arrived): the label of each labelled request.

    `predictions`: a relation with request, unit, why, at, segment and offset. `labels`: what `standing` gives. `at` is
    null where the label has no time of its own. A shadow's copies have the label of their request's id, none by unit.
    """
    wanted = 'p."segment", p."offset", l."key", l."value", l."at", l."arrived"'
    return f"""(
        SELECT * FROM (
            SELECT {wanted}, 0 AS "rank" FROM {labels} l JOIN {predictions} p ON p."request" = l."request"
            UNION ALL
            SELECT {wanted}, 1 AS "rank"
            FROM (SELECT * FROM {labels} WHERE "unit" IS NOT NULL) l
            ASOF JOIN (SELECT * FROM {predictions} WHERE "unit" IS NOT NULL AND "why" <> 'shadow') p
            ON p."unit" = l."unit" AND l."at" >= p."at"
        ) QUALIFY row_number() OVER (PARTITION BY "segment", "offset" ORDER BY "rank", "at" DESC, "arrived" DESC) = 1
    )"""


def known_since(predictions: str, labels: str) -> str:
    """A relation (segment, offset, value, known): of each labelled request the label that came first, and from when on
    both were there.

    `predictions`: as of `joined`; `labels`: all of a name, with those that no longer stand: what comes later changes
    neither value nor moment. A label by unit counts from its own time on, if that is after its arrival.
    """
    of = 'p."segment", p."offset", l."value", l."segment" AS "in", l."offset" AS "place"'
    return f"""(
        SELECT "segment", "offset", "value", "known" FROM (
            SELECT {of}, greatest(p."at", l."arrived") AS "known", 0 AS "rank"
            FROM {labels} l JOIN {predictions} p ON p."request" = l."request"
            UNION ALL
            SELECT {of}, greatest(l."at", l."arrived") AS "known", 1 AS "rank"
            FROM (SELECT * FROM {labels} WHERE "unit" IS NOT NULL) l
            ASOF JOIN (SELECT * FROM {predictions} WHERE "unit" IS NOT NULL AND "why" <> 'shadow') p
            ON p."unit" = l."unit" AND l."at" >= p."at"
        ) QUALIFY row_number() OVER (PARTITION BY "segment", "offset" ORDER BY "known", "rank", "in", "place") = 1
    )"""
