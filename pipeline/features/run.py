"""Feature views: the features of an entity over time, computed from datasets and kept as versions in the lake."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
from duckdb import DuckDBPyConnection

from pipeline.config.datasets import FeatureView
from pipeline.features.columns import feature_columns
from pipeline.features.pit import column_types, require_columns, require_utc
from pipeline.features.publish import put_online
from pipeline.process.context import Preempted, RunContext
from pipeline.tables.calendar import within_calendar
from pipeline.tables.describe import describe
from pipeline.tables.duck import connect
from pipeline.tables.fingerprint import fingerprint
from pipeline.tables.shape import BATCH_ROWS, code_text, shape
from pipeline.tables.sqltext import identifier
from store import lake
from store.errors import NotFound, ProjectError
from store.facts import DatasetFacts
from store.home import Home
from store.lake import LakeVersion

FORMAT: Final = 1
"""Of what this step makes; a new number makes every view anew."""


def run_features(ctx: RunContext) -> None:
    """Computes the view `ctx.spec.target` from the newest versions of its inputs and commits it as a new version.

    Skipped when inputs, code and settings are those of the last commit. Raises NotFound for an input without a
    version, ProjectError for SQL that does not work or a view without its entity, time or feature columns,
    SchemaChanged for a time that no calendar has.
    """
    name = ctx.spec.target
    view = ctx.project.features[name]
    inputs = newest_versions(ctx.home, view.inputs, where=f"features.{name}.inputs")
    digest = fingerprint(
        step="features",
        format=FORMAT,
        view=view.model_dump(mode="json", exclude={"description", "online"}),
        code=code_text(ctx.project, view),
        inputs=inputs,
    )
    ctx.spool.write("fingerprint", value=digest)
    path = ctx.home.feature_view(name)
    current = lake.latest(path)
    if current and not ctx.spec.force and current.metadata.get(lake.FINGERPRINT) == digest:
        put_online(ctx.home, name, view, current.version, ctx.now())
        if ctx.spec.context.last_fingerprint == digest:
            ctx.spool.write("skip", reason=f"{name}@{current.version} is up to date: inputs and code are unchanged")
        else:
            # An attempt that committed and died before it could say so.
            _publish(ctx, name, path, current, before=None)
        return
    committed = _compute(ctx, name, view, inputs, digest, current)
    put_online(ctx.home, name, view, committed.version, ctx.now())
    _publish(ctx, name, path, committed, before=current)


def newest_versions(home: Home, datasets: Sequence[str], *, where: str) -> dict[str, int]:
    """Dataset → its newest version. Raises NotFound for one that has none."""
    versions = {}
    for name in datasets:
        newest = lake.latest(home.dataset(name))
        if newest is None:
            raise NotFound(
                f"the dataset {name!r} has no version yet", where=where, remedy=f"make it: `trainshed run etl:{name}`"
            )
        versions[name] = newest.version
    return versions


def _compute(
    ctx: RunContext, name: str, view: FeatureView, inputs: Mapping[str, int], digest: str, current: LakeVersion | None
) -> LakeVersion:
    ctx.spool.progress(0, None, "rows", message=f"computing {name}")
    datasets = {given: lake.dataset_at(ctx.home.dataset(given), version) for given, version in inputs.items()}
    connection = connect()
    try:
        connection.register("shaped", shape(ctx.project, view, datasets))
        cleaned = clean(connection, "shaped", view, where=f"features.{name}")
        for message in cleaned.notes:
            ctx.spool.note("feature_rows", f"{name}: {message}", level="warning", view=name)
        if ctx.stop.is_set():
            raise Preempted
        return lake.commit(
            ctx.home.feature_view(name),
            within_calendar(cleaned.rows, f"features.{name}"),
            mode="replace",
            metadata={
                lake.FINGERPRINT: digest,
                lake.RUN: str(ctx.spec.run),
                lake.INPUTS: json.dumps(dict(inputs), sort_keys=True),
            },
            expected=current.version if current else None,
        )
    finally:
        connection.close()


@dataclass(frozen=True)
class CleanRows:
    rows: pa.RecordBatchReader
    """Entity, time, created (if any) and features; one row for each (entity, time, created), in that order."""
    notes: list[str]
    """A sentence on each kind of row that was left out."""


def clean(connection: DuckDBPyConnection, relation: str, view: FeatureView, *, where: str) -> CleanRows:
    """The rows of `relation` (read once) that a lookup can find.

    A row without entity, time or created can never be found. Of rows that differ in features alone nobody can say
    which one holds: the one with the greatest values, feature by feature, is kept. Raises ProjectError.
    """
    known = column_types(connection, relation)
    features = _require_view(view, known, where)
    moments = [view.time, *([view.created] if view.created else [])]
    key = ", ".join(identifier(column) for column in (*view.entity, *moments))
    values = ", ".join(identifier(column) for column in features)
    whole = " AND ".join(f"{identifier(column)} IS NOT NULL" for column in (*view.entity, *moments))
    connection.sql(f"CREATE TEMP TABLE _all AS SELECT {key}, {values} FROM {identifier(relation)}")
    connection.sql(f"CREATE TEMP TABLE _distinct AS SELECT DISTINCT * FROM _all WHERE {whole}")
    ((unfindable, rows, keys),) = connection.sql(
        f"""SELECT (SELECT count(*) FROM _all WHERE NOT ({whole})), (SELECT count(*) FROM _distinct),
                   (SELECT count(*) FROM (SELECT DISTINCT {key} FROM _distinct))"""
    ).fetchall()
    notes = []
    if unfindable:
        notes.append(f"{unfindable:,} rows have no {' or no '.join([*view.entity, *moments])} and were left out")
    if rows > keys:
        notes.append(f"{rows - keys:,} rows contradict another of the same {key} and were left out")
    greatest_first = ", ".join(f"{identifier(column)} DESC NULLS LAST" for column in features)
    result = connection.sql(
        f"""SELECT * FROM _distinct
            QUALIFY row_number() OVER (PARTITION BY {key} ORDER BY {greatest_first}) = 1 ORDER BY {key}"""
    )
    return CleanRows(result.to_arrow_reader(BATCH_ROWS), notes)


def _require_view(view: FeatureView, known: Mapping[str, str], where: str) -> list[str]:
    """Its feature columns, after a look at all of its columns."""
    named = {**dict.fromkeys(view.entity, f"{where}.entity"), view.time: f"{where}.time"}
    if view.created:
        named[view.created] = f"{where}.created"
    named |= dict.fromkeys(view.columns, f"{where}.columns")
    require_columns(named, known, "the view")
    for time in (view.time, view.created):
        if time:
            require_utc(time, known[time], named[time])
    features = feature_columns(view, list(known))
    if not features:
        raise ProjectError(
            "the view has no features: all its columns are entity or time", where=where, remedy="select more columns"
        )
    return features


def _publish(ctx: RunContext, name: str, path: Path, version: LakeVersion, before: LakeVersion | None) -> None:
    described = describe(lake.dataset_at(path, version.version), ctx.project.features[name].time)
    ctx.spool.facts(
        "dataset",
        DatasetFacts(
            dataset=name,
            kind="feature view",
            version=version.version,
            rows=version.rows,
            added=version.rows,
            removed=before.rows if before else 0,
            bytes=version.bytes,
            columns=described.columns,
            schema_changes=_schema_changes(before, version),
            inputs=json.loads(version.metadata[lake.INPUTS]),
            fingerprint=version.metadata[lake.FINGERPRINT],
            newest_us=described.newest_us,
            sample=described.sample,
        ),
    )


def _schema_changes(before: LakeVersion | None, after: LakeVersion) -> list[str]:
    if before is None:
        return []
    old = {field.name: field.type for field in before.schema}
    new = {field.name: field.type for field in after.schema}
    return [
        *(f"{column} is gone" for column in old if column not in new),
        *(f"{column} is new ({kind})" for column, kind in new.items() if column not in old),
        *(f"{column} was {old[c]} and is {new[c]}" for c in new if (column := c) in old and old[c] != new[c]),
    ]
