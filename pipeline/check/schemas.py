"""Which columns each table of a project will have: declared, found in the lake, or compiled from SQL.

Nothing is computed: SQL is bound against empty tables of the inputs' columns.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.dataset as pads

from pipeline.check.findings import Findings
from pipeline.check.peek import peek
from pipeline.check.references import matches
from pipeline.config import Project
from pipeline.config.datasets import Dataset, FeatureView, Made
from pipeline.config.jobs import jobs_of
from pipeline.config.references import nearest
from pipeline.config.sources import FileSource
from pipeline.tables.arrow import contract_type
from pipeline.tables.shape import shape
from store import lake
from store.errors import ProjectError, TrainshedError
from store.home import Home


@dataclass(frozen=True)
class Schemas:
    """Schema by name; None where it is not known before a first run, or where a fault was found."""

    datasets: dict[str, pa.Schema | None] = field(default_factory=dict)
    views: dict[str, pa.Schema | None] = field(default_factory=dict)


def find_schemas(project: Project, home: Home, found: Findings) -> Schemas:
    schemas = Schemas()
    for job in jobs_of(project).values():
        if job.kind == "etl":
            dataset = project.datasets[job.target]
            schemas.datasets[job.target] = _of_dataset(project, home, job.target, dataset, schemas.datasets, found)
        elif job.kind == "features":
            view = project.features[job.target]
            schemas.views[job.target] = _of_view(project, home, job.target, view, schemas.datasets, found)
    return schemas


def _of_dataset(
    project: Project,
    home: Home,
    name: str,
    dataset: Dataset,
    known: Mapping[str, pa.Schema | None],
    found: Findings,
) -> pa.Schema | None:
    key = f"datasets.{name}"
    try:
        contract = {column: contract_type(word, f"{key}.columns.{column}") for column, word in dataset.columns.items()}
    except ProjectError as error:
        found.error(error)
        return None
    declared = pa.schema(list(contract.items())) if contract else None
    if dataset.sql is None:
        return _unshaped(project, home, name, dataset, declared, found)
    made = _compiled(project, key, dataset, known, found)
    if made is None or declared is None:
        return made or declared or _in_lake(home, dataset, name)
    _gone(key, declared, made, "the SQL gives", found)
    return declared


def _unshaped(
    project: Project, home: Home, name: str, dataset: Dataset, declared: pa.Schema | None, found: Findings
) -> pa.Schema | None:
    """The columns of a dataset that no SQL makes: from a source, or from Python."""
    key = f"datasets.{name}"
    source = project.sources[dataset.source] if dataset.source is not None else None
    if isinstance(source, FileSource) and matches(project, source):
        try:
            seen = peek(project, dataset.source or "", source, {} if declared is None else dict(_fields(declared)))
        except TrainshedError as error:
            found.error(error)
            return declared
        if declared is not None and seen is not None:
            _gone(key, declared, seen, "the file has", found)
        return declared or seen
    schema = declared or _in_lake(home, dataset, name)
    if schema is None:
        found.note(key, "its columns are not known before its first run", f"run `trainshed run etl:{name}`")
    return schema


def _fields(schema: pa.Schema) -> list[tuple[str, pa.DataType]]:
    return [(field.name, field.type) for field in schema]


def _gone(key: str, declared: pa.Schema, made: pa.Schema, who: str, found: Findings) -> None:
    for column in sorted(set(declared.names) - set(made.names)):
        what = f"{who} no column {column!r}{nearest(column, made.names)}"
        found.fault(f"{key}.columns", what, "correct the name, or take it out of `columns`")


def _of_view(
    project: Project,
    home: Home,
    name: str,
    view: FeatureView,
    known: Mapping[str, pa.Schema | None],
    found: Findings,
) -> pa.Schema | None:
    if view.sql is None and view.python is None:
        return known[view.inputs[0]]
    if view.sql is not None:
        return _compiled(project, f"features.{name}", view, known, found)
    return _in_lake(home, view, name)


def _in_lake(home: Home, made: Made, name: str) -> pa.Schema | None:
    newest = lake.latest(home.feature_view(name) if isinstance(made, FeatureView) else home.dataset(name))
    return None if newest is None else newest.schema


def _compiled(
    project: Project, key: str, made: Made, known: Mapping[str, pa.Schema | None], found: Findings
) -> pa.Schema | None:
    """The columns of the SQL's result."""
    unknown = [name for name in made.inputs if known.get(name) is None]
    if unknown:
        first = f"run `trainshed run etl:{unknown[0]}` first, or declare its `columns`"
        found.note(f"{key}.sql", f"not compiled: the columns of {', '.join(unknown)} are not known yet", first)
        return None
    empty = {name: pads.dataset(_schema(known, name).empty_table()) for name in made.inputs}
    try:
        reader = shape(project, made, empty)
    except TrainshedError as error:
        found.error(error, f"{key}.sql")
        return None
    schema = reader.schema
    reader.close()
    return schema


def _schema(known: Mapping[str, pa.Schema | None], name: str) -> pa.Schema:
    schema = known[name]
    assert schema is not None
    return schema
