"""Compiled programs of one function, one a bucket: made once, kept on disk, shared by all versions of one architecture.

Parameters are arguments of a program, so a version that was trained anew finds its programs ready. A program is bound
to jaxlib, XLA's flags and the processor's abilities, which are part of its folder's name. Reading one unpickles: so the
folder is sealed, belongs to this user, and is written by nobody else.
"""

from __future__ import annotations

import os
import pickle
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import jax
import numpy as np
from jax import export
from jax.experimental import serialize_executable
from jax.experimental.compilation_cache import compilation_cache

from pipeline.versions import seal
from store.errors import BundleDamaged
from store.workspace import workspace

Program = Callable[[Any, Any, Any], Any]
"""(parameters, numeric [bucket, d], categorical [bucket, c]) → scores; compiled, and unable to compile again."""
Programs = Mapping[int, Program]
"""Bucket → program."""
_SUFFIX: Final = ".xla"


def settle_jax() -> None:
    """Before the first computation: a call returns when its answer is there, which saves a change of threads."""
    jax.config.update("jax_cpu_enable_async_dispatch", False)  # type: ignore[no-untyped-call]


def make_programs(
    folder: Path, function: bytes, parameters: Mapping[str, Any], widths: tuple[int, int], buckets: tuple[int, ...]
) -> int:
    """Compiles what is not in `folder` yet, and seals it; how many programs were compiled.

    `parameters`: name → shape and type. `widths`: numeric and categorical columns.
    """
    if folder.is_dir():
        try:
            seal.verify(folder, None)
            return 0
        except BundleDamaged:
            seal.discard(folder)  # it can be made again
    with workspace(folder.parent) as made, _no_cache():
        for bucket, program in compiled(function, parameters, widths, buckets):
            payload = serialize_executable.serialize(program)
            (made / f"{bucket}{_SUFFIX}").write_bytes(pickle.dumps(payload))
        seal.seal(made)
        seal.publish(made, folder)
    return len(buckets)


def compiled(
    function: bytes, parameters: Mapping[str, Any], widths: tuple[int, int], buckets: tuple[int, ...]
) -> Iterator[tuple[int, Any]]:
    """(bucket, program) of a StableHLO function, for the machine this is; see `make_programs`."""
    exported = export.deserialize(bytearray(function))
    for bucket in buckets:
        yield bucket, _compile(exported, parameters, widths, bucket)


def load_programs(folder: Path) -> Programs:
    """Verified and ready to be called. Raises BundleDamaged."""
    sealed = seal.verify(folder, None)
    _refuse_strangers(folder)
    found: dict[int, Program] = {}
    for name in sealed.files:
        payload = pickle.loads((folder / name).read_bytes())
        found[int(name.removesuffix(_SUFFIX))] = serialize_executable.deserialize_and_load(*payload)
    return dict(sorted(found.items()))


@contextmanager
def _no_cache() -> Iterator[None]:
    """JAX's own cache of programs is left out: what comes from there can be run, and serialised only without its
    functions ("Function … not found" when it is called; jax 0.10.2).
    """
    before = jax.config.jax_enable_compilation_cache  # type: ignore[attr-defined]
    try:
        _use_cache(False)
        yield
    finally:
        _use_cache(before)


def _use_cache(use: bool) -> None:
    jax.config.update("jax_enable_compilation_cache", use)  # type: ignore[no-untyped-call]
    compilation_cache.reset_cache()  # which has looked at the setting once for all


def shapes_of(parameters: Mapping[str, Any]) -> dict[str, jax.ShapeDtypeStruct]:
    """Name → shape and type of an array."""
    return {name: jax.ShapeDtypeStruct(one.shape, one.dtype) for name, one in parameters.items()}  # type: ignore[no-untyped-call]


def _compile(exported: export.Exported, parameters: Mapping[str, Any], widths: tuple[int, int], bucket: int) -> Any:
    numeric = jax.ShapeDtypeStruct((bucket, widths[0]), np.dtype(np.float32))  # type: ignore[no-untyped-call]
    categorical = jax.ShapeDtypeStruct((bucket, widths[1]), np.dtype(np.int32))  # type: ignore[no-untyped-call]
    return jax.jit(exported.call).lower(dict(parameters), numeric, categorical).compile()


def _refuse_strangers(folder: Path) -> None:
    """What is unpickled must come from ourselves."""
    for path in (folder, *folder.iterdir()):
        facts = path.lstat()
        if facts.st_uid != os.getuid() or facts.st_mode & 0o022:
            raise seal.damaged(folder, f"{path.name} belongs to another user, or others may write it")
