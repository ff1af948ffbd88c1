"""`[models.NAME]`: a learning task, its network, its training and its gates."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from pipeline.config.base import Duration, Name, PythonReference, Section, Share
from store.words import DeviceChoice


class Join(Section):
    """A feature view looked up for each row, at the row's own time."""

    view: Name
    on: dict[str, str] = {}
    """Entity column of the view → column of the dataset; without it the names are the same."""
    prefix: str = ""
    """Put before the view's column names."""


class Split(Section):
    """Which rows train, validate and test. By time where the model has `time`: the newest rows test."""

    validate_: Duration | Share = Field(default=0.15, alias="validate")
    """Span of time, or share of rows, before the test rows."""
    test: Duration | Share = 0.15
    """Span of time, or share of rows, at the end."""
    gap: Duration = Field(default="0s", validate_default=True)
    """Left out between the parts, for labels that arrive late."""


class Mlp(Section):
    """A multi-layer perceptron."""

    kind: Literal["mlp"]
    width: int = Field(default=128, gt=0)
    depth: int = Field(default=2, gt=0)
    dropout: Share = 0.1
    embedding: Literal["linear", "piecewise"] = "piecewise"
    """How a number enters: as it is, or piecewise-linear over the quantiles of the training rows."""
    bins: int = Field(default=24, gt=1)
    """Quantile bins of a piecewise-linear embedding."""


class Tabm(Section):
    """TabM-mini: one network, many cheap members, averaged (Gorishniy 2025)."""

    kind: Literal["tabm"] = "tabm"
    width: int = Field(default=128, gt=0)
    depth: int = Field(default=2, gt=0)
    members: int = Field(default=16, gt=0)
    dropout: Share = 0.1
    embedding: Literal["linear", "piecewise"] = "piecewise"
    """How a number enters: as it is, or piecewise-linear over the quantiles of the training rows."""
    bins: int = Field(default=24, gt=1)
    """Quantile bins of a piecewise-linear embedding."""


class OwnNetwork(Section):
    """A Flax NNX module of the project."""

    kind: Literal["python"]
    module: PythonReference
    """Function (inputs: int, outputs: int, rngs: nnx.Rngs, **params) → nnx.Module from [batch, inputs]
    float32 to [batch, outputs]."""
    params: dict[str, Any] = {}
    """Keyword arguments for the function."""


Network = Annotated[Mlp | Tabm | OwnNetwork, Field(discriminator="kind")]


class Training(Section):
    epochs: int = Field(default=20, gt=0)
    batch: int = Field(default=512, gt=0)
    """Rows in an optimiser step."""
    optimizer: Literal["adamw", "adam", "sgd"] = "adamw"
    learning_rate: float = Field(default=2e-3, gt=0)
    schedule: Literal["constant", "cosine", "linear"] = "cosine"
    """How the learning rate goes down after the warm-up."""
    warmup: Share = 0.05
    """Share of the steps in which the learning rate rises from zero."""
    weight_decay: float = Field(default=1e-4, ge=0)
    clip: float | None = Field(default=1.0, gt=0)
    """Bound on the global norm of the gradient."""
    patience: int | None = Field(default=4, gt=0)
    """Stop after this many evaluations without improvement and take the best; None: never."""
    evaluations_per_epoch: int = Field(default=1, gt=0)
    seed: int = 0
    chunk: int | None = Field(default=None, gt=0)
    """Optimiser steps compiled into one scan; None: measured, so that a chunk lasts about 0.1 s."""
    checkpoint_every: Duration = Field(default="30s", validate_default=True)
    keep_checkpoints: int = Field(default=2, gt=0)
    nan_patience: int = Field(default=10, gt=0)
    """Steps in a row with a non-finite loss or gradient, each skipped, before the run is stopped."""
    data: Literal["auto", "host", "device"] = "auto"
    """Where the training rows lie; auto: on the device where they fit into a quarter of its memory."""


class Gates(Section):
    """Limits of the gates; None switches one off."""

    baseline_margin: float | None = 0.01
    """The objective is at most this much worse than the baseline's on the same rows."""
    production_margin: float | None = Field(default=0.005, ge=0)
    """Lower bound of the objective's difference to production (95 % interval) is above minus this."""
    max_gap: float | None = Field(default=0.15, gt=0)
    """(validation loss - train loss) / validation loss at the chosen step."""
    min_objective: float | None = None
    """Worst acceptable objective on the test rows."""
    max_calibration_error: float | None = Field(default=0.05, gt=0)
    """Expected calibration error, 15 equal-mass bins (classification)."""
    max_slice_drop: float | None = Field(default=0.1, gt=0)
    """No slice's objective is worse than the whole by more than this (after correction for many slices)."""
    min_slice_rows: int = Field(default=200, gt=0)
    max_single_feature_auc: float | None = Field(default=0.995, gt=0.5)
    """A feature that alone predicts the label better than this is taken for a leak."""
    max_duplicate_share: Share | None = 0.01
    """Share of test rows that also are training rows."""
    min_test_rows: int = Field(default=200, gt=0)


class Model(Section):
    """A named learning task."""

    description: str = ""
    """For people."""
    task: Literal["binary", "multiclass", "regression"]
    dataset: Name
    """One row an example."""
    label: str
    """Column to predict; rows without it are left out and counted."""
    key: list[str] = Field(min_length=1)
    """Columns that identify an example."""
    time: str | None = None
    """Column: the moment at which the prediction is made. Feature views are looked up at it, splits follow it."""
    numeric: list[str] = []
    """Columns of the dataset that are numbers."""
    categorical: list[str] = []
    """Columns of the dataset that are categories."""
    views: list[Join] = []
    """Feature views joined at `time`; text columns are categories, all others numbers."""
    slices: list[str] = []
    """Columns by whose values the evidence is split."""
    objective: Literal["auc", "log_loss", "accuracy", "rmse", "mae", "r2"] | None = None
    """What gates compare; default auc (binary), accuracy (multiclass), rmse (regression)."""
    split: Split = Split()
    network: Network = Tabm()
    training: Training = Training()
    baseline: Literal["gbdt", "none"] = "gbdt"
    """Model that the network has to match: gradient-boosted trees on the same rows."""
    gates: Gates = Gates()
    device: DeviceChoice = "auto"

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not (self.numeric or self.categorical or self.views):
            raise ValueError("has no features: name columns in numeric or categorical, or views")
        if self.views and self.time is None:
            raise ValueError("joins feature views, so it needs `time`: the moment of each prediction")
        return self

    @property
    def objective_name(self) -> str:
        return self.objective or {"binary": "auc", "multiclass": "accuracy", "regression": "rmse"}[self.task]
