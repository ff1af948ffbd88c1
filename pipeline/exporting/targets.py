"""What a version can be exported to, and what it cannot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from store.errors import NotExportable


@dataclass(frozen=True)
class Target:
    name: str
    programs: tuple[str, ...]
    """Modules that run there; the code that goes along follows from them."""
    next: tuple[str, ...]
    """What to do with the folder, for `str.Template`."""


CONTAINER: Final = Target(
    "container",
    ("pipeline.standalone.serve", "pipeline.standalone.health"),
    (
        "cd $folder && docker build -f Containerfile -t $model:$version .",
        "docker run --rm -p 8080:8080 $model:$version",
        "curl localhost:8080/v1/predict/$model -d '$sample'",
    ),
)
LAMBDA: Final = Target(
    "lambda",
    ("pipeline.standalone.function",),
    (
        "cd $folder && docker build --provenance=false -f Containerfile -t $model:$version .",
        "README.md there says how it is tried and deployed",
    ),
)
_TARGETS: Final[Mapping[str, Target]] = {target.name: target for target in (CONTAINER, LAMBDA)}
NAMES: Final = (*_TARGETS, "onnx")


def target_of(name: str) -> Target:
    """Raises NotExportable, with what can be done instead."""
    if name == "onnx":
        raise NotExportable(
            "a version cannot be exported to ONNX: it holds its function as StableHLO, and nothing that is kept up "
            "turns StableHLO into ONNX. jax2onnx needs the Python code of the model, which a version does not have, "
            "and tf2onnx does not know the operation in which TensorFlow holds StableHLO",
            where="--to onnx",
            remedy="`--to container` gives the same answers on any machine with a container engine",
        )
    target = _TARGETS.get(name)
    if target is None:
        raise NotExportable(
            f"there is no target {name!r}", where=f"--to {name}", remedy=f"use one of {', '.join(NAMES)}"
        )
    return target
