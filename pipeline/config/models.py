"""`[models.NAME]`: a learning task, its network, its training and its gates."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import Field, field_validator, model_validator

from pipeline.config.base import Duration, Name, PythonReference, Section, Share, none_if_off
from store.words import DeviceChoice

ObjectiveName = Literal["auc", "log_loss", "accuracy", "rmse", "mae", "r2"]
DEFAULT_OBJECTIVE: Final[dict[str, ObjectiveName]] = {"binary": "auc", "multiclass": "accuracy", "regression": "rmse"}


class Join(Section):
    """A feature view looked up for each row, at the row's own time."""

    view: Name
    """Feature view."""
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
    """Units in a hidden layer."""
    depth: int = Field(default=2, gt=0)
    """Hidden layers."""
    dropout: Share = 0.1
    """Share of units left out in a training step."""
    embedding: Literal["linear", "piecewise"] = "piecewise"
    """How a number enters: as it is, or piecewise-linear over the quantiles of the training rows."""
    bins: int = Field(default=24, gt=1)
    """Quantile bins of a piecewise-linear embedding."""


class Tabm(Section):
    """TabM-mini: one network, many cheap members, averaged (Gorishniy 2025)."""

    kind: Literal["tabm"] = "tabm"
    width: int = Field(default=64, gt=0)
    """Units in a hidden layer."""
    depth: int = Field(default=2, gt=0)
    """Hidden layers."""
    members: int = Field(default=8, gt=0)
    """Members whose answers are averaged."""
    dropout: Share = 0.1
    """Share of units left out in a training step."""
    embedding: Literal["linear", "piecewise"] = "piecewise"
    """How a number enters: as it is, or piecewise-linear over the quantiles of the training rows."""
    bins: int = Field(default=24, gt=1)
    """Quantile bins of a piecewise-linear embedding."""


class OwnNetwork(Section):
    """A Flax NNX module of the project."""

    kind: Literal["python"]
    module: PythonReference
    """Function (inputs: int, outputs: int, rngs: nnx.Rngs, **params) → nnx.Module from [batch, inputs]
    float32 to [batch, outputs]. If it has a parameter `dtype`, it gets what `training.precision` says."""
    params: dict[str, Any] = {}
    """Keyword arguments for the function."""


Network = Annotated[Mlp | Tabm | OwnNetwork, Field(discriminator="kind")]


class Training(Section):
    """How a network is trained."""

    epochs: int | None = Field(default=None, gt=0)
    """Passes over the training rows, at most; None: enough for 2,000 optimiser steps, from 5 to 100."""
    batch: int = Field(default=256, gt=0)
    """Rows in an optimiser step."""
    optimizer: Literal["adamw", "adam", "sgd"] = "adamw"
    """Rule by which a gradient becomes a step (optax)."""
    learning_rate: float = Field(default=2e-3, gt=0)
    """Highest learning rate, reached after the warm-up."""
    schedule: Literal["constant", "cosine", "linear"] = "cosine"
    """How the learning rate goes down after the warm-up."""
    warmup: Share = 0.05
    """Share of the steps in which the learning rate rises from zero."""
    weight_decay: float = Field(default=1e-4, ge=0)
    """Pull of the weights towards zero, decoupled from the gradient (adamw)."""
    clip: float | None = Field(default=1.0, gt=0)
    """Bound on the global norm of the gradient; "off": none."""
    patience: int | None = Field(default=8, gt=0)
    """Stop after this many evaluations without improvement and take the best; "off": never."""
    evaluations_per_epoch: int = Field(default=1, gt=0)
    """How often the validation rows are looked at."""
    seed: int = 0
    """Of everything random: equal seeds give equal models on equal machines."""
    chunk: int | None = Field(default=None, gt=0)
    """Optimiser steps compiled into one scan; None: measured, so that a chunk lasts about 0.1 s."""
    checkpoint_every: Duration = Field(default="30s", validate_default=True)
    """Time between two checkpoints: what a crash can cost at most."""
    keep_checkpoints: int = Field(default=2, gt=0)
    """Newest checkpoints that stay."""
    nan_patience: int = Field(default=10, gt=0)
    """Steps in a row with a non-finite loss or gradient, each skipped, before the run is stopped."""
    precision: Literal["auto", "float32", "bfloat16"] = "auto"
    """What a network's layers compute in; its parameters and the optimiser's memory, logits, losses and metrics stay
    float32. auto: bfloat16 on a GPU or TPU, float32 on a CPU."""
    data: Literal["auto", "host", "device"] = "auto"
    """Where the training rows lie; auto: on the device where they fit into a quarter of its memory."""
    storage: Literal["auto", "memory", "disk"] = "auto"
    """Where the host keeps its training rows; auto: in memory up to 40 % of what is free, else in files under
    the home, which need as much room. The result is the same, bit by bit."""

    @field_validator("clip", "patience", mode="before")
    @classmethod
    def _switched_off(cls, value: Any) -> Any:
        return none_if_off(value)


