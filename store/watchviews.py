"""Windows of monitors as they go over the wire."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlmodel import Session, col, select

from store.keyset import decode_token, page
from store.tables import WatchWindow
from store.times import from_us
from store.wire import Page, WatchWindowView, WindowColumn, WindowEstimate, WindowPerformance, WindowService

PREDICTION: Final = "$"
"""Before the name of an output, where it stands among columns: no input has such a name."""


def windows_page(
    session: Session,
    monitors: Sequence[str],
    *,
    limit: int,
    after: str | None = None,
    since_us: int | None = None,
    version: int | None = None,
    column: str | None = None,
) -> Page[WatchWindowView]:
    """Of these monitors, newest first. `after`: the token of the page before; `column`: only that one is told."""
    query = select(WatchWindow).where(col(WatchWindow.monitor).in_(monitors))
    if since_us is not None:
        query = query.where(col(WatchWindow.end_us) > since_us)
    if version is not None:
        query = query.where(WatchWindow.version == version)
    if after is not None:
        end, shown, name = decode_token(after, int, int, str)
        same = (col(WatchWindow.end_us) == end) & (
            (col(WatchWindow.version) < shown)
            | ((col(WatchWindow.version) == shown) & (col(WatchWindow.monitor) < name))
        )
        query = query.where((col(WatchWindow.end_us) < end) | same)
    order = (col(WatchWindow.end_us).desc(), col(WatchWindow.version).desc(), col(WatchWindow.monitor).desc())
    rows = session.exec(query.order_by(*order).limit(limit + 1)).all()
    return page(rows, limit, lambda row: window_view(row, column), lambda row: (row.end_us, row.version, row.monitor))


def window_view(row: WatchWindow, column: str | None = None) -> WatchWindowView:
    """With `column`, only that one of its columns."""
    wanted = row.measures if column is None else {n: one for n, one in row.measures.items() if _shown(n) == column}
    columns = [_column(name, said, row.limits.get(name, {})) for name, said in wanted.items()]
    return WatchWindowView(
        monitor=row.monitor,
        version=row.version,
        start=from_us(row.start_us),
        end=from_us(row.end_us),
        rows=row.rows,
        labelled=row.labelled,
        columns=sorted(columns, key=lambda one: (not one.reached, one.name)),
        performance=WindowPerformance(**row.performance) if row.performance else None,
        estimate=WindowEstimate(**row.estimate) if row.estimate else None,
        service=WindowService(**row.service) if row.service else None,
        report=row.report,
        restated_at=from_us(row.restated_at),
        rev=row.rev,
    )


def _column(name: str, said: Mapping[str, Any], limits: Mapping[str, float]) -> WindowColumn:
    return WindowColumn(
        name=_shown(name),
        subject="prediction" if name.startswith(PREDICTION) else "feature",
        reached=any(said[measure] >= limit for measure, limit in limits.items() if measure in said),
        measures=dict(said),
        limits=dict(limits),
    )


def _shown(name: str) -> str:
    """As people call it."""
    return name.removeprefix(PREDICTION)
