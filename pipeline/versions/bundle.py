"""A bundle: what a version is on disk, under `versions/<digest>/`, written once and never changed (design §10).

    function.stablehlo   (params, numeric [b, d], categorical [b, c]) → scores: preprocessing inside, any b and platform
    parameters/          the arrays, by Orbax; their names, shapes and types in parameters.json
    signature.json       columns in, classes out
    golden.parquet       up to 64 raw rows;  golden.npy: their scores;  golden.json: where they were computed
    evidence.json  verdict.json  lineage.json
    manifest.json        SHA-256 of every file; its own SHA-256 is the version's digest

Loading needs jax and none of the user's code, and unpickles nothing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jax
import numpy as np
import numpy.typing as npt
import orbax.checkpoint as ocp
import pyarrow as pa
import pyarrow.parquet as pq
from jax import export

from pipeline.versions import seal
from pipeline.versions.agreement import TOLERANCE, difference_of
from pipeline.versions.birthplace import Birthplace, Precision, birthplace
from pipeline.versions.encoding import encode
from pipeline.versions.signature import Signature
from store.home import Home
from store.workspace import workspace

if TYPE_CHECKING:  # to judge takes scipy, which the press does without
    from pipeline.judging.evidence import Evidence
    from pipeline.judging.gates import Verdict

Scores = npt.NDArray[np.float32]
Apply = Callable[[Any, Any, Any], Any]
"""(params, numeric float32 [b, d], categorical int32 [b, c]) → scores float32 [b] or [b, k]; traceable."""

FUNCTION = "function.stablehlo"
GOLDEN_ROWS = 64
_BATCHES = tuple(2**power for power in range(6, 13))
"""Rows predicted at once: 64 to 4096, padded up, so that few shapes are compiled whatever is asked."""


@dataclass(frozen=True)
class Bundle:
    """A bundle that has just been written."""

    digest: str
    path: Path
    bytes: int


@dataclass(frozen=True)
class GoldenCheck:
    """Golden rows computed again."""

    passed: bool
    difference: float
    """Largest difference of a score (relative, for a regression)."""
    tolerance: float
    """0 on an equal machine, else `TOLERANCE`."""


def write_bundle(
    home: Home,
    *,
    apply: Apply,
    params: Mapping[str, Any],
    signature: Signature,
    golden: pa.Table,
    evidence: Evidence,
    verdict: Verdict,
    lineage: Mapping[str, Any],
    precision: Precision = "float32",
    platforms: Sequence[str] = ("cpu", "cuda", "tpu"),
) -> Bundle:
    """Writes a version's folder aside, seals it, and gives it its name in one rename: it is there whole, or not at all.

    `params`: name → array. `golden`: raw rows, the first 64 are kept. `lineage`: plain JSON.
    `precision`: what `apply` computes in, which says how closely its scores can be met elsewhere. Raises ValueError if
    the exported function does not give the scores of `apply`.
    """
    with workspace(home.versions) as folder:
        arrays = {name: np.asarray(value) for name, value in params.items()}
        function = _export(apply, arrays, signature, platforms)
        (folder / FUNCTION).write_bytes(function.serialize())
        _write_parameters(folder, arrays)
        _write_golden(folder, apply, function, arrays, signature, golden, precision)
        _write_json(folder / "signature.json", signature.model_dump(mode="json"))
        _write_json(folder / "evidence.json", evidence.model_dump(mode="json"))
        _write_json(folder / "verdict.json", verdict.model_dump(mode="json"))
        _write_json(folder / "lineage.json", dict(lineage))
        digest = seal.seal(folder)
        seal.publish(folder, home.bundle(digest))
    return Bundle(digest, home.bundle(digest), seal.verify(home.bundle(digest), digest).bytes)


def load_bundle(path: Path, digest: str | None = None) -> LoadedBundle:
    """Verifies every file, then reads. `digest`: what it must be; by default the folder's name, if that is a digest.

    Raises BundleDamaged.
    """
    named = path.name if re.fullmatch(r"[0-9a-f]{64}", path.name) else None
    seal.verify(path, digest or named)
    function = export.deserialize(bytearray((path / FUNCTION).read_bytes()))
    signature = Signature.model_validate_json((path / "signature.json").read_bytes())
    return LoadedBundle(path, signature, function, read_parameters(path))


class LoadedBundle:
    """A version ready to answer."""

    def __init__(self, path: Path, signature: Signature, function: export.Exported, params: dict[str, Any]) -> None:
        """Use `load_bundle`."""
        self.path = path
        self.signature = signature
        self._params = jax.device_put(params)
        self._call = jax.jit(function.call)

    @cached_property
    def evidence(self) -> Evidence:
        """As it was when the version was made."""
        from pipeline.judging.evidence import Evidence

        return Evidence.model_validate_json((self.path / "evidence.json").read_bytes())

    @cached_property
    def lineage(self) -> dict[str, Any]:
        read: dict[str, Any] = json.loads((self.path / "lineage.json").read_bytes())
        return read

    def predict(self, table: pa.Table) -> Scores:
        """Raw rows → scores [n] or [n, k]. Raises SchemaChanged for rows that are not of the signature."""
        return self.scores(*encode(table, self.signature))

    def scores(self, numeric: npt.NDArray[np.float32], categorical: npt.NDArray[np.int32]) -> Scores:
        """Encoded rows → scores, in padded batches."""
        pieces = [
            self._batch(numeric[start : start + _BATCHES[-1]], categorical[start : start + _BATCHES[-1]])
            for start in range(0, max(len(numeric), 1), _BATCHES[-1])
        ]
        return np.concatenate(pieces)

    def check_golden(self) -> GoldenCheck:
        """Computes the golden rows again: bit for bit on an equal machine, within `TOLERANCE` elsewhere."""
        expected = np.load(self.path / "golden.npy", allow_pickle=False)
        found = self.predict(pq.read_table(self.path / "golden.parquet"))
        difference = difference_of(found, expected, self.signature.task)
        born = Birthplace.model_validate_json((self.path / "golden.json").read_bytes())
        tolerance = 0.0 if born == birthplace(born.precision) else TOLERANCE[born.precision]
        return GoldenCheck(difference <= tolerance, difference, tolerance)

    def _batch(self, numeric: npt.NDArray[np.float32], categorical: npt.NDArray[np.int32]) -> Scores:
        rows = len(numeric)
        padding = next(size for size in _BATCHES if size >= rows) - rows
        padded = (np.pad(numeric, ((0, padding), (0, 0))), np.pad(categorical, ((0, padding), (0, 0))))
        return np.asarray(self._call(self._params, *padded))[:rows]


def _export(
    apply: Apply, arrays: Mapping[str, npt.NDArray[Any]], signature: Signature, platforms: Sequence[str]
) -> export.Exported:
    """StableHLO with a free batch size, for all platforms at once.

    Products are written down as full float32: a GPU's default would round their factors to ten bits, and the same
    version would answer differently from the fourth digit on. Paths of source files are left out: a version is copied
    to machines and people that they are no business of.
    """
    (batch,) = export.symbolic_shape("b")
    with jax.default_matmul_precision("highest"), _without_source_paths():
        return export.export(jax.jit(apply), platforms=tuple(platforms))(
            {name: _shape(array.shape, array.dtype) for name, array in arrays.items()},
            _shape((batch, len(signature.numeric)), np.dtype(np.float32)),
            _shape((batch, len(signature.categorical)), np.dtype(np.int32)),
        )


@contextmanager
def _without_source_paths() -> Iterator[None]:
    limit = jax.config.values["jax_traceback_in_locations_limit"]
    jax.config.update("jax_traceback_in_locations_limit", 0)  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        jax.config.update("jax_traceback_in_locations_limit", limit)  # type: ignore[no-untyped-call]


def _shape(shape: tuple[Any, ...], dtype: np.dtype[Any]) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(shape, dtype)  # type: ignore[no-untyped-call]


def _write_parameters(folder: Path, arrays: Mapping[str, npt.NDArray[Any]]) -> None:
    described = {name: {"shape": list(array.shape), "dtype": str(array.dtype)} for name, array in arrays.items()}
    _write_json(folder / "parameters.json", described)
    with ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(folder.resolve() / "parameters", dict(arrays))


def read_parameters(folder: Path) -> dict[str, Any]:
    """Name → array, in the order of parameters.json. Verify the folder first."""
    described = json.loads((folder / "parameters.json").read_bytes())
    wanted = {name: np.empty(one["shape"], jax.numpy.dtype(one["dtype"])) for name, one in described.items()}
    with ocp.StandardCheckpointer() as checkpointer:
        restored: dict[str, Any] = checkpointer.restore(folder.resolve() / "parameters", wanted)
    return restored


def _write_golden(
    folder: Path,
    apply: Apply,
    function: export.Exported,
    arrays: Mapping[str, npt.NDArray[Any]],
    signature: Signature,
    golden: pa.Table,
    precision: Precision,
) -> None:
    rows = golden.select([column.name for column in signature.inputs]).slice(0, GOLDEN_ROWS)
    pq.write_table(rows, folder / "golden.parquet")
    numeric, categorical = encode(rows, signature)
    scores = LoadedBundle(folder, signature, function, dict(arrays)).scores(numeric, categorical)
    with jax.default_matmul_precision("highest"):
        direct = np.asarray(jax.jit(apply)(dict(arrays), numeric, categorical))
    tolerance = TOLERANCE[precision]
    if scores.shape != direct.shape or not np.allclose(scores, direct, rtol=tolerance, atol=tolerance):
        raise ValueError("the exported function does not give the scores of the model it was made from")
    np.save(folder / "golden.npy", scores, allow_pickle=False)
    _write_json(folder / "golden.json", birthplace(precision).model_dump(mode="json"))


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    with path.open("x", encoding="utf-8") as file:
        json.dump(value, file, indent=1, sort_keys=True, allow_nan=False)
        file.write("\n")
