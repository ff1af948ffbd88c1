"""Datasets and the rows of feature views in the record: their versions, what is known of each, and their checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import cast

from sqlalchemy import func
from sqlmodel import Session, col, select

from store import events
from store.engine import Transaction
from store.errors import NotFound
from store.facts import CheckFacts, DatasetFacts
from store.keyset import decode_token, page
from store.past import last_by
from store.queue import get_run
from store.tables import CheckResult, DatasetVersion
from store.times import from_us
from store.wire import CheckView, ColumnView, DatasetDetail, DatasetVersionView, DatasetView, Page
from store.words import Outcome, Severity


def add_version(tx: Transaction, run: int, facts: DatasetFacts) -> None:
    """Records a version that is committed in the lake; reported again (a retried run), it is replaced."""
    fields = facts.model_dump(exclude={"newest_us"})
    tx.session.merge(DatasetVersion(**fields, run=run, newest=facts.newest_us, created_at=tx.now, rev=tx.rev))
    _run_changed(tx, run)
    change = f"+{facts.added:,} -{facts.removed:,}"
    held_back = f", {facts.quarantined:,} in quarantine" if facts.quarantined else ""
    events.append(
        tx,
        actor=f"run {run}",
        kind="dataset.version",
        subject=f"{facts.dataset}@{facts.version}",
        message=f"{facts.dataset}@{facts.version}: {facts.rows:,} rows ({change}{held_back})",
        data={"rows": facts.rows, "added": facts.added, "removed": facts.removed, "inputs": facts.inputs},
    )


def add_checks(tx: Transaction, run: int, dataset: str, version: int | None, results: Sequence[CheckFacts]) -> None:
    """Records what the checks of a dataset found; `version` is None when the rows were refused."""
    for result in results:
        row = CheckResult(run=run, dataset=dataset, version=version, created_at=tx.now, **result.model_dump())
        tx.session.add(row)
    broken = [result for result in results if result.outcome != "pass"]
    if broken:
        worst = "failed" if any(result.outcome == "fail" for result in broken) else "warned"
        events.append(
            tx,
            actor=f"run {run}",
            kind=f"checks.{worst}",
            subject=dataset if version is None else f"{dataset}@{version}",
            message=f"{dataset}: " + "; ".join(result.detail for result in broken),
            data={"checks": [result.name for result in broken]},
        )
    _run_changed(tx, run)


def _run_changed(tx: Transaction, run: int) -> None:
    row = get_run(tx.session, run)
    row.last_event_at, row.rev = tx.now, tx.rev


# --------------------------------------------------------------------------------------------------------- reading


def latest_versions(session: Session) -> dict[str, DatasetVersion]:
    """Dataset → its newest version."""
    newest = select(DatasetVersion.dataset, func.max(DatasetVersion.version).label("version")).group_by(
        col(DatasetVersion.dataset)
    )
    top = newest.subquery()
    rows = session.exec(
        select(DatasetVersion).join(
            top,
            (col(DatasetVersion.dataset) == top.c.dataset) & (col(DatasetVersion.version) == top.c.version),
        )
    )
    return {row.dataset: row for row in rows}


def dataset_view(
    session: Session, name: str, kind: str, made_from: Sequence[str], *, at: int | None = None
) -> DatasetView:
    """A dataset of the project, with the newest version if it has one; with `at` (µs), as it was then."""
    newest = _newest(session, name)
    if newest is not None and at is not None:
        newest = _newest_then(session, name, newest, at)
    return _view(session, newest, name, kind, made_from, at)


def dataset_views(session: Session, known: Sequence[tuple[str, str, Sequence[str]]]) -> list[DatasetView]:
    """`known`: (name, kind, made from) of the project's tables, in its order; then those only the record remembers."""
    newest = latest_versions(session)
    views = [_view(session, newest.pop(name, None), name, kind, made_from) for name, kind, made_from in known]
    return views + [_view(session, row, row.dataset, row.kind, sorted(row.inputs)) for row in newest.values()]


def dataset_detail(
    session: Session, name: str, kind: str, made_from: Sequence[str], version: int | None = None
) -> DatasetDetail:
    """A version (the newest, unless one is asked for) with its columns, a sample of its rows and its checks' results.

    Raises NotFound.
    """
    shown = _newest(session, name) if version is None else version_row(session, name, version)
    return DatasetDetail(
        dataset=_view(session, shown, name, kind, made_from),
        latest=version_view(shown) if shown else None,
        sample=shown.sample if shown else [],
        checks=last_checks(session, name) if version is None else checks_of(session, name, version),
    )


def versions(session: Session, name: str, limit: int = 50, after: str | None = None) -> Page[DatasetVersionView]:
    """Newest first."""
    query = select(DatasetVersion).where(DatasetVersion.dataset == name)
    if after is not None:
        (version,) = decode_token(after, int)
        query = query.where(col(DatasetVersion.version) < version)
    rows = session.exec(query.order_by(col(DatasetVersion.version).desc()).limit(limit + 1)).all()
    return page(rows, limit, version_view, lambda row: (row.version,))


