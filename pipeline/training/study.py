"""A training set made ready: signature, arrays of its three parts, and the rows that it is judged by."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.dataset as pads
from flax import nnx

from pipeline.config.models import Model, OwnNetwork
from pipeline.models.network import Network, network_builder
from pipeline.training.batches import Rows
from pipeline.training.encoder import encode_batches, encode_rows, fit_signature, layout_of
from pipeline.training.figures import prepare, target_scale
from pipeline.training.storage import StorageChoice, choose_storage, free_memory, store_rows
from pipeline.trainingset import TrainingSet
from pipeline.trainingset.split import Part
from pipeline.versions.signature import Signature

_NO_BINS = 1
"""For a network that does not cut numbers into bins."""
Judging = Literal["validate", "test"]


@dataclass(frozen=True, kw_only=True)
class Study:
    """Everything that network and baseline learn from, and are judged by."""

    name: str
    """Of the model."""
    model: Model
    made: TrainingSet
    signature: Signature
    train: Rows
    """All of them, in memory or on disk."""
    storage: StorageChoice
    judged: dict[Judging, Rows]
    """In memory; of a large part a sample (`TrainingSet.sample`)."""
    test: pa.Table
    """The rows of `judged["test"]` as they were recorded."""

    @classmethod
    def of(cls, name: str, model: Model, made: TrainingSet, scratch: Path) -> Study:
        """Reads and encodes; what does not fit into memory goes to the folder `scratch`.

        Raises SchemaChanged, Unlearnable, StorageError.
        """
        recorded = pads.dataset(made.file("train"))
        signature = fit_signature(recorded, made.features, made.label, made.task, spill=scratch / "spill")
        layout = layout_of(made.rows["train"], signature)
        storage = choose_storage(model.training.storage, rows_bytes=layout.nbytes, free_memory=free_memory())
        test = made.judged("test")
        return cls(
            name=name,
            model=model,
            made=made,
            signature=signature,
            train=store_rows(encode_batches(made.batches("train"), signature), layout, storage.place, scratch),
            storage=storage,
            judged={
                "validate": encode_rows(made.judged("validate"), signature),
                "test": encode_rows(test, signature),
            },
            test=test,
        )

    def network(self, own: Callable[..., nnx.Module] | None, dtype: Any) -> Callable[[nnx.Rngs], Network]:
        """The builder of the configured network. `own`: the project's function. `dtype`: what layers compute in."""
        config = self.model.network
        bins = _NO_BINS if isinstance(config, OwnNetwork) else config.bins
        return network_builder(
            config,
            prepare(self.train, self.signature, bins, self.model.training.seed),
            task=self.signature.task,
            classes=len(self.signature.classes),
            target=target_scale(self.train),
            own=own,
            dtype=dtype,
        )

    def judged_train(self) -> Rows:
        """Training rows for evidence: all, or the sample, in memory."""
        ids = self.made.sample("train")
        return self.train if ids is None else self.train.take(ids)

    def name_rows(self, ids: np.ndarray) -> Sequence[str]:
        """Train rows by their key, or by their number where the model has none."""
        if not self.made.key:
            return [f"row {number}" for number in ids]
        chosen = self.made.take("train", np.asarray(ids, np.int64), self.made.key)
        return [", ".join(f"{name}={value}" for name, value in row.items()) for row in chosen.to_pylist()]

    def drawn_from(self, part: Part) -> int | None:
        """Rows of a part that is judged by a sample; None where it is judged whole."""
        return None if self.made.sample(part) is None else self.made.rows[part]

    def labels(self, rows: Rows) -> np.ndarray:
        """Class numbers int32 [n], or values float32 [n]."""
        target = np.asarray(rows.target)
        return target if self.signature.task == "regression" else target.astype(np.int32)
