"""Whether labels can be learned. Pure: counts in, a refusal with its reason out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from pipeline.features.pit import type_family
from pipeline.trainingset.split import PARTS, Part
from store.errors import ProjectError, TrainshedError, Unlearnable

Task = Literal["binary", "multiclass", "regression"]


@dataclass(frozen=True, kw_only=True)
class LabelCounts:
    """Of one part."""

    rows: int
    distinct: int
    """Different labels."""


def refuse_label_type(task: Task, label: str, kind: str, where: str) -> ProjectError | None:
    """`kind`: DuckDB type of the label column."""
    number = type_family(kind) in {"integer", "float"} or kind.startswith("DECIMAL")
    if task == "regression" and not number:
        return ProjectError(
            f"the label {label!r} is {kind}, and a regression needs numbers",
            where=where,
            remedy='make it a number where the dataset is made, or set task = "multiclass"',
        )
    if task != "regression" and not number and kind not in {"BOOLEAN", "VARCHAR"}:
        return ProjectError(
            f"the label {label!r} is {kind}, and a class is a truth value, a whole number or text",
            where=where,
            remedy="cast it where the dataset is made",
        )
    return None


def refuse_labels(
    task: Task, classes: int, parts: Mapping[Part, LabelCounts], *, label: str, where: str
) -> TrainshedError | None:
    """`classes`: different labels of all rows together; `where`: the model's place in the project file."""
    if task != "regression" and classes == 1:
        return _one_class(f"all rows have the same {label}", f"{where}.label")
    if task == "binary" and classes > 2:
        return ProjectError(
            f"the label {label!r} has {classes:,} different values, and a binary task has two",
            where=f"{where}.task",
            remedy='set task = "multiclass" (or "regression"), or make a label of two values',
        )
    if task == "multiclass" and classes == 2:
        return ProjectError(
            f"the label {label!r} has two different values", where=f"{where}.task", remedy='set task = "binary"'
        )
    for part in PARTS:
        refusal = _refuse_part(task, part, parts.get(part), label, where)
        if refusal:
            return refusal
    return None


def _refuse_part(task: Task, part: Part, counts: LabelCounts | None, label: str, where: str) -> Unlearnable | None:
    if counts is None or counts.rows == 0:
        return Unlearnable(
            f"no rows are left to {part}", where=f"{where}.split", remedy="change the split, or bring more rows"
        )
    if counts.distinct == 1 and (part == "train" or task == "binary"):
        return _one_class(f"all {counts.rows:,} rows that {part} have the same {label}", f"{where}.split")
    return None


def _one_class(what: str, where: str) -> Unlearnable:
    return Unlearnable(
        f"{what}: there is nothing to tell apart",
        where=where,
        remedy="bring rows with other labels, or change the split",
    )
