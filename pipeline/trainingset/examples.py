"""From the lake to labelled, joined and split examples: temporary tables of one DuckDB connection."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

import pyarrow as pa
from duckdb import DuckDBPyConnection

from pipeline.config import Project
from pipeline.config.models import Model
from pipeline.features.pit import Lookup, column_types, point_in_time, point_in_time_sql, require_columns, type_family
from pipeline.features.run import newest_versions
from pipeline.tables.shape import BATCH_ROWS
from pipeline.tables.sqltext import identifier, literal
from pipeline.trainingset.columns import (
    EXAMPLES,
    FeatureColumn,
    dataset_features,
    keys_of,
    require_distinct,
    require_model,
    view_features,
)
from pipeline.trainingset.labels import LabelCounts, refuse_label_type, refuse_labels
from pipeline.trainingset.split import Part, by_key, by_time
from pipeline.versions.encoding import words
from store import lake
from store.errors import NotFound, Unlearnable
from store.home import Home

_ROW: Final = "_example_row"
_PART: Final = "_example_part"
_SET: Final = "_training_set"


class Where(Protocol):
    """What examples are gathered for and from; a run's context is one."""

    @property
    def project(self) -> Project: ...

    @property
    def home(self) -> Home: ...


@dataclass(frozen=True, kw_only=True)
class Examples:
    """A model's examples as a table of the connection, complete and judged learnable."""

    connection: DuckDBPyConnection
    features: tuple[FeatureColumn, ...]
    inputs: dict[str, int]
    """Dataset, or `features:` and a view → version."""
    query: str
    dropped_unlabelled: int
    dropped_untimed: int
    left_in_gap: int

    def read(self, part: Part) -> pa.RecordBatchReader:
        """A part's rows by time and key."""
        rows = f"SELECT * EXCLUDE ({_ROW}, {_PART}) FROM {_SET} WHERE {_PART} = {literal(part)} ORDER BY {_ROW}"
        return self._worded(self.connection.sql(rows).to_arrow_reader(BATCH_ROWS))

    def between(self, time: str, since_us: int, until_us: int) -> pa.RecordBatchReader:
        """The rows of all parts, and of none, whose `time` lies in [since, until), by time and key."""
        named = f"epoch_us({identifier(time)})"
        kept = f"{named} >= {int(since_us)} AND {named} < {int(until_us)}"
        rows = f"SELECT * EXCLUDE ({_ROW}, {_PART}) FROM {_SET} WHERE {kept} ORDER BY {_ROW}"
        return self._worded(self.connection.sql(rows).to_arrow_reader(BATCH_ROWS))

    def _worded(self, rows: pa.RecordBatchReader) -> pa.RecordBatchReader:
        """The rows with their categories as text."""
        places = [rows.schema.get_field_index(feature.name) for feature in self.features if feature.worded]
        if not places:
            return rows
        schema = rows.schema
        for place in places:
            schema = schema.set(place, pa.field(schema.field(place).name, pa.string()))

        def batches() -> Iterator[pa.RecordBatch]:
            for batch in rows:
                table = pa.Table.from_batches([batch])
                for place in places:
                    table = table.set_column(place, schema.field(place), words(table.column(place)))
                yield from table.to_batches()

        return pa.RecordBatchReader.from_batches(schema, batches())

    def constant_features(self) -> list[str]:
        """Features with one value (or none at all) in the rows that train."""
        names = [identifier(feature.name) for feature in self.features]
        asked = ", ".join(f"count({n}) = 0 OR (count({n}) = count(*) AND min({n}) = max({n}))" for n in names)
        (answers,) = self.connection.sql(f"SELECT {asked} FROM {_SET} WHERE {_PART} = 'train'").fetchall()
        return [feature.name for feature, constant in zip(self.features, answers, strict=True) if constant]


