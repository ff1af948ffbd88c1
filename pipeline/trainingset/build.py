"""The training set of a model: labelled examples with their features as of their own time, split and recorded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq

from pipeline.config.models import Model
from pipeline.process.context import RunContext
from pipeline.tables.describe import describe
from pipeline.tables.shape import connect
from pipeline.trainingset.columns import Feature
from pipeline.trainingset.examples import Examples, gather_examples
from pipeline.trainingset.files import MANIFEST, part_file, write_set
from pipeline.trainingset.split import PARTS, Part
from store.errors import NotFound
from store.facts import TrainingSetFacts
from store.home import Home

FORMAT: Final = 1


@dataclass(frozen=True, kw_only=True)
class TrainingSet:
    """A recorded training set: what a model learned from, to the row."""

    digest: str
    """sha256 of the manifest, which holds a hash of all rows."""
    path: Path
    """Folder with the manifest and the parts."""
    task: Literal["binary", "multiclass", "regression"]
    features: tuple[Feature, ...]
    label: str
    key: tuple[str, ...]
    time: str | None
    slices: tuple[str, ...]
    inputs: dict[str, int]
    """Dataset, or `features:` and a view → version it was made from."""
    query: str
    """The SQL that made it."""
    rows: dict[Part, int]
    dropped_unlabelled: int
    """Rows of the dataset that were left out because their label is missing (or not finite)."""
    dropped_untimed: int
    """Rows left out because their time is missing."""
    left_in_gap: int
    """Rows left out because they lie between two parts."""

    def read(self, part: Part) -> pa.Table:
        """The part's rows, by time and key: key, time, label, slices, features."""
        return pq.read_table(part_file(self.path, part))


def build_training_set(ctx: RunContext, name: str, model: Model) -> TrainingSet:
    """Joins, splits and records the examples of the model `name` from the newest versions of what it reads.

    Raises ProjectError for a column that is not there or of a kind that does not fit, NotFound for a dataset or view
    without a version, Unlearnable where no model can be trained: no rows, no labels, one class, an empty part.
    """
    connection = connect()
    try:
        examples = gather_examples(connection, ctx, name, model)

        def manifest(rows: Mapping[Part, int], row_hash: str) -> dict[str, Any]:
            return _manifest(name, model, examples, rows, row_hash)

        made = open_training_set(ctx.home, write_set(ctx.home.training_sets, examples.read, manifest))
        for feature in examples.constant_features():
            ctx.spool.note(
                "constant_column", f"{name}: the feature {feature} never varies", level="warning", model=name
            )
    finally:
        connection.close()
    _publish(ctx, name, made)
    return made


def _manifest(name: str, model: Model, examples: Examples, rows: Mapping[Part, int], row_hash: str) -> dict[str, Any]:
    return {
        "format": FORMAT,
        "model": name,
        "task": model.task,
        "features": [{"name": feature.name, "kind": feature.kind} for feature in examples.features],
        "label": model.label,
        "key": model.key,
        "time": model.time,
        "slices": model.slices,
        "inputs": examples.inputs,
        "query": examples.query,
        "rows": dict(rows),
        "row_hash": row_hash,
        "dropped_unlabelled": examples.dropped_unlabelled,
        "dropped_untimed": examples.dropped_untimed,
        "left_in_gap": examples.left_in_gap,
    }


def open_training_set(home: Home, digest: str) -> TrainingSet:
    """A recorded training set by its digest. Raises NotFound."""
    path = home.training_sets / digest
    try:
        manifest = json.loads((path / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise NotFound(
            f"there is no training set {digest}", where=str(path), remedy="train again: it is made anew from the lake"
        ) from None
    return TrainingSet(
        digest=digest,
        path=path,
        task=manifest["task"],
        features=tuple(Feature(**feature) for feature in manifest["features"]),
        label=manifest["label"],
        key=tuple(manifest["key"]),
        time=manifest["time"],
        slices=tuple(manifest["slices"]),
        inputs=manifest["inputs"],
        query=manifest["query"],
        rows={part: manifest["rows"][part] for part in PARTS},
        dropped_unlabelled=manifest["dropped_unlabelled"],
        dropped_untimed=manifest["dropped_untimed"],
        left_in_gap=manifest["left_in_gap"],
    )


def _publish(ctx: RunContext, name: str, made: TrainingSet) -> None:
    for count, why in ((made.dropped_unlabelled, made.label), (made.dropped_untimed, made.time)):
        if count:
            ctx.spool.note("rows_left_out", f"{name}: {count:,} rows have no {why} and were left out", model=name)
    described = describe(pads.dataset([part_file(made.path, part) for part in PARTS]), made.time)
    ctx.spool.facts(
        "training_set",
        TrainingSetFacts(
            digest=made.digest,
            model=name,
            path=str(made.path.relative_to(ctx.home.root)),
            rows=sum(made.rows.values()),
            columns=described.columns,
            inputs=made.inputs,
            query=made.query,
        ),
    )
