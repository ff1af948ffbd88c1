"""Keys of the project file that name columns: is there such a column, and is it of a type that fits?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta

import duckdb
import pyarrow as pa

from pipeline.check.findings import Findings
from pipeline.check.schemas import Schemas
from pipeline.config import Project
from pipeline.config.checks import AnyCheck
from pipeline.config.datasets import FeatureView
from pipeline.config.models import Model
from pipeline.config.references import nearest
from pipeline.tables.arrow import contract_type
from pipeline.tables.duck import connect
from pipeline.tables.sqltext import identifier, literal
from store.errors import ProjectError

_OBJECTIVES = {
    "binary": {"auc", "log_loss", "accuracy"},
    "multiclass": {"log_loss", "accuracy"},
    "regression": {"rmse", "mae", "r2"},
}


def check_datasets(project: Project, schemas: Schemas, found: Findings) -> None:
    for name, dataset in project.datasets.items():
        key, schema = f"datasets.{name}", schemas.datasets[name]
        if schema is None:
            continue
        _have(schema, [*dataset.key], f"{key}.key", found)
        if dataset.time is not None and _have(schema, [dataset.time], f"{key}.time", found):
            _is_time(schema, dataset.time, f"{key}.time", found)
        for number, check in enumerate(dataset.checks):
            _check(f"{key}.checks[{number}]", name, check, schema, schemas, found)


def check_views(project: Project, schemas: Schemas, found: Findings) -> None:
    for name, view in project.features.items():
        key, schema = f"features.{name}", schemas.views[name]
        if schema is None:
            continue
        _have(schema, view.entity, f"{key}.entity", found)
        _have(schema, view.columns, f"{key}.columns", found)
        for which, column in (("time", view.time), ("created", view.created)):
            if column is not None and _have(schema, [column], f"{key}.{which}", found):
                _is_time(schema, column, f"{key}.{which}", found)


def check_models(project: Project, schemas: Schemas, found: Findings) -> None:
    for name, model in project.models.items():
        key = f"models.{name}"
        _settings(key, model, found)
        schema = schemas.datasets[model.dataset]
        if schema is not None:
            _model_columns(key, model, schema, found)
        for number, join in enumerate(model.views):
            view, place = project.features[join.view], f"{key}.views[{number}].on"
            for column in sorted(set(join.on) - set(view.entity)):
                what = f"{column!r} is no entity column of {join.view!r}{nearest(column, view.entity)}"
                found.fault(place, what, "correct it: entity column of the view → column of the dataset")
            if schema is not None:
                _have(schema, [join.on.get(column, column) for column in view.entity], place, found)
        _twins(key, project, model, schemas, found)


def _settings(key: str, model: Model, found: Findings) -> None:
    """Settings of a model that contradict each other."""
    if model.objective is not None and model.objective not in _OBJECTIVES[model.task]:
        allowed = ", ".join(sorted(_OBJECTIVES[model.task]))
        found.fault(
            f"{key}.objective", f"{model.objective!r} does not suit task {model.task!r}", f"use one of {allowed}"
        )
    spans = [model.split.validate_, model.split.test]
    if model.time is None and any(isinstance(span, timedelta) for span in spans):
        found.fault(f"{key}.split", "a span of time without `time`", "name the model's time column, or give shares")
    if model.label in (*model.numeric, *model.categorical):
        found.fault(f"{key}.label", f"{model.label!r} is a feature too", "take it out of numeric and categorical")


def _model_columns(key: str, model: Model, schema: pa.Schema, found: Findings) -> None:
    for which, columns in (
        ("label", [model.label]),
        ("key", model.key),
        ("numeric", model.numeric),
        ("categorical", model.categorical),
    ):
        _have(schema, columns, f"{key}.{which}", found)
    if model.time is not None and _have(schema, [model.time], f"{key}.time", found):
        _is_time(schema, model.time, f"{key}.time", found)
    for column in model.numeric:
        if column in schema.names and not is_number(schema.field(column).type):
            what = f"{column!r} is not a number but {schema.field(column).type}"
            found.fault(f"{key}.numeric", what, "name it under categorical, or turn it into a number in SQL")


def _twins(key: str, project: Project, model: Model, schemas: Schemas, found: Findings) -> None:
    """Two features of one name."""
    names = Counter([*model.numeric, *model.categorical])
    for join in model.views:
        view, schema = project.features[join.view], schemas.views[join.view]
        names.update(f"{join.prefix}{column}" for column in _features(view, schema))
    for twin in sorted(name for name, times in names.items() if times > 1):
        found.fault(f"{key}.views", f"two features are called {twin!r}", "give one of the views a `prefix`")


def _features(view: FeatureView, schema: pa.Schema | None) -> list[str]:
    if view.columns or schema is None:
        return view.columns
    return [column for column in schema.names if column not in {*view.entity, view.time, view.created}]


def _check(key: str, dataset: str, check: AnyCheck, schema: pa.Schema, schemas: Schemas, found: Findings) -> None:
    """One check of a dataset: its columns, and the SQL or pattern in it."""
    columns = list(_columns_of(check))
    there = _have(schema, columns, key, found)
    match check.kind:
        case "foreign_key":
            other = schemas.datasets[check.dataset]
            if other is not None:
                _have(other, [check.to], f"{key}.to", found)
        case "freshness" if there:
            if not pa.types.is_date(schema.field(check.column).type):  # its day began at midnight, UTC
                _is_time(schema, check.column, key, found)
        case "schema":
            for column, word in check.columns.items():
                try:
                    contract_type(word, f"{key}.columns.{column}")
                except ProjectError as error:
                    found.error(error)
        case "sql":
            _compiles(f"select ({check.rule}) from {identifier(dataset)}", {dataset: schema}, f"{key}.rule", found)
        case "regex":
            _compiles(f"select regexp_full_match('', {literal(check.pattern)})", {}, f"{key}.pattern", found)


def _columns_of(check: AnyCheck) -> Iterator[str]:
    match check.kind:
        case "unique":
            yield from check.columns
        case "schema":
            yield from check.columns
        case "not_null" | "accepted" | "range" | "regex" | "foreign_key" | "freshness" | "distribution":
            yield check.column


def _compiles(sql: str, tables: dict[str, pa.Schema], key: str, found: Findings) -> None:
    connection = connect()
    try:
        for name, schema in tables.items():
            connection.register(name, schema.empty_table())
        connection.execute(sql)
    except duckdb.Error as error:
        found.fault(key, str(error).strip(), "mend it; it is DuckDB SQL over the dataset's columns")
    finally:
        connection.close()


def _have(schema: pa.Schema, columns: Iterable[str], key: str, found: Findings) -> bool:
    lacking = [column for column in columns if column not in schema.names]
    for column in lacking:
        found.fault(key, f"no column {column!r}{nearest(column, schema.names)}", "correct the name, or make the column")
    return not lacking


def _is_time(schema: pa.Schema, column: str, key: str, found: Findings) -> None:
    found_type = schema.field(column).type
    if not (pa.types.is_timestamp(found_type) and found_type.tz is not None):
        remedy = "make it a time with a zone, such as cast(… as timestamptz), or declare it a timestamp in `columns`"
        found.fault(key, f"{column!r} is not a time but {found_type}", remedy)


def is_number(found_type: pa.DataType) -> bool:
    """Whether a model can take such a column as a number."""
    return bool(
        pa.types.is_integer(found_type)
        or pa.types.is_floating(found_type)
        or pa.types.is_boolean(found_type)
        or pa.types.is_decimal(found_type)
    )