def gather_examples(connection: DuckDBPyConnection, ctx: Where, name: str, model: Model) -> Examples:
    """Makes the examples of the model `name`; errors as `build_training_set` says."""
    where = f"models.{name}"
    inputs = newest_versions(ctx.home, [model.dataset], where=f"{where}.dataset")
    connection.register("_dataset", lake.dataset_at(ctx.home.dataset(model.dataset), inputs[model.dataset]))
    known = column_types(connection, "_dataset")
    require_model(model, known, where)
    refusal = refuse_label_type(model.task, model.label, known[model.label], f"{where}.label")
    if refusal:
        raise refusal
    lookups, features = _lookups(connection, ctx, model, known, inputs, where)
    wanted = _columns_wanted(model, features, known, lookups, where)
    unlabelled, untimed = _make_examples(connection, model, known, wanted, where)
    for number, lookup in enumerate(lookups):
        point_in_time(connection, lookup, f"_found_{number}")
    query = _set_sql(connection, model, features, len(lookups), where)
    connection.sql(f"CREATE OR REPLACE TEMP TABLE {_SET} AS {query}")
    left_in_gap = _judge(connection, model, where)
    steps = [_examples_sql(model, known, wanted), *(point_in_time_sql(lookup) for lookup in lookups), query]
    return Examples(
        connection=connection,
        features=tuple(features),
        inputs=inputs,
        query=";\n".join(" ".join(step.split()) for step in steps),
        dropped_unlabelled=unlabelled,
        dropped_untimed=untimed,
        left_in_gap=left_in_gap,
    )


def _lookups(
    connection: DuckDBPyConnection,
    ctx: Where,
    model: Model,
    known: Mapping[str, str],
    inputs: dict[str, int],
    where: str,
) -> tuple[list[Lookup], list[FeatureColumn]]:
    """A lookup for each view, and all features in the order of the project file; adds the views to `inputs`."""
    lookups = []
    features = dataset_features(model, known, where)
    for number, join in enumerate(model.views):
        place = f"{where}.views[{number}]"
        newest = lake.latest(ctx.home.feature_view(join.view))
        if newest is None:
            raise NotFound(
                f"the feature view {join.view!r} has no version yet",
                where=place,
                remedy=f"make it: `trainshed run features:{join.view}`",
            )
        inputs[f"features:{join.view}"] = newest.version
        rows = f"_view_{number}"
        connection.register(rows, lake.dataset_at(ctx.home.feature_view(join.view), newest.version))
        view = ctx.project.features[join.view]
        found = view_features(join, view, column_types(connection, rows), f"_found_{number}", place)
        assert model.time is not None  # Model refuses views without it
        lookups.append(
            Lookup(
                view=view,
                rows=rows,
                examples=EXAMPLES,
                row=_ROW,
                at=model.time,
                on=keys_of(join, view, f"{place}.on"),
                features={feature.source: feature.name for feature in found},
                where=place,
            )
        )
        require_columns(dict.fromkeys(lookups[-1].on.values(), f"{place}.on"), known, f"the dataset {model.dataset!r}")
        features += found
    return lookups, features


def _columns_wanted(
    model: Model, features: Sequence[FeatureColumn], known: Mapping[str, str], lookups: Sequence[Lookup], where: str
) -> list[str]:
    """The dataset's columns that the examples need, each once."""
    named = {feature.name for feature in features}
    slices = [column for column in model.slices if column not in named]
    require_columns(dict.fromkeys(slices, f"{where}.slices"), {**known, **dict.fromkeys(named, "")}, "the examples")
    kept = [*model.key, *([model.time] if model.time else []), model.label, *slices]
    require_distinct(features, kept, where)
    keys = [column for lookup in lookups for column in lookup.on.values()]
    return list(dict.fromkeys([*kept, *model.numeric, *model.categorical, *keys]))


def _examples_sql(model: Model, known: Mapping[str, str], wanted: Sequence[str]) -> str:
    """Labelled rows in their order: by time and key, equal ones by content, so that the order never depends on luck."""
    names = {column: identifier(column) for column in wanted}
    order = ", ".join(names[column] for column in ([model.time] if model.time else []) + model.key)
    number = f"row_number() OVER (ORDER BY {order}, hash({', '.join(names.values())})) AS {_ROW}"
    if known[model.label].startswith("DECIMAL"):
        names[model.label] = f"{names[model.label]}::DOUBLE AS {names[model.label]}"
    timed = f" AND {identifier(model.time)} IS NOT NULL" if model.time else ""
    return f"SELECT {number}, {', '.join(names.values())} FROM _dataset WHERE {_labelled(model, known)}{timed}"


