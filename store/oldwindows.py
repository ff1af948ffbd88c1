"""Windows of monitors that are forgotten: old ones on which nothing rests any more."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import ColumnElement, and_, delete, or_, tuple_
from sqlmodel import Session, col, select

from store.engine import Transaction
from store.facts import REMEMBERED
from store.tables import Alert, DriftReport, Param, Run, WatchWindow
from store.words import ENDED

MOST: Final = 500
"""Windows that one transaction forgets."""
REPORT: Final = "report"
"""Parameter of a training that a rule asked for: the report that it follows from."""
Key = tuple[int, int]
"""Version and start."""


def forget(tx: Transaction, monitor: str, windows: list[Key]) -> None:
    """What `old_windows` found, in the same transaction."""
    key = tuple_(col(WatchWindow.version), col(WatchWindow.start_us))
    tx.connection.execute(delete(WatchWindow).where(col(WatchWindow.monitor) == monitor, key.in_(windows)))


def old_windows(session: Session, monitor: str, before: int) -> list[Key]:
    """Those that ended before then (µs) and on which nothing rests: the oldest `MOST`.

    The newest `REMEMBERED` of the monitor stay, and of each version that it still looks at: a look would tell them
    anew. What a report is over stays, with all that came later, while an alert that is not over has it or a training
    that has not ended follows from it.
    """
    kept_from = _floor(session, monitor)
    if kept_from is None:
        return []
    ended = min([before, kept_from, *_rested_on(session, monitor)])
    looked_at = _looked_at(session, monitor, kept_from)
    others = col(WatchWindow.version).not_in(looked_at)
    query = (
        select(WatchWindow.version, WatchWindow.start_us)
        .where(WatchWindow.monitor == monitor, col(WatchWindow.end_us) < ended)
        .where(or_(others, *_below(session, monitor, looked_at)))
        .order_by(col(WatchWindow.end_us))
    )
    return [(version, start) for version, start in session.exec(query.limit(MOST))]


def monitors(session: Session) -> list[str]:
    """That have windows, whether the project still has them or not; by name."""
    return sorted(session.exec(select(WatchWindow.monitor).distinct()))


def _floor(session: Session, monitor: str, version: int | None = None) -> int | None:
    """End of the last of the newest `REMEMBERED`; None: there are no more than those."""
    query = select(WatchWindow.end_us).where(WatchWindow.monitor == monitor)
    if version is not None:
        query = query.where(WatchWindow.version == version)
    return session.exec(query.order_by(col(WatchWindow.end_us).desc()).offset(REMEMBERED - 1).limit(1)).first()


def _looked_at(session: Session, monitor: str, kept_from: int) -> list[int]:
    """Versions with windows among the newest, and that of the last report: it may have come back to production."""
    newest = select(WatchWindow.version).where(WatchWindow.monitor == monitor, col(WatchWindow.end_us) >= kept_from)
    last = select(DriftReport.version).where(DriftReport.monitor == monitor).order_by(col(DriftReport.id).desc())
    return sorted({*session.exec(newest.distinct()), *session.exec(last.limit(1))})


def _below(session: Session, monitor: str, versions: list[int]) -> list[ColumnElement[bool]]:
    floors = {version: _floor(session, monitor, version) for version in versions}
    return [
        and_(col(WatchWindow.version) == version, col(WatchWindow.end_us) < floor)
        for version, floor in floors.items()
        if floor is not None
    ]


def _rested_on(session: Session, monitor: str) -> list[int]:
    """Since when reports look back that something open refers to."""
    told: Any = select(Alert.report).where(col(Alert.resolved_at).is_(None), col(Alert.report).is_not(None))
    follows: Any = (
        select(Param.value)
        .join(Run, col(Run.id) == Param.run)
        .where(Param.name == REPORT, col(Run.state).not_in(ENDED))
    )
    # Runs name their own parameters, and one may call a file so.
    known = {one for one in (*session.exec(told), *session.exec(follows)) if isinstance(one, int)}
    query = select(DriftReport.since).where(DriftReport.monitor == monitor, col(DriftReport.id).in_(known))
    return [since for since in session.exec(query) if since is not None]
