"""What a version says about rows: scores and labels, as tensors and as plain words."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from pipeline.versions.signature import Signature

SCORE: Final = "score"
LABEL: Final = "label"
Scores = npt.NDArray[np.float32]


class OutputTensor(NamedTuple):
    """`values` are flat."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    values: npt.NDArray[np.float32] | list[str]


def described(signature: Signature) -> list[dict[str, Any]]:
    """The outputs as model metadata have them."""
    shape = [-1, len(signature.classes)] if signature.task == "multiclass" else [-1]
    score = {"name": SCORE, "datatype": "FP32", "shape": shape}
    if signature.task == "regression":
        return [score]
    return [score, {"name": LABEL, "datatype": "BYTES", "shape": [-1]}]


def output_names(signature: Signature) -> tuple[str, ...]:
    return tuple(one["name"] for one in described(signature))


def tensor(name: str, signature: Signature, scores: Scores) -> OutputTensor:
    """One output of those that `output_names` gives."""
    if name == SCORE:
        return OutputTensor(SCORE, "FP32", scores.shape, scores.ravel())
    return OutputTensor(LABEL, "BYTES", (len(scores),), labels(signature, scores))


def labels(signature: Signature, scores: Scores) -> list[str]:
    """The likeliest class of each row; of a binary task the second one from a probability of one half."""
    chosen = scores >= 0.5 if scores.ndim == 1 else scores.argmax(axis=1)
    return [signature.classes[int(place)] for place in chosen]


def plain(signature: Signature, scores: Scores) -> list[dict[str, Any]]:
    """A mapping for each row: `{"value"}`, or `{"label", "probabilities": {class: share}}`. For orjson with numpy."""
    return _PLAIN[signature.task](signature.classes, scores)


def _values(_: Sequence[str], scores: Scores) -> list[dict[str, Any]]:
    return [{"value": score} for score in scores]


def _two(classes: Sequence[str], scores: Scores) -> list[dict[str, Any]]:
    first, second = classes
    return [
        {"label": second if score >= 0.5 else first, "probabilities": {first: rest, second: score}}
        for score, rest in zip(scores, np.float32(1) - scores, strict=True)
    ]


def _many(classes: Sequence[str], scores: Scores) -> list[dict[str, Any]]:
    return [
        {"label": classes[int(row.argmax())], "probabilities": dict(zip(classes, row, strict=True))} for row in scores
    ]


_PLAIN: Final[Mapping[str, Callable[[Sequence[str], Scores], list[dict[str, Any]]]]] = {
    "regression": _values,
    "binary": _two,
    "multiclass": _many,
}
