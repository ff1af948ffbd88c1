"""What a dataset lacks of a model's columns, from feature views: for each row as of its own time, as in training.

A request that names entities gets the same values from the views' online files at the moment at which it is answered
(`pipeline.serving.lookups`): both are the rows of one point-in-time join (`pipeline.features.pit`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import pyarrow as pa
import pyarrow.dataset as pads
from duckdb import DuckDBPyConnection

from pipeline.config.models import Join, Model
from pipeline.features.pit import Lookup, column_types, point_in_time, require_columns
from pipeline.process.context import RunContext
from pipeline.tables.sqltext import identifier
from pipeline.trainingset.columns import FeatureColumn, keys_of, view_features
from store import lake
from store.errors import NotFound, ProjectError

VIEW: Final = "features:"
"""Before the name of a feature view, in the inputs of a version of a dataset."""
_ROWS: Final = "_rows"
_ROW: Final = "_row_number"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A view at one version, and what is wanted of it."""

    join: Join
    place: str
    """In the project file, for errors."""
    version: int
    on: Mapping[str, str]
    """Entity column of the view → column of the rows."""
    features: Sequence[FeatureColumn]
    """Those that the rows lack; their relation is what the join makes."""


def views_asked(
    ctx: RunContext, connection: DuckDBPyConnection, name: str, model: Model, lacking: Sequence[str]
) -> list[Asked]:
    """The views of the model `name` that have columns which rows lack, each at its newest version, registered.

    Raises NotFound for a view without a version, ProjectError for one that does not fit the model.
    """
    found = []
    for number, join in enumerate(model.views):
        place, relation = f"models.{name}.views[{number}]", f"_view_{number}"
        newest = lake.latest(ctx.home.feature_view(join.view))
        if newest is None:
            remedy = f"make it: `trainshed run features:{join.view}`"
            raise NotFound(f"the feature view {join.view!r} has no version yet", where=place, remedy=remedy)
        connection.register(relation, lake.dataset_at(ctx.home.feature_view(join.view), newest.version))
        view = ctx.project.features[join.view]
        known = view_features(join, view, column_types(connection, relation), f"_found_{number}", place)
        features = [feature for feature in known if feature.name in lacking]
        if features:
            on = keys_of(join, view, f"{place}.on")
            found.append(Asked(join=join, place=place, version=newest.version, on=on, features=features))
    return found


def with_features(
    ctx: RunContext,
    connection: DuckDBPyConnection,
    model: Model,
    rows: pads.Dataset,
    columns: Sequence[str],
    asked: Sequence[Asked],
    batch_rows: int,
) -> pa.RecordBatchReader:
    """Every row with its own `columns` and the features that were found for it, in any order.

    More than fits into the connection's memory waits on disk. Raises ProjectError where the rows have no key of a view,
    not the model's time, or either of another kind than the view.
    """
    connection.register("_dataset", rows)
    known = column_types(connection, "_dataset")
    assert model.time is not None  # Model refuses views without it
    needed = {column: f"{one.place}.on" for one in asked for column in one.on.values()}
    require_columns({**needed, model.time: f"predictions.{ctx.spec.target}.dataset"}, known, "the dataset")
    wanted = ", ".join(identifier(column) for column in dict.fromkeys([*columns, model.time, *needed]))
    connection.sql(f"CREATE TEMP TABLE {_ROWS} AS SELECT row_number() OVER () AS {_ROW}, {wanted} FROM _dataset")
    for one in asked:
        point_in_time(connection, _lookup(ctx, one, model.time), one.features[0].relation)
    own = [f"{_ROWS}.{identifier(column)}" for column in columns]
    found = [feature.sql for one in asked for feature in one.features]
    joins = " ".join(f"JOIN {identifier(one.features[0].relation)} USING ({_ROW})" for one in asked)
    query = f"SELECT {', '.join([*own, *found])} FROM {_ROWS} {joins}"
    return connection.sql(query).to_arrow_reader(batch_rows)


def _lookup(ctx: RunContext, one: Asked, time: str) -> Lookup:
    number = one.features[0].relation.removeprefix("_found_")
    return Lookup(
        view=ctx.project.features[one.join.view],
        rows=f"_view_{number}",
        examples=_ROWS,
        row=_ROW,
        at=time,
        on=one.on,
        features={feature.source: feature.name for feature in one.features},
        where=one.place,
    )


def refuse_lacking(lacking: Sequence[str], asked: Sequence[Asked], dataset: str, where: str) -> None:
    """Raises ProjectError for a column that neither the dataset nor a view has."""
    known = {feature.name for one in asked for feature in one.features}
    for column in lacking:
        if column not in known:
            raise ProjectError(
                f"neither {dataset} nor a feature view of the model has a column {column!r}, and the version takes it",
                where=where,
                remedy=f"make {column} in the dataset; `trainshed check` names all that are missing",
            )
