"""The project's sources: where each is, who reads it, how the last fetch went. Never a secret."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import assert_never
from urllib.parse import urlsplit

from sqlmodel import Session

from pipeline.config import Project
from pipeline.config.sources import AnySource, FileSource, HttpSource, PythonSource, SqlSource
from pipeline.secrets import is_reference
from store import jobruns
from store.commits import CURSOR, commit_metadata
from store.datasets import latest_versions
from store.home import Home
from store.tables import DatasetVersion
from store.wire import FetchView, PastRun, SourceReadView, SourceView


def source_views(session: Session, project: Project, home: Home) -> list[SourceView]:
    """In the order of the project file."""
    readers = {name: dataset.source for name, dataset in project.datasets.items() if dataset.source is not None}
    newest = latest_versions(session)
    runs = jobruns.strips(session, [f"etl:{name}" for name in readers], most=1)
    return [
        SourceView(
            name=name,
            kind=source.kind,
            address=address_of(source),
            incremental=source.incremental.column if source.incremental is not None else None,
            datasets=[
                _read(dataset, project, home, newest.get(dataset), runs)
                for dataset, read in readers.items()
                if read == name
            ],
        )
        for name, source in project.sources.items()
    ]


def address_of(source: AnySource) -> str:
    """Without user, password, query and headers: each may hold a secret. A reference stays a reference."""
    match source:
        case HttpSource():
            return _without_secrets(source.url) + source.path.partition("?")[0]
        case FileSource():
            return source.path
        case SqlSource():
            return _without_secrets(source.uri)
        case PythonSource():
            return source.function
        case _:
            assert_never(source)


def _without_secrets(address: str) -> str:
    if is_reference(address) or address.startswith("sqlite:"):
        return address
    parts = urlsplit(address)
    place = parts.netloc.rpartition("@")[2]
    return f"{parts.scheme}://{place}{parts.path}" if parts.scheme else address.partition("?")[0]


def _read(
    dataset: str, project: Project, home: Home, newest: DatasetVersion | None, runs: Mapping[str, list[PastRun]]
) -> SourceReadView:
    last = next(iter(runs.get(f"etl:{dataset}", [])), None)
    return SourceReadView(
        dataset=dataset,
        mode=project.datasets[dataset].mode,
        version=newest.version if newest else None,
        cursor=_cursor(home.dataset(dataset), newest.version) if newest else None,
        last=_fetch(last, newest) if last else None,
    )


def _fetch(run: PastRun, newest: DatasetVersion | None) -> FetchView:
    made = newest is not None and newest.run == run.id
    return FetchView(
        run=run.id,
        state=run.state,
        at=run.at,
        took_seconds=run.took_seconds,
        rows=newest.added if made and newest is not None else 0 if run.state == "skipped" else None,
        reason=run.reason,
    )


def _cursor(table: Path, version: int) -> str | None:
    """Where the next read begins, as the source wrote it."""
    kept = commit_metadata(table, version).get(CURSOR)
    return None if kept is None else str(json.loads(kept)["value"])
