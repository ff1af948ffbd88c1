"""`[predictions.NAME]`: a dataset of what a version says about each row of another dataset."""

from __future__ import annotations

from typing import Self

from pydantic import Field, model_validator

from pipeline.config.base import Name, Section
from store.words import PRODUCTION


class Predictions(Section):
    """A dataset made by a model: the rows of a dataset, each with its prediction."""

    description: str = ""
    """For people."""
    model: Name
    """Model that predicts."""
    alias: str = PRODUCTION
    """Its version that this alias points at when the run begins."""
    version: int | None = Field(default=None, gt=0)
    """This version, instead of an alias."""
    dataset: Name
    """Rows to predict; it holds every column that the version takes, or, of the model's feature views, the entities and
    the model's `time`: what it lacks is looked up as of each row's own time."""
    keep: list[str] = []
    """Columns of it that stay beside the prediction; empty: the model's key."""

    @model_validator(mode="after")
    def _one_version(self) -> Self:
        if self.version is not None and "alias" in self.model_fields_set:
            raise ValueError("names a version or an alias, not both")
        return self
