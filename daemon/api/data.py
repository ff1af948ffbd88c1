"""`/v1/datasets`, `/v1/features`: the lake as the record knows it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import Query

from daemon.api.part import part
from daemon.api.shed import After, Here, Limit, Name
from daemon.freshness import with_freshness
from daemon.program import ask_program
from daemon.sources import source_views
from pipeline.config import Project
from pipeline.config.datasets import FeatureView
from store import datasets
from store.errors import NotFound
from store.wire import (
    CheckView,
    DatasetDetail,
    DatasetVersionView,
    DatasetView,
    FeatureViewView,
    Page,
    QuarantineView,
    SourceView,
)

router = part("data")
MOST_REFUSED: Final = 500
REFUSED_S: Final = 25.0
"""For a look into a quarantine table."""
Known = tuple[str, str, Sequence[str]]
"""Name, kind, what it is made from."""


@router.get("/datasets")
def list_datasets(shed: Here) -> Page[DatasetView]:
    """Every dataset and feature view of the project, and those that only the record remembers."""
    daemon = shed.daemon
    with daemon.record.read() as session:
        views = datasets.dataset_views(session, known_tables(daemon.project))
        return Page(items=with_freshness(session, daemon.project, daemon.jobs, views, daemon.clock()))


@router.get("/datasets/{name}")
def show(shed: Here, name: Name, version: int | None = None) -> DatasetDetail:
    """The newest version, or the one asked for, with its columns, sample and checks."""
    daemon = shed.daemon
    _, kind, made_from = find_table(daemon.project, name)
    with daemon.record.read() as session:
        detail = datasets.dataset_detail(session, name, kind, made_from, version)
        (view,) = with_freshness(session, daemon.project, daemon.jobs, [detail.dataset], daemon.clock())
    return detail.model_copy(update={"dataset": view})


@router.get("/datasets/{name}/versions")
def versions(shed: Here, name: Name, limit: Limit = 50, after: After = None) -> Page[DatasetVersionView]:
    """Newest first."""
    find_table(shed.daemon.project, name)
    with shed.daemon.record.read() as session:
        return datasets.versions(session, name, limit, after)


@router.get("/datasets/{name}/versions/{version}")
def version(shed: Here, name: Name, version: int) -> DatasetVersionView:
    """One version."""
    with shed.daemon.record.read() as session:
        return datasets.get_version(session, name, version)


@router.get("/datasets/{name}/checks")
def checks(
    shed: Here,
    name: Name,
    history: bool = False,
    limit: Limit = 100,
    after: After = None,
) -> Page[CheckView]:
    """What they found the last time they ran; with `history` every time, newest first."""
    find_table(shed.daemon.project, name)
    with shed.daemon.record.read() as session:
        if history:
            return datasets.checks(session, name, limit, after)
        return Page(items=datasets.last_checks(session, name))


@router.get("/datasets/{name}/quarantine")
def quarantine(
    shed: Here,
    name: Name,
    version: Annotated[int | None, Query(ge=0, description="Only what was kept apart when this one was made.")] = None,
    run: Annotated[int | None, Query(ge=1, description="Only what this run kept apart.")] = None,
    check: Annotated[str | None, Query(max_length=200, description="Only what this check threw out.")] = None,
    limit: Annotated[int, Query(ge=1, le=MOST_REFUSED)] = 50,
) -> QuarantineView:
    """Rows that checks threw out, newest first, each with the names of the checks."""
    find_table(shed.daemon.project, name)
    if version is not None:
        with shed.daemon.record.read() as session:
            run = datasets.get_version(session, name, version).run
    table = shed.daemon.home.quarantine(name)
    if not table.exists():  # most datasets: no process has to be started to say so
        return QuarantineView(dataset=name, total=0, rows=[])
    arguments = [str(table), "--limit", str(limit)]
    arguments += ["--run", str(run)] if run is not None else []
    arguments += [f"--check={check}"] if check is not None else []
    found = ask_program("pipeline.etl.refused", arguments, REFUSED_S)
    return QuarantineView(dataset=name, **found)


@router.get("/sources")
def list_sources(shed: Here) -> Page[SourceView]:
    """Where raw data comes from, which datasets hold it, and how the last fetch of each went."""
    daemon = shed.daemon
    with daemon.record.read() as session:
        return Page(items=source_views(session, daemon.project, daemon.home))


@router.get("/features")
def features(shed: Here) -> Page[FeatureViewView]:
    """Every feature view of the project."""
    project = shed.daemon.project
    with shed.daemon.record.read() as session:
        return Page(
            items=[
                feature_view(name, view, datasets.dataset_detail(session, name, "feature view", view.inputs))
                for name, view in project.features.items()
            ]
        )


def feature_view(name: str, view: FeatureView, found: DatasetDetail) -> FeatureViewView:
    """The view as the project defines it; its features as found in its rows where the project does not list them."""
    frame = {*view.entity, view.time, view.created}
    columns = [column.name for column in found.latest.columns if column.name not in frame] if found.latest else []
    return FeatureViewView(
        name=name,
        entity=view.entity,
        time=view.time,
        ttl_seconds=view.ttl.total_seconds() if view.ttl is not None else None,
        columns=view.columns or columns,
        data=found.dataset,
    )


def known_tables(project: Project) -> list[Known]:
    """The project's datasets, those that its models predict, then its feature views."""
    made: list[Known] = [(name, "dataset", d.inputs or [str(d.source)]) for name, d in project.datasets.items()]
    made += [(name, "dataset", [p.dataset, f"model:{p.model}"]) for name, p in project.predictions.items()]
    return made + [(name, "feature view", view.inputs) for name, view in project.features.items()]


def find_table(project: Project, name: str) -> Known:
    """Raises NotFound naming what there is."""
    known = known_tables(project)
    for table in known:
        if table[0] == name:
            return table
    raise NotFound(
        f"there is no dataset or feature view {name!r}",
        where="trainshed.toml",
        remedy=f"there are: {', '.join(name for name, _, _ in known) or 'none'}",
    )
