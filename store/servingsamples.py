"""What endpoints have answered over time: a row for each version and look, kept as long as the box's."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete
from sqlmodel import Session, col, select

from store.engine import Transaction
from store.tables import ServingSample

WHICHEVER: Final = 0
"""The "version" under which stands what belongs to a model, whichever version answers."""
NOBODY: Final = ""
"""The "model" under which stands what belongs to the processes, and what was asked of models that nobody serves."""
Cells = Sequence[tuple[int, int]]
"""(cell of a histogram, count), of the cells that are not empty."""


@dataclass(frozen=True, kw_only=True)
class Counted:
    """What was counted of one version in the `seconds` before a look."""

    model: str
    version: int
    seconds: float
    requests: int = 0
    errors: int = 0
    """Of the requests, those answered with a status above 499."""
    refused: int = 0
    """Of the requests, those answered with 400 to 499: what a client did wrong, or did not wait for."""
    rows: int = 0
    runs: int = 0
    """Of the model, on `rows` rows together."""
    waiting: int = 0
    """Rows that waited for a run when it was looked."""
    dropped: int = 0
    """Lines of the prediction log that found no room; of a model."""
    compilations: int = 0
    """Programs that were compiled while serving; of the processes."""
    latency: Cells = ()
    """Seconds from the first byte to the answer."""
    queued: Cells = ()
    """Seconds that a batch waited."""

    @property
    def at_rest(self) -> bool:
        """Nothing has happened."""
        return not (self.requests or self.rows or self.waiting or self.dropped or self.compilations)


_NUMBERS: Final = ("requests", "errors", "refused", "rows", "runs", "waiting", "dropped", "compilations")
_COLUMNS: Final = ("model", "version", "seconds", *_NUMBERS)
_INSERT: Final = (
    f"INSERT OR REPLACE INTO serving_sample (at, {', '.join(_COLUMNS)}, latency, queued) "
    f"VALUES (?, {', '.join('?' * len(_COLUMNS))}, ?, ?)"
)


def add(tx: Transaction, counted: Iterable[Counted]) -> None:
    """Stores what was counted up to now."""
    rows = [
        (tx.now, *(getattr(one, name) for name in _COLUMNS), json.dumps(one.latency), json.dumps(one.queued))
        for one in counted
    ]
    tx.driver.executemany(_INSERT, rows)


def between(session: Session, since: int, until: int, model: str | None = None) -> list[tuple[int, Counted]]:
    """(when it was looked (µs), what was counted until then), oldest first, for `since` <= time < `until`."""
    query = select(ServingSample).where(col(ServingSample.at) >= since, col(ServingSample.at) < until)
    if model is not None:
        query = query.where(ServingSample.model == model)
    found = session.exec(query.order_by(col(ServingSample.at)))
    return [(row.at, _counted(row)) for row in found]


def forget_before(tx: Transaction, at: int) -> None:
    """Drops what is older than `at` (µs)."""
    tx.connection.execute(delete(ServingSample).where(col(ServingSample.at) < at))


def _counted(row: ServingSample) -> Counted:
    return Counted(
        **{name: getattr(row, name) for name in _COLUMNS},
        latency=json.loads(row.latency),
        queued=json.loads(row.queued),
    )