class Gates(Section):
    """Limits of the gates; `"off"` switches one off. Margins are in the objective's unit, of rmse and mae shares of the
    value compared with."""

    baseline_margin: float | None = 0.01
    """The objective is at most this much worse than the baseline's on the same rows; below 0: it has to be better."""
    production_margin: float | None = Field(default=0.005, ge=0)
    """Lower bound of the objective's difference to production (95 % interval) is above minus this."""
    chance_margin: float | None = Field(default=0.0, ge=0)
    """Lower bound of how much better the objective is than a constant answer's (95 % interval) is above this."""
    max_gap: float | None = Field(default=0.15, gt=0)
    """(validation loss - train loss) / validation loss at the chosen step; one that may be chance only warns."""
    min_objective: float | None = None
    """Worst acceptable objective on the test rows."""
    max_calibration_error: float | None = Field(default=0.05, gt=0)
    """Expected calibration error, 15 equal-mass bins (classification); what chance alone can add only warns."""
    max_slice_drop: float | None = Field(default=0.1, gt=0)
    """No slice's objective is worse than the whole by more than this (after correction for many slices)."""
    min_slice_rows: int = Field(default=200, gt=0)
    """Smaller slices are not judged."""
    max_single_feature_auc: float | None = Field(default=0.995, gt=0.5)
    """A feature that alone predicts the label better than this is taken for a leak."""
    max_duplicate_share: Share | None = 0.01
    """Share of test rows that also are training rows, beyond what coarse features meet by chance."""
    min_test_rows: int = Field(default=200, gt=0)
    """Fewest test rows that a verdict may rest on."""

    @field_validator("*", mode="before")
    @classmethod
    def _switched_off(cls, value: Any) -> Any:
        return none_if_off(value)


class Model(Section):
    """A named learning task."""

    description: str = ""
    """For people."""
    task: Literal["binary", "multiclass", "regression"]
    """Yes or no, one of several classes, or a number."""
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
    """Feature views joined at `time`; text and truth values are categories, all others numbers."""
    slices: list[str] = []
    """Columns by whose values the evidence is split."""
    objective: ObjectiveName | None = None
    """What gates compare; default auc (binary), accuracy (multiclass), rmse (regression)."""
    split: Split = Split()
    """How the rows are parted into train, validate and test."""
    network: Network = Tabm()
    """What learns."""
    training: Training = Training()
    """How it learns."""
    baseline: Literal["gbdt", "none"] = "gbdt"
    """Model that the network has to match: gradient-boosted trees on the same rows."""
    gates: Gates = Gates()
    """What a version has to fulfil to be promoted."""
    device: DeviceChoice = "auto"
    """Where it trains; a device that is asked for and missing is an error. auto: the best that is here."""

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not (self.numeric or self.categorical or self.views):
            raise ValueError("has no features: name columns in numeric or categorical, or views")
        if self.views and self.time is None:
            raise ValueError("joins feature views, so it needs `time`: the moment of each prediction")
        return self

    @property
    def objective_name(self) -> ObjectiveName:
        return self.objective or DEFAULT_OBJECTIVE[self.task]
