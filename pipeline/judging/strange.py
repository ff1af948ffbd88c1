"""Values in requests that a version did not learn from: numbers outside its range, unknown words, unknown gaps."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from pipeline.labels.joined import parquet
from pipeline.tables.duck import connect
from pipeline.tables.sqltext import identifier
from pipeline.tables.storage import storage_faults
from pipeline.versions.signature import MISSING, UNSEEN, Categorical, FeatureKind, Numeric, Signature

COLUMNS: Final = 20
WORDS: Final = 3


@dataclass(frozen=True, kw_only=True)
class Learned:
    """A column of the rows that trained, over all of them."""

    low: float | None
    """None: words, or no number at all."""
    high: float | None
    gaps: bool
    """Some had no value."""


@dataclass(frozen=True, kw_only=True)
class Strange:
    """A column of requests, and the rows of it that are unlike all that trained."""

    column: str
    kind: FeatureKind
    rows: int
    of: int
    """Rows of all requests."""
    missing: int = 0
    """Without a value, where none was missing in training."""
    below: int = 0
    above: int = 0
    low: float | None = None
    """The range that it learned from."""
    high: float | None = None
    least: float | None = None
    """What was asked, of all rows."""
    most: float | None = None
    unseen: int = 0
    """With words that it does not know."""
    words: tuple[str, ...] = ()
    """The most frequent of them."""


def learned(file: Path, signature: Signature) -> dict[str, Learned]:
    """Column → what all rows of a training set's part have in it: one pass over a Parquet file, in bounded memory.

    Numbers that are not finite are no values, as the model takes them. Raises StorageError.
    """
    kinds = {column.name: column.kind for column in signature.inputs}
    rows = parquet([file])
    with storage_faults(file), closing(connect(readable=[file])) as connection:
        there = [name for name, *_ in connection.execute(f"DESCRIBE SELECT * FROM {rows}").fetchall() if name in kinds]
        facts = ", ".join(_facts(identifier(name), kinds[name]) for name in there)
        found = (connection.execute(f"SELECT {facts} FROM {rows}").fetchone() if there else None) or ()
    return {
        name: Learned(low=found[3 * place], high=found[3 * place + 1], gaps=found[3 * place + 2] > 0)
        for place, name in enumerate(there)
    }


def _facts(column: str, kind: FeatureKind) -> str:
    """Lowest, highest, how many rows have none."""
    if kind == "categorical":
        return f"NULL, NULL, count(*) FILTER ({column} IS NULL)"
    number = f"CAST({column} AS DOUBLE)"
    known = f"{column} IS NOT NULL AND isfinite({number})"
    return f"min({number}) FILTER ({known}), max({number}) FILTER ({known}), count(*) FILTER (NOT ({known}))"


def strange(
    signature: Signature,
    encoded: tuple[Numeric, Categorical],
    rows: Sequence[Mapping[str, Any]],
    known: Mapping[str, Learned],
) -> list[Strange]:
    """Columns with rows that are strange, the worst first. Pure.

    `encoded`: numbers [n, d] with NaN for what is missing, codes of words [n, c]; `rows`: the n rows as they were sent.
    `known`: of no use for words, which the signature has.
    """
    numbers, codes = encoded
    found = [*_numbers(signature, numbers, known), *_words(signature, codes, rows, known)]
    return sorted((one for one in found if one.rows), key=lambda one: -one.rows)[:COLUMNS]


def _numbers(signature: Signature, numbers: Numeric, known: Mapping[str, Learned]) -> Iterator[Strange]:
    for place, column in enumerate(signature.numeric):
        was = known.get(column.name)
        if was is None:
            continue
        values = numbers[:, place]
        there = values[~np.isnan(values)]
        missing = 0 if was.gaps else len(values) - len(there)
        # As the model takes them: a bound that no float32 has must not put the value that it comes from outside.
        below = 0 if was.low is None else int((there < np.float32(was.low)).sum())
        above = 0 if was.high is None else int((there > np.float32(was.high)).sum())
        yield Strange(
            column=column.name,
            kind="numeric",
            rows=missing + below + above,
            of=len(values),
            missing=missing,
            below=below,
            above=above,
            low=was.low,
            high=was.high,
            least=float(there.min()) if len(there) else None,
            most=float(there.max()) if len(there) else None,
        )


def _words(
    signature: Signature, codes: Categorical, rows: Sequence[Mapping[str, Any]], known: Mapping[str, Learned]
) -> Iterator[Strange]:
    for place, column in enumerate(signature.categorical):
        unseen = np.flatnonzero(codes[:, place] == UNSEEN)
        was = known.get(column.name)
        missing = 0 if was is None or was.gaps else int((codes[:, place] == MISSING).sum())
        words = Counter(str(rows[int(row)][column.name])[:30] for row in unseen)
        yield Strange(
            column=column.name,
            kind="categorical",
            rows=missing + len(unseen),
            of=len(codes),
            missing=missing,
            unseen=len(unseen),
            words=tuple(word for word, _ in words.most_common(WORDS)),
        )