def get_version(session: Session, name: str, version: int) -> DatasetVersionView:
    """Raises NotFound."""
    return version_view(version_row(session, name, version))


def version_row(session: Session, name: str, version: int) -> DatasetVersion:
    """Raises NotFound."""
    row = session.get(DatasetVersion, (name, version))
    if row is None:
        raise NotFound(
            f"there is no {name}@{version}", where=f"{name}@{version}", remedy=f"see `trainshed data history {name}`"
        )
    return row


def newest_row(session: Session, name: str) -> DatasetVersion:
    """Raises NotFound."""
    row = _newest(session, name)
    if row is None:
        raise NotFound(f"{name} has no version yet", where=name, remedy="run the job that makes it: `trainshed jobs`")
    return row


def last_checks(session: Session, name: str, *, at: int | None = None) -> list[CheckView]:
    """The results of the last run that checked this dataset; with `at` (µs), of the last by then."""
    last = select(CheckResult.run).where(CheckResult.dataset == name).order_by(col(CheckResult.id).desc()).limit(1)
    run = session.exec(last if at is None else last.where(col(CheckResult.created_at) <= at)).first()
    if run is None:
        return []
    # By the run alone: the rows of a run are few, those of a dataset grow for ever.
    rows = session.exec(select(CheckResult).where(CheckResult.run == run).order_by(col(CheckResult.id)))
    return [check_view(row) for row in rows if row.dataset == name]


def checks_of(session: Session, name: str, version: int) -> list[CheckView]:
    """The results for one version."""
    query = select(CheckResult).where(CheckResult.dataset == name, CheckResult.version == version)
    return [check_view(row) for row in session.exec(query.order_by(col(CheckResult.id)))]


def checks(session: Session, name: str, limit: int = 100, after: str | None = None) -> Page[CheckView]:
    """All results for a dataset, newest first."""
    query = select(CheckResult).where(CheckResult.dataset == name)
    if after is not None:
        (result,) = decode_token(after, int)
        query = query.where(col(CheckResult.id) < result)
    rows = session.exec(query.order_by(col(CheckResult.id).desc()).limit(limit + 1)).all()
    return page(rows, limit, check_view, lambda row: (cast(int, row.id),))


def version_view(row: DatasetVersion) -> DatasetVersionView:
    """The row as it goes over the wire."""
    return DatasetVersionView(
        dataset=row.dataset,
        version=row.version,
        run=row.run,
        rows=row.rows,
        added=row.added,
        removed=row.removed,
        quarantined=row.quarantined,
        bytes=row.bytes,
        at=from_us(row.created_at),
        newest=from_us(row.newest),
        inputs=row.inputs,
        columns=[ColumnView(**column) for column in row.columns],
        schema_changes=row.schema_changes,
        note=row.note,
    )


def check_view(row: CheckResult) -> CheckView:
    """The row as it goes over the wire."""
    return CheckView(
        dataset=row.dataset,
        version=row.version,
        run=row.run,
        check=row.name,
        kind=row.kind,
        severity=cast(Severity, row.severity),
        outcome=cast(Outcome, row.outcome),
        failing=row.failing,
        total=row.total,
        share=row.failing / row.total if row.total else 0.0,
        allowed=row.allowed,
        detail=row.detail,
        sample=row.sample,
        at=from_us(row.created_at),
    )


def _newest(session: Session, name: str) -> DatasetVersion | None:
    query = select(DatasetVersion).where(DatasetVersion.dataset == name)
    return session.exec(query.order_by(col(DatasetVersion.version).desc()).limit(1)).first()


def _newest_then(session: Session, name: str, newest: DatasetVersion, at: int) -> DatasetVersion | None:
    def look(version: int) -> tuple[int, int] | None:
        query = select(DatasetVersion.version, DatasetVersion.created_at).where(DatasetVersion.dataset == name)
        below = query.where(col(DatasetVersion.version) <= version).order_by(col(DatasetVersion.version).desc())
        return session.exec(below.limit(1)).first()

    version = last_by(at, newest.version, look)
    return None if version is None else version_row(session, name, version)


def _view(
    session: Session,
    newest: DatasetVersion | None,
    name: str,
    kind: str,
    made_from: Sequence[str],
    at: int | None = None,
) -> DatasetView:
    outcomes = Counter(check.outcome for check in last_checks(session, name, at=at))
    return DatasetView(
        name=name,
        kind=kind,
        made_from=list(made_from),
        version=newest.version if newest else None,
        rows=newest.rows if newest else None,
        bytes=newest.bytes if newest else None,
        updated_at=from_us(newest.created_at) if newest else None,
        newest=from_us(newest.newest) if newest else None,
        checks=dict(outcomes),
        rev=newest.rev if newest else 0,
    )
