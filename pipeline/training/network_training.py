"""The network's part of a `train` run: the loop with its checkpoints, resumed where an earlier attempt left off."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax.numpy as jnp
import numpy as np

from pipeline.config.models import OwnNetwork, Training
from pipeline.models.flat import FlatModel, Leaves, flatten
from pipeline.models.network import exported
from pipeline.plugins import load_function
from pipeline.process.context import RunContext
from pipeline.process.spool import Spool
from pipeline.stats.metrics import measure
from pipeline.stats.orientation import SMALLER_IS_BETTER, MetricName
from pipeline.training.batches import BatchPlan, choose_placement
from pipeline.training.calibrate import fit_temperature
from pipeline.training.checkpoint import CheckpointStore, SavedCheckpoint
from pipeline.training.devices import Device
from pipeline.training.looks import Objective
from pipeline.training.optimizer import planned_epochs
from pipeline.training.pace import choose_block
from pipeline.training.precision import plan_precision
from pipeline.training.predictor import Predictor, member_outputs
from pipeline.training.saved import Resume, blank_state, pack
from pipeline.training.stopping import Progress
from pipeline.training.study import Study
from pipeline.training.telemetry import SpoolWatcher
from pipeline.training.train import Fitted, Lesson, fit
from pipeline.versions.birthplace import Precision
from store.errors import CheckpointDamaged


@dataclass(frozen=True, kw_only=True)
class Trained:
    """A network that answers."""

    fitted: Fitted
    apply: Any
    """`apply(params, numeric, categorical) → scores`, for the bundle."""
    params: dict[str, Any]
    predictor: Predictor
    temperature: float | None
    """None for a regression."""
    precision: Precision
    planned_steps: int
    resumed_from: int | None
    """Step of the checkpoint that this attempt began with."""


def train_network(ctx: RunContext, study: Study, device: Device, mark: str) -> Trained:
    """Trains with checkpoints under the run's folder; `mark`, the run's fingerprint, says whether one is of this run.

    Raises Diverged, StorageError; Preempted when stopped, with everything saved.
    """
    training = study.model.training
    own = _own(ctx, study)
    plan = plan_precision(training.precision, device.platform, own)
    if plan.note:
        ctx.spool.note("precision", plan.note)
    build = study.network(own, plan.dtype)
    flat, leaves = flatten(build, training.seed)
    lesson = Lesson(
        model=flat,
        leaves=leaves,
        train=study.train,
        validate=study.judged["validate"],
        training=training,
        objective=objective_of(study.model.objective_name),
        placement=choose_placement(
            training.data,
            rows_bytes=study.train.nbytes,
            platform=device.platform,
            memory=device.memory,
        ),
        block=choose_block(device.platform),
        name_rows=study.name_rows,
    )
    per_epoch = BatchPlan(lesson.train.size, training.batch, training.seed).steps_per_epoch
    total = planned_epochs(training, per_epoch) * per_epoch
    watcher = SpoolWatcher(ctx.spool, objective=lesson.objective.name, total=total, steps_per_epoch=per_epoch)
    store = _store(ctx, training)
    try:
        mark = f"{mark} {plan.precision}"  # a version is computed in one precision, also if it is resumed elsewhere
        resume = _resume(store, ctx.spool, lesson, mark)
        fitted = fit(
            lesson, watcher=watcher, clock=time.monotonic, stop=ctx.stop, saver=_Marked(store, mark), resume=resume
        )
    finally:
        store.close()
    watcher.ended(fitted.progress.step, fitted.figures)
    temperature, finished = _with_temperature(flat, fitted.leaves, study)
    apply, params = exported(flat, finished)
    return Trained(
        fitted=fitted,
        apply=apply,
        params=params,
        predictor=Predictor(apply, params),
        temperature=temperature,
        precision=plan.precision,
        planned_steps=total,
        resumed_from=resume.progress.step if resume else None,
    )


def _own(ctx: RunContext, study: Study) -> Callable[..., Any] | None:
    """The project's function, where the network is one."""
    network = study.model.network
    return load_function(ctx.project.root, network.module) if isinstance(network, OwnNetwork) else None


def objective_of(name: MetricName) -> Objective:
    """How the loop measures the model's objective."""

    def value(labels: np.ndarray, scores: np.ndarray) -> float:
        return measure(name, labels, scores).value

    return Objective(name=name, higher_is_better=name not in SMALLER_IS_BETTER, measure=value)


class _Marked:
    """A saver that puts the run's fingerprint beside the progress."""

    def __init__(self, store: CheckpointStore, mark: str) -> None:
        self._store = store
        self._mark = mark
        self.idle = store.idle
        self.wait = store.wait

    def save(self, step: int, arrays: dict[str, Any], facts: dict[str, Any]) -> None:
        self._store.save(step, arrays, {"fingerprint": self._mark, "progress": facts})


def _store(ctx: RunContext, training: Training) -> CheckpointStore:
    def saved(checkpoint: SavedCheckpoint) -> None:
        place = str(checkpoint.path.relative_to(ctx.home.root))
        ctx.spool.write(
            "checkpoint", step=checkpoint.step, path=place, digest=checkpoint.digest, bytes=checkpoint.bytes
        )

    def damaged(damage: CheckpointDamaged) -> None:
        ctx.spool.note(
            "checkpoint_damaged", f"{damage.what}; taking the one before it", level="warning", where=damage.where
        )

    return CheckpointStore(
        ctx.home.checkpoints(ctx.spec.run), keep=training.keep_checkpoints, on_saved=saved, on_damage=damaged
    )


def _resume(store: CheckpointStore, spool: Spool, lesson: Lesson, mark: str) -> Resume | None:
    """Where an earlier attempt left off; None to begin anew, which is said if there was something to go on from."""
    step = store.latest_verified()
    if step is None:
        return None
    facts = store.facts(step)
    if facts["fingerprint"] != mark:
        spool.note(
            "fresh_start",
            "training set, settings or precision changed since the checkpoint, so training begins anew",
            step=step,
        )
        store.clear()
        return None
    arrays = store.load(step, pack((blank_state(lesson.model, lesson.leaves, lesson.training), lesson.leaves)))
    spool.note("resumed", f"going on from the checkpoint of step {step}", step=step)
    return Resume(arrays=arrays, progress=Progress.model_validate(facts["progress"]))


def _with_temperature(flat: FlatModel, leaves: Leaves, study: Study) -> tuple[float | None, Leaves]:
    """The temperature by the validation rows, and the leaves that have it inside; a regression has none."""
    if study.signature.task == "regression":
        return None, leaves
    rows = study.judged["validate"]
    temperature = fit_temperature(member_outputs(flat, leaves, rows), np.asarray(rows.target))
    place = flat.names.index("head.temperature")
    return temperature, (*leaves[:place], jnp.float32(temperature), *leaves[place + 1 :])
