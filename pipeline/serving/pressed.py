"""A pressed version: what serving needs of a bundle, in a form that is read in milliseconds and without Orbax or Arrow.

    parameters.bin    all arrays, one after another, in the order of parameters.json
    parameters.json   their names, shapes and types      signature.json   columns in, classes out
    golden.npz        encoded rows and the scores that they must have
    pressed.json      the function's digest, how closely the golden scores must be met
    manifest.json     SHA-256 of every file

It lies under the digest of its bundle, every byte of which was verified when it was pressed, and can be thrown away.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import jax.numpy as jnp
import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict

from pipeline.serving.readiness import FACTS
from pipeline.versions import seal
from pipeline.versions.signature import Signature

PARAMETERS: Final = "parameters.bin"
SHAPES: Final = "parameters.json"
SIGNATURE: Final = "signature.json"
GOLDEN: Final = "golden.npz"


class PressedFacts(BaseModel):
    """What `pressed.json` says."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    function: str
    """SHA-256 of the StableHLO."""
    tolerance: float
    """Largest difference of a golden score."""


@dataclass(frozen=True)
class Golden:
    """Encoded rows with their scores [n] or [n, k]."""

    numeric: npt.NDArray[np.float32]
    categorical: npt.NDArray[np.int32]
    scores: npt.NDArray[np.float32]


@dataclass(frozen=True)
class Pressed:
    """Read and verified."""

    facts: PressedFacts
    signature: Signature
    parameters: dict[str, Any]
    golden: Golden

    @property
    def widths(self) -> tuple[int, int]:
        """Numeric and categorical columns."""
        return len(self.signature.numeric), len(self.signature.categorical)


def write_parameters(folder: Path, arrays: dict[str, Any]) -> None:
    described = {name: {"shape": list(np.shape(one)), "dtype": str(one.dtype)} for name, one in arrays.items()}
    (folder / SHAPES).write_text(json.dumps(described), encoding="utf-8")
    with (folder / PARAMETERS).open("wb") as file:
        for array in arrays.values():
            file.write(np.ascontiguousarray(array).tobytes())


def read_pressed(folder: Path) -> Pressed:
    """Verifies every byte, then reads. Raises BundleDamaged."""
    seal.verify(folder, None)
    with np.load(folder / GOLDEN, allow_pickle=False) as kept:
        golden = Golden(kept["numeric"], kept["categorical"], kept["scores"])
    return Pressed(
        facts=PressedFacts.model_validate_json((folder / FACTS).read_bytes()),
        signature=Signature.model_validate_json((folder / SIGNATURE).read_bytes()),
        parameters=_read_parameters(folder),
        golden=golden,
    )


def _read_parameters(folder: Path) -> dict[str, Any]:
    described = json.loads((folder / SHAPES).read_bytes())
    raw = (folder / PARAMETERS).read_bytes()
    arrays: dict[str, Any] = {}
    place = 0
    for name, one in described.items():
        kind = jnp.dtype(one["dtype"])
        count = int(np.prod(one["shape"], dtype=np.int64))
        arrays[name] = np.frombuffer(raw, kind, count, place).reshape(one["shape"])
        place += count * kind.itemsize
    return arrays
