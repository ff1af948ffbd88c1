"""`batch-predict:NAME`: every row of a dataset through a version, in bounded memory, to one new version of a dataset.

The commit is one: it is there whole, or not at all. An attempt that finds its run's commit in the lake only tells it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Final

import pyarrow as pa
import pyarrow.dataset as pads

from pipeline.config.predictions import Predictions
from pipeline.features.run import newest_versions
from pipeline.predicting.rows import predicted, predicted_schema
from pipeline.process.context import Preempted, RunContext
from pipeline.process.spec import ProductionFacts
from pipeline.tables.describe import describe
from pipeline.tables.fingerprint import fingerprint
from pipeline.training.devices import resolve_device
from pipeline.versions.bundle import LoadedBundle, load_bundle
from store import lake
from store.errors import GoldenMismatch, NotFound, SchemaChanged
from store.facts import DatasetFacts
from store.lake import LakeVersion

FORMAT: Final = 1
"""Of what this step makes; a new number makes it anew."""
BATCH_ROWS: Final = 65_536
MODEL: Final = "model:"
"""Before the name of a model, in the inputs of a version of a dataset."""


def run_batch_predict(ctx: RunContext) -> None:
    """Predicts `ctx.spec.target`, or skips when rows, version and settings are those of the last commit.

    Raises NotFound (no such version, no rows yet), BundleDamaged, GoldenMismatch, SchemaChanged for a column that is
    missing or of the wrong kind; Preempted, with the lake as it was.
    """
    name, section = ctx.spec.target, ctx.project.predictions[ctx.spec.target]
    current = lake.latest(ctx.home.dataset(name))
    if current is not None and current.metadata.get(lake.RUN) == str(ctx.spec.run):
        _publish(ctx, current)  # an attempt of this run committed, and died before it could say so
        return
    asked = _asked(ctx, section)
    inputs = newest_versions(ctx.home, [section.dataset], where=f"predictions.{name}.dataset")
    digest = fingerprint(
        step="batch-predict",
        format=FORMAT,
        section=section.model_dump(mode="json", exclude={"description"}),
        version=asked.digest,
        inputs=inputs,
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
    keep = section.keep or ctx.project.models[section.model].key
    where = f"predictions.{ctx.spec.target}"
    _require(rows.schema, [*keep, *(column.name for column in bundle.signature.inputs)], section, where)
    schema = predicted_schema(rows.schema, keep, bundle.signature)
    made = pa.RecordBatchReader.from_batches(schema, _batches(ctx, rows, schema, keep, bundle, asked.version))
    return lake.commit(
        ctx.home.dataset(ctx.spec.target),
        made,
        mode="replace",
        metadata={
            lake.FINGERPRINT: digest,
            lake.RUN: str(ctx.spec.run),
            lake.INPUTS: json.dumps({section.dataset: version, f"{MODEL}{section.model}": asked.version}),
        },
        expected=base.version if base else None,
    )


def _batches(
    ctx: RunContext, rows: pads.Dataset, schema: pa.Schema, keep: list[str], bundle: LoadedBundle, version: int
) -> Iterator[pa.RecordBatch]:
    """Few batches are in memory at once. Raises Preempted between two of them."""
    wanted = list(dict.fromkeys([*keep, *(column.name for column in bundle.signature.inputs)]))
    total, done = rows.count_rows(), 0
    scanner = rows.scanner(columns=wanted, batch_size=BATCH_ROWS, batch_readahead=1, fragment_readahead=1)
    for batch in scanner.to_batches():
        if ctx.stop.is_set():
            raise Preempted
        if batch.num_rows:
            scores = bundle.predict(pa.Table.from_batches([batch]))
            yield predicted(batch, scores, schema, bundle.signature, version)
        done += batch.num_rows
        ctx.spool.progress(done, total, "rows", message=f"predicting {ctx.spec.target}")


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
