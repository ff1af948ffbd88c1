"""Windows and reports of monitors in the record: told by their runs, each exactly once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from sqlalchemy import func
from sqlmodel import Session, col, select

from store import events
from store.engine import Transaction
from store.facts import REMEMBERED, ReportFacts, StreamFacts, WindowFacts
from store.keyset import decode_token, page
from store.tables import DriftReport, WatchStream, WatchWindow
from store.times import from_us
from store.wire import DriftColumn, DriftReportView, Page, RetrainView, WatchFinding

_TOLD: Final = ("rows", "labelled", "measures", "limits", "performance", "estimate", "service")


# -------------------------------------------------------------------------------------------------------- changing


def put_windows(tx: Transaction, monitor: str, windows: Iterable[WindowFacts]) -> None:
    """New ones, and others instead of those that were told before: one that says something else is restated.

    Told twice, nothing changes.
    """
    for facts in windows:
        row = tx.session.get(WatchWindow, (monitor, facts.version, facts.start_us))
        if row is None:
            tx.session.add(WatchWindow(monitor=monitor, rev=tx.rev, **facts.model_dump()))
            continue
        said = facts.model_dump()
        if all(getattr(row, name) == value for name, value in said.items()):
            continue
        if row.end_us == facts.end_us and any(getattr(row, name) != said[name] for name in _TOLD):
            row.restated_at = tx.now
        for name, value in said.items():
            setattr(row, name, value)
        row.rev = tx.rev
        tx.session.add(row)
    tx.session.flush()


def put_report(tx: Transaction, run: int, facts: ReportFacts) -> DriftReport | None:
    """The report of a run; None where a former attempt of it has told one already, which stays."""
    if tx.session.exec(select(DriftReport.id).where(DriftReport.run == run)).first() is not None:
        return None
    row = DriftReport(
        run=run,
        at=tx.now,
        since=facts.since_us,
        until=facts.until_us,
        rev=tx.rev,
        **facts.model_dump(exclude={"since_us", "until_us", "assessed", "covered", "stream"}),
    )
    tx.session.add(row)
    tx.session.flush()
    for version, start_us in facts.assessed:
        window = tx.session.get(WatchWindow, (facts.monitor, version, start_us))
        if window is not None:
            window.report = row.id
            tx.session.add(window)
    if facts.stream is not None:
        _put_stream(tx, facts.monitor, row.id or 0, facts.stream)
    before = _last_state(tx.session, facts.monitor, row.id or 0)
    if before != facts.state:
        what = f"monitor {facts.monitor}: {facts.state}: {facts.reason}"
        data = {"report": row.id, "from": before, "to": facts.state}
        kind, subject = f"monitor.{facts.state.replace(' ', '_')}", f"monitor {facts.monitor}"
        events.append(tx, actor=f"run {run}", kind=kind, subject=subject, message=what, data=data)
    return row


def _put_stream(tx: Transaction, monitor: str, report: int, facts: StreamFacts) -> None:
    """Only in the place of the state that it goes on from: of two runs that read the same rows, one has fed them."""
    row = tx.session.get(WatchStream, (monitor, facts.version))
    if facts.since_us != (0 if row is None else row.until_us):
        return
    row = row or WatchStream(monitor=monitor, version=facts.version, until_us=0, report=report)
    row.until_us, row.state, row.report = facts.until_us, facts.state, report
    tx.session.add(row)
    tx.session.flush()


def _last_state(session: Session, monitor: str, before: int) -> str | None:
    query = select(DriftReport.state).where(DriftReport.monitor == monitor, col(DriftReport.id) < before)
    return session.exec(query.order_by(col(DriftReport.id).desc()).limit(1)).first()


# --------------------------------------------------------------------------------------------------------- reading


def newest_windows(session: Session, monitor: str, limit: int = REMEMBERED) -> list[WatchWindow]:
    """Oldest first."""
    query = select(WatchWindow).where(WatchWindow.monitor == monitor)
    rows = session.exec(query.order_by(col(WatchWindow.end_us).desc(), col(WatchWindow.version).desc()).limit(limit))
    return list(rows)[::-1]


def streams(session: Session, monitor: str) -> list[WatchStream]:
    """Of each version whose errors it has followed."""
    query = select(WatchStream).where(WatchStream.monitor == monitor)
    return list(session.exec(query.order_by(col(WatchStream.version))))


def count_windows(session: Session) -> Mapping[str, int]:
    """Monitor → windows in the record."""
    counted = select(WatchWindow.monitor, func.count()).group_by(col(WatchWindow.monitor))
    return {name: int(many) for name, many in session.exec(counted)}


def last_reports(session: Session) -> Mapping[str, DriftReport]:
    """Monitor → its newest."""
    ids = select(func.max(col(DriftReport.id))).group_by(col(DriftReport.monitor))
    return {row.monitor: row for row in session.exec(select(DriftReport).where(col(DriftReport.id).in_(ids)))}


def reports_page(session: Session, monitor: str, *, limit: int, after: str | None = None) -> Page[DriftReportView]:
    """Newest first."""
    query = select(DriftReport).where(DriftReport.monitor == monitor)
    if after is not None:
        (shown,) = decode_token(after, int)
        query = query.where(col(DriftReport.id) < shown)
    rows = session.exec(query.order_by(col(DriftReport.id).desc()).limit(limit + 1)).all()
    return page(rows, limit, report_view, lambda row: (row.id or 0,))


def changed(session: Session, rev: int) -> list[str]:
    """Monitors with a new report, or with windows that changed, after a revision; by name."""
    # Each once by the set: asked for it, SQLite goes through all of them by name in place of the few by revision.
    names = {
        *session.exec(select(DriftReport.monitor).where(col(DriftReport.rev) > rev)),
        *session.exec(select(WatchWindow.monitor).where(col(WatchWindow.rev) > rev)),
    }
    return sorted(names)


def report_view(row: DriftReport) -> DriftReportView:
    """The row as it goes over the wire."""
    body: Mapping[str, Any] = row.body
    retrain = body.get("retrain")
    return DriftReportView(
        id=row.id or 0,
        monitor=row.monitor,
        model=row.model or None,
        version=row.version,
        run=row.run,
        at=from_us(row.at),
        since=from_us(row.since),
        until=from_us(row.until),
        state=row.state,
        reason=row.reason,
        rows=row.rows,
        windows=row.windows,
        columns=[DriftColumn(**one) for one in body.get("columns", [])],
        notes=list(body.get("notes", [])),
        life=list(body.get("life", [])),
        findings=[finding_view(one) for one in row.findings],
        retrain=None if retrain is None else RetrainView(**retrain),
        rev=row.rev,
    )


def finding_view(said: Mapping[str, Any]) -> WatchFinding:
    """One of a report's findings, as its row has it."""
    return WatchFinding(**{name: said[name] for name in WatchFinding.model_fields if name in said})
