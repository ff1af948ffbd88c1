"""The training set of a model: labelled examples with their features as of their own time, split and recorded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

import pyarrow as pa
import pyarrow.dataset as pads
import pyarrow.parquet as pq

from pipeline.config.models import Model
from pipeline.process.context import RunContext
from pipeline.tables.describe import describe
from pipeline.tables.duck import connect
from pipeline.tables.storage import storage_faults
from pipeline.trainingset.columns import Feature
from pipeline.trainingset.examples import Examples, gather_examples
from pipeline.trainingset.files import MANIFEST, part_file, write_set
from pipeline.trainingset.reading import Ids, most_judged, read_batches, sample_ids, take_rows
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

    def file(self, part: Part) -> Path:
        """Parquet, the part's rows by time and key: key, time, label, slices, features."""
        return part_file(self.path, part)

    def read(self, part: Part) -> pa.Table:
        """All rows of a part, in memory."""
        return pq.read_table(self.file(part))

    def batches(
        self, part: Part, words: Sequence[str] = (), columns: Sequence[str] | None = None, *, threads: bool = True
    ) -> Iterator[pa.RecordBatch]:
        """All rows of a part, at most BATCH_ROWS at a time; `words`, `threads`: see `read_batches`."""
        return read_batches(self.file(part), words, columns, threads=threads)

    def take(self, part: Part, ids: Ids, columns: Sequence[str] | None = None) -> pa.Table:
        """The rows with these numbers (counted from 0), in the order asked for."""
        return take_rows(self.file(part), ids, columns)

    def sample(self, part: Part) -> Ids | None:
        """Ascending numbers of the rows that a part is judged by; None: all of them.

        Drawn by the digest, so each judgement of this set sees the same rows.
        """
        most = most_judged(len(self.features) + len(self.slices) + 1)
        return sample_ids(self.rows[part], most, [int(self.digest[:16], 16), PARTS.index(part)])

    def judged(self, part: Part) -> pa.Table:
        """The rows of `sample`, in memory."""
        ids = self.sample(part)
        return self.read(part) if ids is None else self.take(part, ids)


def build_training_set(ctx: RunContext, name: str, model: Model, spill: Path | None = None) -> TrainingSet:
    """Joins, splits and records the examples of the model `name` from the newest versions of what it reads.

    Memory is bounded by that of `tables.shape.connect`; what is more goes to the folder `spill`.

    Raises ProjectError for a column that is not there or of a kind that does not fit, NotFound for a dataset or view
    without a version, Unlearnable where no model can be trained: no rows, no labels, one class, an empty part;
    StorageError where disk or memory give out.
    """
    with storage_faults(ctx.home.training_sets), closing(connect(spill=spill)) as connection:
        examples = gather_examples(connection, ctx, name, model)

        def manifest(rows: Mapping[Part, int], row_hash: str) -> dict[str, Any]:
            return _manifest(name, model, examples, rows, row_hash)

        made = open_training_set(ctx.home, write_set(ctx.home.training_sets, examples.read, manifest))
        for feature in examples.constant_features():
            ctx.spool.note(
                "constant_column", f"{name}: the feature {feature} never varies", level="warning", model=name
            )
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
