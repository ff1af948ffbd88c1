"""What changed after a revision: whole views of the newest state, by one index per table."""

from __future__ import annotations

from typing import TypeVar

from sqlmodel import Session, col, select

from store import outbox, versions, watching
from store.alerts import alert_view
from store.datasets import dataset_view
from store.events import event_view
from store.runs import run_view
from store.schedules import schedule_view
from store.tables import Alert, DatasetVersion, Event, Meta, Run, Schedule
from store.wire import MOST_CHANGES, ChangesView, DatasetView

Row = TypeVar("Row", Run, Event, Alert)


def changes_since(session: Session, rev: int, now: int) -> ChangesView:
    """Everything that changed after revision `rev`; `now` (µs) tells which runs have stalled."""
    schedules = session.exec(select(Schedule).where(col(Schedule.rev) > rev).order_by(col(Schedule.name)))
    return ChangesView(
        rev=current_revision(session),
        runs=[run_view(row, now) for row in _last_changed(session, Run, rev)],
        datasets=_datasets(session, rev),
        models=versions.changed_models(session, rev),
        versions=versions.changed_versions(session, rev, MOST_CHANGES),
        schedules=[schedule_view(row) for row in schedules],
        events=[event_view(row) for row in _last_changed(session, Event, rev)],
        alerts=[alert_view(row) for row in _last_changed(session, Alert, rev)],
        told=outbox.changed(session, rev),
        monitors=watching.changed(session, rev),
    )


def current_revision(session: Session) -> int:
    """The revision of the state that this session sees."""
    row = session.get(Meta, "revision")
    return int(row.value) if row is not None else 0


def _last_changed(session: Session, table: type[Row], rev: int) -> list[Row]:
    """Rows that changed after a revision, the newest first; of too many those that changed last."""
    # By the index of revisions: in the order of ids SQLite would go through the whole table for the few.
    order = (col(table.rev).desc(), col(table.id).desc())
    rows = session.exec(select(table).where(col(table.rev) > rev).order_by(*order).limit(MOST_CHANGES))
    return sorted(rows, key=lambda row: row.id or 0, reverse=True)


def _datasets(session: Session, rev: int) -> list[DatasetView]:
    # Each once by the set: asked for it, SQLite goes through all of them by name in place of the few by revision.
    changed = set(
        session.exec(select(DatasetVersion.dataset, DatasetVersion.kind).where(col(DatasetVersion.rev) > rev))
    )
    views = []
    for name, kind in sorted(changed):
        newest = session.exec(
            select(DatasetVersion.inputs)
            .where(DatasetVersion.dataset == name)
            .order_by(col(DatasetVersion.version).desc())
            .limit(1)
        ).one()
        views.append(dataset_view(session, name, kind, sorted(newest)))
    return views
