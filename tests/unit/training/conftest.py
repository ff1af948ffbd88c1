"""A small real lesson: a network with dropout and batch normalisation, learnable rows, a watcher that notes."""

from __future__ import annotations

import functools
import hashlib
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import nnx

from pipeline.config.models import Training
from pipeline.models.flat import FlatModel, Leaves, flatten
from pipeline.training.batches import Rows
from pipeline.training.devices import use_cache
from pipeline.training.looks import Objective
from pipeline.training.saved import Resume
from pipeline.training.steps import Trace
from pipeline.training.stopping import Evaluation
from pipeline.training.train import Fitted, Lesson, Saver, fit
from tests.hurried import compiled_in_a_hurry


class TinyNetwork(nnx.Module):
    """Everything that has state of its own: dropout's stream, batch normalisation's running figures."""

    def __init__(self, rngs: nnx.Rngs) -> None:
        self.first = nnx.Linear(3, 8, rngs=rngs)
        self.norm = nnx.BatchNorm(8, rngs=rngs)
        self.dropout = nnx.Dropout(0.2, rngs=rngs)
        self.last = nnx.Linear(8, 1, rngs=rngs)

    def logits(self, numeric: Any) -> jax.Array:
        return jnp.asarray(self.last(self.dropout(nnx.relu(self.norm(self.first(numeric))))))[:, 0]

    def losses(self, rows: Rows) -> jax.Array:
        return jnp.asarray(optax.sigmoid_binary_cross_entropy(self.logits(rows.numeric), rows.target))

    def scores(self, numeric: jax.Array, categorical: jax.Array) -> jax.Array:
        return jax.nn.sigmoid(self.logits(numeric))

    def score_losses(self, scores: jax.Array, target: jax.Array) -> jax.Array:
        return -jnp.log(jnp.where(target > 0.5, scores, 1 - scores) + 1e-7)


@dataclass
class Notes:
    """A watcher that keeps all it is told."""

    compilations: int = 0
    chunks: list[tuple[int, int]] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    finite: list[bool] = field(default_factory=list)
    evaluations: list[Evaluation] = field(default_factory=list)
    after_chunk: Callable[[int], None] = lambda step: None

    def compiled(self, seconds: float) -> None:
        self.compilations += 1

    def chunk(self, first: int, trace: Trace, seconds: float) -> None:
        self.chunks.append((first, trace.done))
        self.losses += trace.loss.tolist()
        self.finite += trace.finite.tolist()
        self.after_chunk(first + trace.done)

    def evaluated(self, found: Evaluation, is_best: bool, seconds: float) -> None:
        self.evaluations.append(found)


def rows_of(count: int, seed: int = 0) -> Rows:
    rng = np.random.default_rng(seed)
    numeric = rng.normal(size=(count, 3)).astype(np.float32)
    target = (numeric[:, 0] + 0.5 * rng.normal(size=count) > 0).astype(np.float32)
    return Rows(numeric, np.zeros((count, 0), np.int32), target)


def mean_agreement(labels: np.ndarray, scores: np.ndarray) -> float:
    return float(np.mean((scores > 0.5) == (labels > 0.5)))


@functools.cache
def network() -> tuple[FlatModel, Leaves]:
    """Initialised once: compiling that costs more than a lesson, and `fit` starts from a copy."""
    return flatten(TinyNetwork, seed=0)


@dataclass
class Bench:
    """Makes lessons and runs them."""

    notes: Notes = field(default_factory=Notes)
    stop: threading.Event = field(default_factory=threading.Event)

    def lesson(
        self,
        *,
        train: Rows | None = None,
        placement: Any = "host",
        block: int = 1,
        name_rows: Any = None,
        **training: Any,
    ) -> Lesson:
        model, leaves = network()
        settings = {"epochs": 3, "batch": 16, "learning_rate": 0.05, "patience": None, "nan_patience": 4, **training}
        return Lesson(
            model=model,
            leaves=leaves,
            train=train or rows_of(150),
            validate=rows_of(50, seed=1),
            training=Training(**settings),
            objective=Objective(name="accuracy", higher_is_better=True, measure=mean_agreement),
            placement=placement,
            block=block,
            name_rows=name_rows,
        )

    def fit(self, lesson: Lesson, *, saver: Saver | None = None, resume: Resume | None = None) -> Fitted:
        return fit(lesson, watcher=self.notes, clock=time.monotonic, stop=self.stop, saver=saver, resume=resume)


@pytest.fixture(scope="session", autouse=True)
def compilation_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Tests that compile the same program compile it once."""
    use_cache(tmp_path_factory.mktemp("xla"))


@pytest.fixture(autouse=True)
def _in_a_hurry() -> Iterator[None]:
    with compiled_in_a_hurry():
        yield


@pytest.fixture
def bench() -> Bench:
    return Bench()


@pytest.fixture
def rows() -> Callable[..., Rows]:
    return rows_of


@pytest.fixture
def digest() -> Callable[[Any], str]:
    """SHA-256 over all leaves of a tree, bit for bit."""

    def of(tree: Any) -> str:
        hashed = hashlib.sha256()
        for leaf in jax.tree.leaves(tree):
            hashed.update(np.asarray(leaf).tobytes())
        return hashed.hexdigest()

    return of