def _labelled(model: Model, known: Mapping[str, str]) -> str:
    label = identifier(model.label)
    finite = f" AND isfinite({label})" if type_family(known[model.label]) == "float" else ""
    return f"({label} IS NOT NULL{finite})"


def _make_examples(
    connection: DuckDBPyConnection, model: Model, known: Mapping[str, str], wanted: Sequence[str], where: str
) -> tuple[int, int]:
    """Makes the relation of examples; returns the rows left out for want of a label, and of a time."""
    connection.sql(f"CREATE OR REPLACE TEMP TABLE {EXAMPLES} AS {_examples_sql(model, known, wanted)}")
    ((rows, labelled, examples),) = connection.sql(
        f"""SELECT (SELECT count(*) FROM _dataset), (SELECT count(*) FROM _dataset WHERE {_labelled(model, known)}),
                   (SELECT count(*) FROM {EXAMPLES})"""
    ).fetchall()
    if rows == 0:
        raise Unlearnable(
            f"the dataset {model.dataset!r} has no rows",
            where=f"{where}.dataset",
            remedy=f"look at `trainshed data show {model.dataset}`, and at the source it comes from",
        )
    if labelled == 0:
        raise Unlearnable(
            f"none of the {rows:,} rows has a label: {model.label} is NULL or NaN in all",
            where=f"{where}.label",
            remedy="name another column, or wait until labels have arrived",
        )
    if examples == 0:
        raise Unlearnable(
            f"none of the {labelled:,} rows with a label has a time: {model.time} is NULL in all",
            where=f"{where}.time",
            remedy="name another column",
        )
    return rows - labelled, labelled - examples


def _set_sql(
    connection: DuckDBPyConnection, model: Model, features: Sequence[FeatureColumn], views: int, where: str
) -> str:
    """Examples with the features that were found for them, in order, each with its part."""
    named = {feature.name for feature in features}
    kept = dict.fromkeys([*model.key, *([model.time] if model.time else []), model.label, *model.slices])
    own = [f"{EXAMPLES}.{identifier(column)}" for column in kept if column not in named]
    columns = ", ".join([*own, *(feature.sql for feature in features)])
    joins = " ".join(f"JOIN _found_{number} USING ({_ROW})" for number in range(views))
    return (
        f"SELECT {_ROW}, {_part_sql(connection, model, where)} AS {_PART}, {columns} "
        f"FROM {EXAMPLES} {joins} ORDER BY {_ROW}"
    )


def _part_sql(connection: DuckDBPyConnection, model: Model, where: str) -> str:
    if model.time is None:
        return by_key(model.split, f"{where}.split").sql(EXAMPLES, model.key)
    return by_time(_Times(connection, model.time), model.split).sql(EXAMPLES, model.time)


class _Times:
    """The examples' times in order, each fetched by its row number: of a billion rows a split looks at a hundred."""

    def __init__(self, connection: DuckDBPyConnection, time: str) -> None:
        self._connection = connection
        self._time = f"epoch_us({identifier(time)})"

    def __len__(self) -> int:
        ((rows,),) = self._connection.sql(f"SELECT count(*) FROM {EXAMPLES}").fetchall()
        return int(rows)

    def __getitem__(self, place: int) -> int:
        asked = f"SELECT {self._time} FROM {EXAMPLES} WHERE {_ROW} = {place + 1}"
        ((at,),) = self._connection.sql(asked).fetchall()
        return int(at)


def _judge(connection: DuckDBPyConnection, model: Model, where: str) -> int:
    """Rows in no part. Raises what `refuse_labels` says of the labels."""
    label = identifier(model.label)
    counted = connection.sql(f"SELECT {_PART}, count(*), count(DISTINCT {label}) FROM {_SET} GROUP BY 1").fetchall()
    ((classes,),) = connection.sql(f"SELECT count(DISTINCT {label}) FROM {EXAMPLES}").fetchall()
    parts = {part: LabelCounts(rows=rows, distinct=distinct) for part, rows, distinct in counted if part}
    refusal = refuse_labels(model.task, classes, parts, label=model.label, where=where)
    if refusal:
        raise refusal
    return sum(rows for part, rows, _ in counted if part is None)
