"""What a model takes and gives: which column is where, and which text has which number."""

from __future__ import annotations

from typing import Literal, Protocol, Self

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field, model_validator

Task = Literal["binary", "multiclass", "regression"]
FeatureKind = Literal["numeric", "categorical"]
Numeric = npt.NDArray[np.float32]
Categorical = npt.NDArray[np.int32]

MISSING = 0
UNSEEN = 1
FIRST_WORD = 2
"""Numbers of a category: 0 is no value, 1 a word that training never saw, 2… the vocabulary in order."""


class NamedFeature(Protocol):
    """A feature of a training set, or an input of a signature."""

    @property
    def name(self) -> str: ...
    @property
    def kind(self) -> FeatureKind: ...


class InputColumn(BaseModel):
    """One feature as the model takes it."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    name: str
    kind: FeatureKind
    vocabulary: list[str] = []
    """Words of a categorical column, as text; number i + 2 in the array."""


class Signature(BaseModel):
    """Columns in, scores out; written into every bundle as `signature.json`."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    inputs: list[InputColumn] = Field(min_length=1)
    """In the order of the arrays' columns, numeric and categorical counted apart."""
    task: Task
    label: str
    classes: list[str] = []
    """Label values as text, in the order of the scores; of a binary task the second is the one predicted."""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        expected = {"binary": len(self.classes) == 2, "multiclass": len(self.classes) > 2, "regression": True}
        if not expected[self.task]:
            raise ValueError(f"a {self.task} signature does not have {len(self.classes)} classes")
        return self

    @property
    def numeric(self) -> list[InputColumn]:
        return [column for column in self.inputs if column.kind == "numeric"]

    @property
    def categorical(self) -> list[InputColumn]:
        return [column for column in self.inputs if column.kind == "categorical"]
