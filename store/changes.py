"""What changed after a revision: whole views of the newest state, by one index per table."""

from __future__ import annotations

from sqlmodel import Session, col, select

from store import outbox, versions, watching
from store.alerts import alert_view
from store.datasets import dataset_view
from store.events import event_view
from store.runs import run_view
from store.schedules import schedule_view
from store.tables import Alert, DatasetVersion, Event, Meta, Run, Schedule
from store.wire import MOST_CHANGES, ChangesView, DatasetView


def changes_since(session: Session, rev: int, now: int) -> ChangesView:
    """Everything that changed after revision `rev`; `now` (µs) tells which runs have stalled."""
    runs = session.exec(select(Run).where(col(Run.rev) > rev).order_by(col(Run.id).desc()).limit(MOST_CHANGES))
    schedules = session.exec(select(Schedule).where(col(Schedule.rev) > rev).order_by(col(Schedule.name)))
    events = session.exec(select(Event).where(col(Event.rev) > rev).order_by(col(Event.id).desc()).limit(MOST_CHANGES))
    alerts = session.exec(select(Alert).where(col(Alert.rev) > rev).order_by(col(Alert.id).desc()).limit(MOST_CHANGES))
    return ChangesView(
        rev=current_revision(session),
        runs=[run_view(row, now) for row in runs],
        datasets=_datasets(session, rev),
        models=versions.changed_models(session, rev),
        versions=versions.changed_versions(session, rev, MOST_CHANGES),
        schedules=[schedule_view(row) for row in schedules],
        events=[event_view(row) for row in events],
        alerts=[alert_view(row) for row in alerts],
        told=outbox.changed(session, rev),
        monitors=watching.changed(session, rev),
    )


def current_revision(session: Session) -> int:
    """The revision of the state that this session sees."""
    row = session.get(Meta, "revision")
    return int(row.value) if row is not None else 0


def _datasets(session: Session, rev: int) -> list[DatasetView]:
    changed = select(DatasetVersion.dataset, DatasetVersion.kind).where(col(DatasetVersion.rev) > rev).distinct()
    views = []
    for name, kind in session.exec(changed.order_by(col(DatasetVersion.dataset))):
        newest = session.exec(
            select(DatasetVersion.inputs)
            .where(DatasetVersion.dataset == name)
            .order_by(col(DatasetVersion.version).desc())
            .limit(1)
        ).one()
        views.append(dataset_view(session, name, kind, sorted(newest)))
    return views
