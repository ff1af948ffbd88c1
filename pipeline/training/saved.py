"""What a checkpoint of a training holds: its state and the best leaves as one tree of arrays, and its progress."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipeline.config.models import Training
from pipeline.models.flat import FlatModel, Leaves
from pipeline.training.optimizer import make_optimizer
from pipeline.training.steps import TrainState, initial_state
from pipeline.training.stopping import Progress


@dataclass(frozen=True, kw_only=True)
class Resume:
    """What a checkpoint held: the arrays as given to `Saver.save`, and the progress."""

    arrays: dict[str, Any]
    progress: Progress


def blank_state(model: FlatModel, leaves: Leaves, training: Training) -> TrainState:
    """A state of the right shape, to say how a checkpoint's arrays are to be placed."""
    return initial_state(leaves, model, make_optimizer(training, lambda step: step))


def pack(kept: tuple[TrainState, Leaves]) -> dict[str, Any]:
    """State and best leaves as the tree that a checkpoint holds."""
    state, best = kept
    trees = {"model": state.model, "optimizer": state.optimizer, "best": best, "streak": (state.streak,)}
    return {name: {f"{i:04d}": leaf for i, leaf in enumerate(leaves)} for name, leaves in trees.items()}


def unpack(arrays: dict[str, Any]) -> tuple[TrainState, Leaves]:
    """The inverse of `pack`."""
    trees = {name: tuple(leaves[key] for key in sorted(leaves)) for name, leaves in arrays.items()}
    return TrainState(trees["model"], trees["optimizer"], trees["streak"][0]), trees["best"]
