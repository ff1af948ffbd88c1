"""A training set made ready: tables, arrays and signature of its three parts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from flax import nnx

from pipeline.config.models import Model, OwnNetwork
from pipeline.models.network import Network, network_builder
from pipeline.training.batches import Rows
from pipeline.training.encoder import encode_rows, fit_signature, prepare, target_scale
from pipeline.trainingset import TrainingSet
from pipeline.trainingset.split import PARTS, Part
from pipeline.versions.signature import Signature

_NO_BINS = 1
"""For a network that does not cut numbers into bins."""


@dataclass(frozen=True, kw_only=True)
class Study:
    """Everything that network and baseline learn from."""

    name: str
    """Of the model."""
    model: Model
    made: TrainingSet
    tables: dict[Part, pa.Table]
    rows: dict[Part, Rows]
    signature: Signature

    @classmethod
    def of(cls, name: str, model: Model, made: TrainingSet) -> Study:
        """Reads and encodes. Raises SchemaChanged, Unlearnable."""
        tables = {part: made.read(part) for part in PARTS}
        signature = fit_signature(tables["train"], made.features, made.label, made.task)
        rows = {part: encode_rows(table, signature) for part, table in tables.items()}
        return cls(name=name, model=model, made=made, tables=tables, rows=rows, signature=signature)

    def network(self, own: Callable[..., nnx.Module] | None, dtype: Any) -> Callable[[nnx.Rngs], Network]:
        """The builder of the configured network. `own`: the project's function. `dtype`: what layers compute in."""
        config, train = self.model.network, self.rows["train"]
        bins = _NO_BINS if isinstance(config, OwnNetwork) else config.bins
        return network_builder(
            config,
            prepare(train, self.signature, bins, self.model.training.seed),
            task=self.signature.task,
            classes=len(self.signature.classes),
            target=target_scale(train),
            own=own,
            dtype=dtype,
        )

    def name_rows(self, ids: np.ndarray) -> Sequence[str]:
        """Train rows by their key, or by their number where the model has none."""
        if not self.made.key:
            return [f"row {number}" for number in ids]
        chosen = self.tables["train"].select(list(self.made.key)).take(pa.array(ids))
        return [", ".join(f"{name}={value}" for name, value in row.items()) for row in chosen.to_pylist()]

    def labels(self, part: Part) -> np.ndarray:
        """Class numbers int32 [n], or values float32 [n]."""
        target = np.asarray(self.rows[part].target)
        return target if self.signature.task == "regression" else target.astype(np.int32)
