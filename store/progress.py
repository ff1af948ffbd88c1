"""What a running worker says about itself: signs of life, how far it is, what its result depends upon."""

from __future__ import annotations

from store.engine import Transaction
from store.queue import get_run


def heard(tx: Transaction, run: int) -> None:
    """A sign of life. Not a change anybody is told of: the revision stays."""
    get_run(tx.session, run).last_event_at = tx.now


def report_progress(
    tx: Transaction, run: int, *, done: float, total: float | None, unit: str, message: str, eta_s: float | None
) -> None:
    """How far the current attempt is: `done` of `total` in `unit`s, with the seconds that are left."""
    row = get_run(tx.session, run)
    row.done, row.total, row.unit, row.message, row.eta_s = done, total, unit, message, eta_s
    row.last_event_at, row.rev = tx.now, tx.rev


def set_fingerprint(tx: Transaction, run: int, value: str) -> None:
    """Digest of everything the run's result depends upon."""
    row = get_run(tx.session, run)
    row.fingerprint, row.last_event_at = value, tx.now
