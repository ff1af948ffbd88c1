"""A home in which real versions are made: a small binary model with numbers and words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np
import pyarrow as pa

from pipeline.judging.gates import Verdict
from pipeline.serving.loaded import LoadedVersion, load_version
from pipeline.serving.press import press
from pipeline.versions.bundle import write_bundle
from pipeline.versions.signature import InputColumn, Signature
from store.home import Home
from tests.evidence import least_evidence

LARGEST = 16
SIGNATURE = Signature(
    inputs=[
        InputColumn(name="distance", kind="numeric"),
        InputColumn(name="carrier", kind="categorical", vocabulary=["AA", "UA", "7", "true"]),
        InputColumn(name="hour", kind="numeric"),
    ],
    task="binary",
    label="late",
    classes=["false", "true"],
)
ROWS = pa.table({"carrier": ["AA", "DL", None], "distance": [500.0, None, 700.0], "hour": [12, 12, 2]})


def apply(params: dict[str, jax.Array], numeric: jax.Array, categorical: jax.Array) -> jax.Array:
    """Missing → mean, linear, an embedding, a logistic."""
    filled = jnp.where(jnp.isnan(numeric), 0.0, (numeric - params["mean"]) / 100.0)
    return jax.nn.sigmoid(filled @ params["weights"] + params["carrier"][categorical].sum(axis=1))


def broken_at_13(params: dict[str, jax.Array], numeric: jax.Array, categorical: jax.Array) -> jax.Array:
    """Golden rows come back, and rows of hour 13 have an answer that is no number."""
    return jnp.where(numeric[:, 1] == 13.0, jnp.nan, apply(params, numeric, categorical))


def slow_at_13(params: dict[str, jax.Array], numeric: jax.Array, categorical: jax.Array) -> jax.Array:
    """Golden rows come back, and a batch with an hour 13 takes some 0.1 s."""
    turns = jnp.where((numeric[:, 1] == 13.0).any(), 20_000_000, 0)
    dust = jax.lax.fori_loop(0, turns, lambda turn, sum: sum * 0.5 + turn.astype(jnp.float32) * 1e-30, jnp.float32(0))
    return jnp.add(apply(params, numeric, categorical), dust * 1e-30)


def parameters(shift: float = 0.0) -> dict[str, np.ndarray]:
    return {
        "mean": np.array([500.0, 12.0], np.float32),
        "weights": np.array([0.3, -0.2], np.float32),
        "carrier": np.array([0.0, 0.5, 1.0, -1.0, 2.0, -2.0], np.float32) + np.float32(shift),
    }


@dataclass(frozen=True)
class Bench:
    """A home in which versions are made that differ in one parameter."""

    home: Home

    def version(
        self,
        shift: float = 0.0,
        function: Callable[..., jax.Array] = apply,
        signature: Signature = SIGNATURE,
        **lineage: str,
    ) -> str:
        """The digest of a new bundle."""
        return write_bundle(
            self.home,
            apply=function,
            params=parameters(shift),
            signature=signature,
            golden=ROWS.select([one.name for one in signature.inputs]),
            evidence=least_evidence(),
            verdict=Verdict(passed=True, gates=[]),
            lineage={"shift": shift, **lineage},
        ).digest

    def pressed(self, shift: float = 0.0) -> str:
        digest = self.version(shift)
        press(self.home, digest, LARGEST)
        return digest

    def loaded(self, shift: float = 0.0) -> LoadedVersion:
        return load_version(self.home, self.pressed(shift), LARGEST, {})
