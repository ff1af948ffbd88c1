"""Feature skew: what was served to a version, against what its training would have looked up for the same moment.

The log keeps the columns that the model takes, whether a request brought them or the endpoint looked them up, and when
it was asked. So a view can be looked up again where the model takes the view's entity too; of a view whose entity is no
column of the model nobody can say whose values those were, and that is what is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from duckdb import DuckDBPyConnection

from pipeline.config import Project
from pipeline.config.models import Join
from pipeline.features.pit import Lookup, column_types, point_in_time
from pipeline.stats.shares import wilson
from pipeline.tables.duck import connect
from pipeline.tables.sqltext import identifier
from pipeline.trainingset.columns import keys_of, view_features
from pipeline.versions.signature import FeatureKind
from pipeline.watching.assessed import Answer, Assessed
from store import lake
from store.errors import ProjectError
from store.home import Home

SHOWN: Final = 3
_ROW, _AT, _FOUND, _ASKED = "_row", "_at", "_found", "_asked"


@dataclass(frozen=True, kw_only=True)
class FeatureSkew:
    """Of one feature of a view."""

    view: str
    feature: str
    rows: int
    differ: int
    """Rows in which the two are not the same value; of these also"""
    only_served: int
    """a value was served where training would have none,"""
    only_offline: int
    """and none where training would have one."""
    examples: tuple[tuple[str, str], ...]
    """(served, training) of some of them."""

    @property
    def share(self) -> float:
        return self.differ / self.rows if self.rows else 0.0


@dataclass(frozen=True, kw_only=True)
class Skew:
    """Of a window."""

    features: tuple[FeatureSkew, ...]
    """The most skewed first."""
    untold: Mapping[str, str]
    """View → why nothing can be said of it."""

    def document(self) -> dict[str, Any]:
        return {"features": [{**asdict(one), "share": one.share} for one in self.features], "untold": dict(self.untold)}


def skew_columns(project: Project, model: str, inputs: Mapping[str, FeatureKind]) -> dict[str, FeatureKind]:
    """Columns of the log that `skew` needs: those of the model, its views' entities as words."""
    keys = {join.on.get(entity, entity) for join in _views(project, model) for entity in _entity(project, join)}
    return {name: "categorical" if name in keys else kind for name, kind in inputs.items()}


def skew(
    home: Home,
    project: Project,
    model: str,
    rows: pa.Table,
    at: npt.NDArray[np.int64],
    inputs: Mapping[str, FeatureKind],
) -> Skew:
    """`rows`: what was asked, with the columns of `skew_columns`; `at` [n] when, microseconds since 1970 UTC. `inputs`:
    of the model. Against the newest version of each view: a row that came late is found now, and was not then."""
    found: list[FeatureSkew] = []
    untold: dict[str, str] = {}
    asked = rows.append_column(_AT, pa.array(at, pa.timestamp("us", "UTC")))
    asked = asked.append_column(_ROW, pa.array(range(rows.num_rows)))
    for place, join in enumerate(_views(project, model)):
        why = _unknown(home, project, join, inputs)
        if why is not None:
            untold[join.view] = why
            continue
        with closing(connect()) as connection:
            try:
                found += _compared(connection, home, project, join, asked, inputs, f"models.{model}.views[{place}]")
            except ProjectError as error:
                untold[join.view] = error.what
    return Skew(features=tuple(sorted(found, key=lambda one: (-one.share, one.feature))), untold=untold)


