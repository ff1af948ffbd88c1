"""Sources, tables and their versions, now or as they were."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from tui.failure import Failure
from tui.rows.data import Store, stores

if TYPE_CHECKING:
    from store.wire import DatasetDetail, DatasetVersionView, DatasetView, QuarantineView
    from tui.client import Client

MOST_VERSIONS: Final = 1_000


@dataclass(frozen=True)
class Table:
    """One dataset or feature view with what is shown of it."""

    detail: DatasetDetail
    versions: Sequence[DatasetVersionView]
    """Newest first."""
    stores: Sequence[Store]
    """Everything, to see what it is made from and what uses it."""


def stores_at(daemon: Client, moment: datetime | None) -> list[Store]:
    """All of the list. In the past: the tables with the newest version of then. Raises Failure."""
    datasets, views = daemon.datasets(), daemon.features()
    if moment is not None:
        datasets = [_as_of(daemon, view, moment) for view in datasets]
    return stores(daemon.sources() if moment is None else [], datasets, views)


def table_at(daemon: Client, name: str, version: int | None, moment: datetime | None) -> Table:
    """`version`: None is the newest. Raises Failure, also where there was none yet."""
    made = versions(daemon, name, moment)
    if version is None and moment is not None:
        if not made:
            raise Failure(f"{name} was not made yet", where=f"{moment:%Y-%m-%d %H:%M:%S}", remedy="Esc goes back")
        version = made[0].version
    return Table(daemon.dataset(name, version), made, stores_at(daemon, moment))


def versions(daemon: Client, name: str, moment: datetime | None) -> list[DatasetVersionView]:
    """Newest first, at most MOST_VERSIONS, made until then. Raises Failure."""
    found: list[DatasetVersionView] = []
    after: str | None = None
    while len(found) < MOST_VERSIONS:
        page = daemon.dataset_versions(name, limit=500, after=after)
        found += [version for version in page.items if moment is None or version.at <= moment]
        after = page.next
        if after is None:
            break
    return found


def models_using(daemon: Client, name: str) -> list[str]:
    """Models whose newest version was trained on the table. Raises Failure."""
    found = []
    for model in daemon.models():
        if model.latest is not None:
            inputs = daemon.version(model.name, model.latest).lineage.get("inputs", {})
            if name in {one.removeprefix("features:") for one in inputs}:
                found.append(f"{model.name} v{model.latest}")
    return found


def quarantine(daemon: Client, name: str) -> QuarantineView:
    """Raises Failure."""
    return daemon.quarantine(name)


def _as_of(daemon: Client, view: DatasetView, moment: datetime) -> DatasetView:
    """What checks said then, and how fresh it was, is not in this list."""
    made = versions(daemon, view.name, moment)
    newest = made[0] if made else None
    return view.model_copy(
        update={
            "version": newest.version if newest else None,
            "rows": newest.rows if newest else None,
            "bytes": newest.bytes if newest else None,
            "updated_at": newest.at if newest else None,
            "newest": newest.newest if newest else None,
            "checks": {},
            "freshness": None,
        }
    )
