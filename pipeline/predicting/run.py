"""`batch-predict:NAME`: every row of a dataset through a version, in bounded memory, to one new version of a dataset.

The commit is one: it is there whole, or not at all. An attempt that finds its run's commit in the lake only tells it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from typing import Final

import pyarrow as pa
import pyarrow.dataset as pads

from pipeline.config.predictions import Predictions
from pipeline.features.run import newest_versions
from pipeline.predicting.lookups import VIEW, Asked, refuse_lacking, views_asked, with_features
from pipeline.predicting.rows import ADDED, predicted, predicted_schema
from pipeline.process.context import Preempted, RunContext
from pipeline.process.spec import ProductionFacts
from pipeline.serving.outputs import SCORE
from pipeline.tables.describe import describe
from pipeline.tables.duck import connect
from pipeline.tables.fingerprint import fingerprint
from pipeline.tables.storage import storage_faults
from pipeline.training.devices import resolve_device
from pipeline.versions.bundle import LoadedBundle, load_bundle
from pipeline.versions.signature import Signature
from store import lake
from store.errors import GoldenMismatch, NotFound, ProjectError, SchemaChanged
from store.facts import DatasetFacts
from store.lake import LakeVersion

FORMAT: Final = 1
"""Of what this step makes; a new number makes it anew."""
BATCH_ROWS: Final = 65_536
MODEL: Final = "model:"
"""Before the name of a model, in the inputs of a version of a dataset."""


def run_batch_predict(ctx: RunContext) -> None:
    """Predicts `ctx.spec.target`, or skips when rows, version and settings are those of the last commit.

    Raises NotFound (no such version, no rows yet, a feature view without a version), BundleDamaged, GoldenMismatch,
    SchemaChanged for a column that is missing or of the wrong kind, ProjectError where rows do not fit a feature view;
    Preempted, with the lake as it was.
    """
    name, section = ctx.spec.target, ctx.project.predictions[ctx.spec.target]
    current = lake.latest(ctx.home.dataset(name))
    if current is not None and current.metadata.get(lake.RUN) == str(ctx.spec.run):
        _publish(ctx, current)  # an attempt of this run committed, and died before it could say so
        return
    asked, model = _asked(ctx, section), ctx.project.models[section.model]
    inputs = newest_versions(ctx.home, [section.dataset], where=f"predictions.{name}.dataset")
    lacking = _lacking(ctx, asked, lake.dataset_at(ctx.home.dataset(section.dataset), inputs[section.dataset]).schema)
    digest = fingerprint(
        step="batch-predict",
        format=FORMAT,
        section=section.model_dump(mode="json", exclude={"description"}),
        keep=section.keep or model.key,
        views=[join.model_dump(mode="json") for join in model.views] if lacking else [],
        version=asked.digest,
        inputs={**inputs, **(_newest_views(ctx, section) if lacking else {})},
    )
    if current is not None and not ctx.spec.force and current.metadata.get(lake.FINGERPRINT) == digest:
        if ctx.spec.context.last_fingerprint != digest:
            _publish(ctx, current)
            return
        ctx.spool.write("fingerprint", value=digest)
        what = f"{section.dataset}@{inputs[section.dataset]} and {section.model} {asked.version} are unchanged"
        ctx.spool.write("skip", reason=f"{name}@{current.version} is up to date: {what}")
        return
    _publish(ctx, _predict(ctx, section, asked, inputs[section.dataset], digest, current))


def _lacking(ctx: RunContext, asked: ProductionFacts, schema: pa.Schema) -> list[str]:
    """Columns that the version takes and the rows have not; none of a bundle that is not there: loading it says so."""
    try:
        written = (ctx.home.bundle(asked.digest) / "signature.json").read_bytes()
    except FileNotFoundError:
        return []
    return [column.name for column in Signature.model_validate_json(written).inputs if column.name not in schema.names]


def _newest_views(ctx: RunContext, section: Predictions) -> dict[str, int]:
    """Of the model; without those that have no version yet."""
    names = [join.view for join in ctx.project.models[section.model].views]
    found = {name: lake.latest(ctx.home.feature_view(name)) for name in names}
    return {f"{VIEW}{name}": newest.version for name, newest in found.items() if newest is not None}


def _asked(ctx: RunContext, section: Predictions) -> ProductionFacts:
    if ctx.spec.context.predict is None:
        raise NotFound(
            f"{section.alias} of {section.model} points at no version",
            where=f"predictions.{ctx.spec.target}",
            remedy=f"`trainshed promote {section.model} VERSION`, or name a `version`",
        )
    return ctx.spec.context.predict


def _predict(
    ctx: RunContext, section: Predictions, asked: ProductionFacts, version: int, digest: str, base: LakeVersion | None
) -> LakeVersion:
    resolve_device("cpu", gpu=None, memory=1.0, cache=ctx.home.compilation_cache)
    bundle = load_bundle(ctx.home.bundle(asked.digest), asked.digest)
    check = bundle.check_golden()
    if not check.passed:
        raise GoldenMismatch(
            f"its golden rows come out {check.difference:.2g} apart here, at most {check.tolerance:.2g} is allowed",
            where=str(bundle.path),
            remedy="predict on the machine that made it, or train it again here",
        )
    rows = lake.dataset_at(ctx.home.dataset(section.dataset), version)
    model = ctx.project.models[section.model]
    keep = section.keep or model.key
    _refuse_ours(keep, section, f"predictions.{ctx.spec.target}.keep")
    taken = [column.name for column in bundle.signature.inputs]
    lacking = [column for column in taken if column not in rows.schema.names]
    where = f"predictions.{ctx.spec.target}"
    _require(rows.schema, keep if model.views else [*keep, *taken], section, where)
    schema = predicted_schema(rows.schema, keep, bundle.signature)
    own = [column for column in dict.fromkeys([*keep, *taken]) if column not in lacking]
    with storage_faults(ctx.home.dataset(ctx.spec.target)), closing(connect()) as connection:
        views: list[Asked] = []
        batches = _scanned(rows, own)
        if lacking:
            views = views_asked(ctx, connection, section.model, model, lacking)
            refuse_lacking(lacking, views, section.dataset, f"{where}.dataset")
            batches = with_features(ctx, connection, model, rows, own, views, BATCH_ROWS)
        predictions = _batches(ctx, batches, rows.count_rows(), schema, bundle, asked.version)
        read = {f"{VIEW}{one.join.view}": one.version for one in views}
        return lake.commit(
            ctx.home.dataset(ctx.spec.target),
            pa.RecordBatchReader.from_batches(schema, predictions),
            mode="replace",
            metadata={
                lake.FINGERPRINT: digest,
                lake.RUN: str(ctx.spec.run),
                lake.INPUTS: json.dumps({section.dataset: version, **read, f"{MODEL}{section.model}": asked.version}),
            },
            expected=base.version if base else None,
        )


def _scanned(rows: pads.Dataset, columns: list[str]) -> Iterator[pa.RecordBatch]:
    """A few batches are in memory at once."""
    scanner = rows.scanner(columns=columns, batch_size=BATCH_ROWS, batch_readahead=1, fragment_readahead=1)
    yield from scanner.to_batches()


def _batches(
    ctx: RunContext,
    rows: Iterable[pa.RecordBatch],
    total: int,
    schema: pa.Schema,
    bundle: LoadedBundle,
    version: int,
) -> Iterator[pa.RecordBatch]:
    """One is in memory at a time. Raises Preempted between two of them."""
    done = nothing = 0
    for batch in rows:
        if ctx.stop.is_set():
            raise Preempted
        if batch.num_rows:
            scores = bundle.predict(pa.Table.from_batches([batch]))
            made = predicted(batch, scores, schema, bundle.signature, version)
            nothing += made.column(SCORE).null_count
            yield made
        done += batch.num_rows
        ctx.spool.progress(done, total, "rows", message=f"predicting {ctx.spec.target}")
    if nothing:
        model = ctx.project.predictions[ctx.spec.target].model
        said = f"{nothing:,} of {done:,} rows have no prediction: what {model} {version} gives for them is no number"
        ctx.spool.note("no_prediction", f"{ctx.spec.target}: {said}", level="warning", rows=nothing)


def _refuse_ours(keep: Sequence[str], section: Predictions, where: str) -> None:
    for column in keep:
        if column in ADDED:
            raise ProjectError(
                f"{column!r} is a column of the prediction, and {section.dataset} has one too",
                where=where,
                remedy=f"keep other columns, or give {section.dataset}'s another name",
            )


def _require(schema: pa.Schema, columns: list[str], section: Predictions, where: str) -> None:
    missing = [column for column in columns if column not in schema.names]
    if missing:
        raise SchemaChanged(
            f"{section.dataset} has no column {missing[0]}, and it is needed",
            where=where,
            remedy=f"make {missing[0]} in the dataset; `trainshed check` names all that are missing",
        )


def _publish(ctx: RunContext, version: LakeVersion) -> None:
    path = ctx.home.dataset(ctx.spec.target)
    described = describe(lake.dataset_at(path, version.version))
    before = lake.at(path, version.version - 1).rows if version.version else 0
    ctx.spool.write("fingerprint", value=version.metadata[lake.FINGERPRINT])
    ctx.spool.facts(
        "dataset",
        DatasetFacts(
            dataset=ctx.spec.target,
            kind="dataset",
            version=version.version,
            rows=version.rows,
            added=version.rows,
            removed=before,
            bytes=version.bytes,
            columns=described.columns,
            inputs=json.loads(version.metadata[lake.INPUTS]),
            fingerprint=version.metadata[lake.FINGERPRINT],
            sample=described.sample,
        ),
    )