def skew_assessed(found: Skew, limit: float = 0.01, least_rows: int = 500) -> list[Assessed]:
    """A finding for each view of which a feature differs in more than `limit` of the rows for certain (Wilson 1927)."""
    told = []
    for view in sorted({one.view for one in found.features}):
        worst = next(one for one in found.features if one.view == view)
        low = wilson(worst.differ, worst.rows)[0]
        answer: Answer = "not yet" if worst.rows < least_rows else "found" if low > limit else "clear"
        shown = "; ".join(f"{served} served, {offline} in training" for served, offline in worst.examples)
        reason = (
            f"{worst.feature} differs in {worst.share:.1%} of {worst.rows:,} rows from what training would have looked "
            f"up, at least {low:.1%} for certain, where {limit:.1%} are allowed" + (f" ({shown})" if shown else "")
        )
        few = f"{worst.rows:,} rows, and at least {least_rows:,} are needed"
        told.append(
            Assessed(
                kind="skew",
                subject=view,
                answer=answer,
                title=f"{view} is served otherwise than trained"
                if answer == "found"
                else f"{view} is served as trained",
                reason=few if answer == "not yet" else reason,
                evidence={"features": [asdict(one) for one in found.features if one.view == view], "limit": limit},
                suggestion=f"does `trainshed run features:{view}` run often enough? Do callers compute it themselves?"
                if answer == "found"
                else "",
            )
        )
    return told


def _views(project: Project, model: str) -> list[Join]:
    return list(project.models[model].views)


def _entity(project: Project, join: Join) -> list[str]:
    return project.features[join.view].entity


def _unknown(home: Home, project: Project, join: Join, inputs: Mapping[str, FeatureKind]) -> str | None:
    lacking = [entity for entity in _entity(project, join) if join.on.get(entity, entity) not in inputs]
    if lacking:
        return (
            f"its entity {', '.join(lacking)} is no column of the model: the log does not say whose values were served"
        )
    if lake.latest(home.feature_view(join.view)) is None:
        return "it has no version yet"
    return None


def _compared(
    connection: DuckDBPyConnection,
    home: Home,
    project: Project,
    join: Join,
    asked: pa.Table,
    inputs: Mapping[str, FeatureKind],
    where: str,
) -> list[FeatureSkew]:
    view = project.features[join.view]
    connection.register("_view", lake.dataset_at(home.feature_view(join.view)))
    types = column_types(connection, "_view")
    on = keys_of(join, view, f"{where}.on")
    connection.register("_logged", asked)
    # Words as the log has them become what the view's entity is; what is none of that kind meets no row.
    cast = ", ".join(f"TRY_CAST({identifier(c)} AS {types[e]}) AS {identifier(e)}" for e, c in on.items())
    connection.execute(f"CREATE TEMP TABLE {_ASKED} AS SELECT {_ROW}, {_AT}, {cast} FROM _logged")
    features = [one for one in view_features(join, view, types, _FOUND, where) if one.name in inputs]
    lookup = Lookup(
        view=view,
        rows="_view",
        examples=_ASKED,
        row=_ROW,
        at=_AT,
        on={entity: entity for entity in on},
        features={one.source: one.name for one in features},
        where=where,
    )
    point_in_time(connection, lookup, _FOUND)
    columns = ", ".join(one.sql for one in features)
    offline = connection.sql(f"SELECT {columns} FROM {_FOUND} ORDER BY {_ROW}").to_arrow_table() if features else asked
    return [_feature(join.view, one.name, inputs[one.name], asked, offline) for one in features]


def _feature(view: str, name: str, kind: FeatureKind, asked: pa.Table, offline: pa.Table) -> FeatureSkew:
    """Numbers in single precision, as the model meets them; what is missing or not finite is None on both sides."""
    target = pa.float32() if kind == "numeric" else pa.string()
    served, trained = (
        [_value(one) for one in table.column(name).cast(target, safe=False).to_pylist()] for table in (asked, offline)
    )
    differ = [(one, other) for one, other in zip(served, trained, strict=True) if one != other]
    return FeatureSkew(
        view=view,
        feature=name,
        rows=len(served),
        differ=len(differ),
        only_served=sum(other is None for _, other in differ),
        only_offline=sum(one is None for one, _ in differ),
        examples=tuple((_shown(one), _shown(other)) for one, other in differ[:SHOWN]),
    )


def _value(one: Any) -> Any:
    return None if isinstance(one, float) and not np.isfinite(one) else one


def _shown(one: Any) -> str:
    return "nothing" if one is None else f"{one:.6g}" if isinstance(one, float) else str(one)[:40]
