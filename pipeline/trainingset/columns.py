"""The columns of a training set: which ones a model needs, where they come from, what kind of feature each is. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from pipeline.config.datasets import FeatureView
from pipeline.config.models import Join, Model
from pipeline.features.columns import feature_columns
from pipeline.features.pit import require_columns, require_utc, type_family
from pipeline.tables.sqltext import identifier
from store.errors import ProjectError

FeatureKind = Literal["numeric", "categorical"]
EXAMPLES: Final = "_examples"
"""Relation of the examples while a set is made."""


@dataclass(frozen=True)
class Feature:
    name: str
    kind: FeatureKind
    """numeric: a column of floats, missing is NULL or NaN; categorical: a column of text."""


@dataclass(frozen=True, kw_only=True)
class FeatureColumn:
    """A feature and the place that its values come from."""

    name: str
    kind: FeatureKind
    type: str
    """DuckDB type of the source column."""
    relation: str
    source: str

    @property
    def worded(self) -> bool:
        """A category that is a float: DuckDB writes 1.0 where a version is asked with "1" (`encoding.words`)."""
        return self.kind == "categorical" and type_family(self.type) == "float"

    @property
    def sql(self) -> str:
        """Numbers become floats (single precision stays so), categories text, unless they are `worded` later."""
        target = "VARCHAR" if self.kind == "categorical" else "FLOAT" if self.type == "FLOAT" else "DOUBLE"
        column = f"{identifier(self.relation)}.{identifier(self.name)}"
        return f"{column if self.worded else f'{column}::{target}'} AS {identifier(self.name)}"


def require_model(model: Model, known: Mapping[str, str], where: str) -> None:
    """Raises ProjectError for a column that the dataset does not have, or a label that is its own feature."""
    named = {model.label: f"{where}.label"}
    named |= dict.fromkeys(model.key, f"{where}.key")
    named |= dict.fromkeys(model.numeric, f"{where}.numeric") | dict.fromkeys(model.categorical, f"{where}.categorical")
    if model.time:
        named[model.time] = f"{where}.time"
    require_columns(named, known, f"the dataset {model.dataset!r}")
    if model.time:
        require_utc(model.time, known[model.time], f"{where}.time")
    features = [*model.numeric, *model.categorical]
    if model.label in features:
        raise ProjectError(
            f"the label {model.label!r} is among the features: the model would be told the answer",
            where=f"{where}.{'numeric' if model.label in model.numeric else 'categorical'}",
            remedy="remove it from the features",
        )


def dataset_features(model: Model, known: Mapping[str, str], where: str) -> list[FeatureColumn]:
    """The dataset's own columns that are features. Raises ProjectError for a number that is text, and for a category
    that is a moment: each who writes it down does so in another way."""
    found = []
    declared: list[tuple[FeatureKind, str]] = [("numeric", c) for c in model.numeric]
    declared += [("categorical", c) for c in model.categorical]
    for kind, name in declared:
        if kind == "numeric" and not _is_number(known[name]) and known[name] != "BOOLEAN":
            raise ProjectError(
                f"the column {name!r} is {known[name]}, and numeric features are numbers",
                where=f"{where}.numeric",
                remedy="list it under categorical, or cast it where the dataset is made",
            )
        if kind == "categorical" and known[name].startswith("TIME"):
            raise ProjectError(
                f"the column {name!r} is {known[name]}, and a moment is no category",
                where=f"{where}.categorical",
                remedy=f"make a word of it where the dataset is made, such as strftime({name}, '%A')",
            )
        found.append(FeatureColumn(name=name, kind=kind, type=known[name], relation=EXAMPLES, source=name))
    return found


def view_features(
    join: Join, view: FeatureView, known: Mapping[str, str], relation: str, where: str
) -> list[FeatureColumn]:
    """A view's features: text and truth values are categories, numbers numbers. Raises ProjectError for others."""
    require_columns(dict.fromkeys(view.columns, f"features.{join.view}.columns"), known, f"the view {join.view!r}")
    found = []
    for source in feature_columns(view, list(known)):
        kind = known[source]
        if not _is_number(kind) and kind not in {"VARCHAR", "BOOLEAN"}:
            raise ProjectError(
                f"the column {source!r} of the view {join.view!r} is {kind}, which is no feature",
                where=where,
                remedy="make it a number or text in the view's SQL, or leave it out by the view's `columns`",
            )
        found.append(
            FeatureColumn(
                name=join.prefix + source,
                kind="numeric" if _is_number(kind) else "categorical",
                type=kind,
                relation=relation,
                source=source,
            )
        )
    return found


def keys_of(join: Join, view: FeatureView, where: str) -> dict[str, str]:
    """Entity column of the view → column of the dataset. Raises ProjectError for a name that is no entity."""
    require_columns(dict.fromkeys(join.on, where), dict.fromkeys(view.entity, ""), f"the entity of {join.view!r}")
    return {entity: join.on.get(entity, entity) for entity in view.entity}


def require_distinct(features: Sequence[FeatureColumn], others: Sequence[str], where: str) -> None:
    """Raises ProjectError where two features, or a view's feature and another column, have the same name."""
    taken = {name.lower() for name in others}
    for feature in features:
        own = feature.relation == EXAMPLES and feature.name in others
        if feature.name.lower() in taken and not own:
            raise ProjectError(
                f"there are two columns {feature.name!r}",
                where=where,
                remedy="list it once, or give the view a `prefix`",
            )
        taken.add(feature.name.lower())


def _is_number(kind: str) -> bool:
    return type_family(kind) in {"integer", "float"} or kind.startswith("DECIMAL")
