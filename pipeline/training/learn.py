"""`train:MODEL`: from the training set to a version with its evidence.

training set ─ arrays ┬─ network (the loop), temperature ┬─ evidence ─ gates ─ bundle ─ a version
                      └─ baseline ───────────────────────┘
"""

from __future__ import annotations

import hashlib
import importlib.metadata
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.config.models import Model, OwnNetwork
from pipeline.judging.evaluate import gather_evidence
from pipeline.judging.evidence import Evidence, LeakageFacts, LearningCurve
from pipeline.judging.gates import Verdict, judge
from pipeline.judging.leakage import WholeTrain, find_twins, leakage_facts
from pipeline.judging.rival import production_scores
from pipeline.process.context import Preempted, RunContext
from pipeline.tables.duck import connect
from pipeline.tables.fingerprint import fingerprint
from pipeline.tables.storage import storage_faults
from pipeline.training.baseline import Baseline, fit_baseline
from pipeline.training.batches import Rows
from pipeline.training.devices import Device, resolve_device
from pipeline.training.network_training import Trained, train_network
from pipeline.training.overrides import with_overrides
from pipeline.training.stopping import Progress
from pipeline.training.study import Study
from pipeline.trainingset import TrainingSet, build_training_set
from pipeline.trainingset.split import PARTS, Part
from pipeline.versions.bundle import write_bundle
from store.facts import VersionFacts
from store.workspace import workspace

FORMAT = 2
"""Of this step's result; part of its fingerprint."""
GOLDEN_ROWS = 64
_LIBRARIES = ("jax", "jaxlib", "flax", "optax", "orbax-checkpoint", "numpy", "scikit-learn")


def run_train(ctx: RunContext) -> None:
    """Trains, judges and seals a version; skips if training set and settings are those of the last good run.

    Raises ProjectError, Unlearnable, DeviceMissing, Diverged, StorageError; Preempted when stopped.
    """
    name = ctx.spec.target
    model = with_overrides(ctx.project.models[name], ctx.spec.params)
    with workspace(ctx.home.scratch) as scratch:
        _learn(ctx, name, model, scratch)


def _learn(ctx: RunContext, name: str, model: Model, scratch: Path) -> None:
    """`scratch`: a folder for what does not fit into memory, gone after the run."""
    made = build_training_set(ctx, name, model, spill=scratch / "spill")
    mark = _fingerprint(ctx, model, made)
    ctx.spool.write("fingerprint", value=mark)
    if not ctx.spec.force and mark == ctx.spec.context.last_fingerprint:
        ctx.spool.write("skip", reason=f"the training set ({made.digest[:12]}) and all settings are unchanged")
        return

    device = _device(ctx, model)
    ctx.spool.write("params", values=_params(model, device))
    ctx.spool.progress(0, made.rows["train"], "rows", message="encoding the training rows")
    study = Study.of(name, model, made, scratch)
    ctx.spool.note("row_storage", study.storage.reason)
    trained = train_network(ctx, study, device, mark)
    _heed(ctx)
    baseline = _baseline(ctx, study)
    _heed(ctx)
    evidence = _evidence(ctx, study, trained, baseline, scratch, np.random.default_rng(int(mark[:16], 16)))
    verdict = judge(evidence, model.gates)
    _seal(ctx, study, trained, baseline, evidence, verdict, mark, device)


def _fingerprint(ctx: RunContext, model: Model, made: TrainingSet) -> str:
    code = ""
    if isinstance(model.network, OwnNetwork):
        file = ctx.project.root / model.network.module.partition(":")[0]
        code = hashlib.sha256(file.read_bytes()).hexdigest() if file.is_file() else ""
    return fingerprint(
        format=FORMAT, training_set=made.digest, model=model.model_dump(mode="json", by_alias=True), code=code
    )


def _device(ctx: RunContext, model: Model) -> Device:
    choice = model.device if ctx.spec.device == "auto" else ctx.spec.device
    device = resolve_device(choice, gpu=ctx.spec.gpu, memory=ctx.spec.gpu_memory, cache=ctx.home.compilation_cache)
    if device.note:
        ctx.spool.note("device", device.note, level="warning")
    return device


def _heed(ctx: RunContext) -> None:
    """The network's end is saved, so stopping here costs only what comes after it."""
    if ctx.stop.is_set():
        raise Preempted("stopped after the training, which is saved")


def _baseline(ctx: RunContext, study: Study) -> Baseline | None:
    if study.model.baseline == "none":
        return None
    ctx.spool.progress(0, None, "trees", message="fitting the baseline")
    return fit_baseline(study.train, study.judged["validate"], study.signature, seed=study.model.training.seed)


def _evidence(
    ctx: RunContext,
    study: Study,
    trained: Trained,
    baseline: Baseline | None,
    scratch: Path,
    rng: np.random.Generator,
) -> Evidence:
    ctx.spool.progress(0, None, "", message="gathering evidence")
    rows: dict[Part, Rows] = {
        "train": study.judged_train(),
        "validate": study.judged["validate"],
        "test": study.judged["test"],
    }
    labels = {part: study.labels(rows[part]) for part in PARTS}
    scores = {part: trained.predictor.scores(rows[part]) for part in PARTS}
    live = ctx.spec.context.production
    test = study.test
    return gather_evidence(
        task=study.signature.task,
        objective=study.model.objective_name,
        labels=labels["test"],
        scores=scores["test"],
        baseline_scores=baseline.scores(rows["test"]) if baseline else None,
        production=production_scores(ctx.home, live, study.signature, test) if live else None,
        slices={column: test.column(column).to_numpy(zero_copy_only=False) for column in study.made.slices},
        parts={part: (labels[part], scores[part]) for part in PARTS},
        curve=_curve(trained.fitted.progress, trained.planned_steps),
        leakage=_leakage(study, scratch, rng),
        rng=rng,
        drawn_from={part: study.drawn_from(part) for part in PARTS},
        baseline_rows=baseline.rows if baseline and baseline.rows < study.train.size else None,
    )


def _leakage(study: Study, scratch: Path, rng: np.random.Generator) -> LeakageFacts:
    """Of a large train part the alarms see a sample; twins of test rows are looked for among all its rows."""
    made, whole = study.made, None
    if study.drawn_from("train"):
        file = made.file("train")
        with storage_faults(scratch), closing(connect(spill=scratch / "spill", readable=[file])) as connection:
            twins = find_twins(connection, file, study.test, made.features, made.label)
        whole = WholeTrain(made.rows["train"], twins)
    return leakage_facts(
        train=made.judged("train"),
        test=study.test,
        features=made.features,
        label=made.label,
        task=made.task,
        rng=rng,
        whole=whole,
    )


def _curve(progress: Progress, planned: int) -> LearningCurve:
    return LearningCurve(
        steps=[one.step for one in progress.curve],
        train_loss=[one.train_loss for one in progress.curve],
        validation_loss=[one.validation_loss for one in progress.curve],
        best_step=progress.best.step if progress.best else progress.step,
        budget=planned,
    )


def _seal(
    ctx: RunContext,
    study: Study,
    trained: Trained,
    baseline: Baseline | None,
    evidence: Evidence,
    verdict: Verdict,
    mark: str,
    device: Device,
) -> None:
    """Writes the bundle and tells the record of the version."""
    lineage = _lineage(ctx, study, trained, baseline, device)
    bundle = write_bundle(
        ctx.home,
        apply=trained.apply,
        params=trained.params,
        signature=study.signature,
        golden=study.test.select([column.name for column in study.signature.inputs])[:GOLDEN_ROWS],
        evidence=evidence,
        verdict=verdict,
        lineage=lineage,
        precision=trained.precision,
    )
    place = str(bundle.path.relative_to(ctx.home.root))
    ctx.spool.write("artifact", name="bundle", kind="bundle", path=place, digest=bundle.digest, bytes=bundle.bytes)
    ctx.spool.facts(
        "version",
        VersionFacts(
            model=study.name,
            digest=bundle.digest,
            path=place,
            task=study.signature.task,
            objective=study.model.objective_name,
            metrics={name: _plain(estimate.model_dump()) for name, estimate in evidence.metrics.items()},
            baseline=_plain(evidence.baseline.model_dump()["metrics"]) if evidence.baseline else {},
            evidence=evidence.model_dump(mode="json"),
            signature=study.signature.model_dump(mode="json"),
            lineage=lineage,
            verdict=verdict.model_dump(mode="json"),
            training_set=study.made.digest,
            fingerprint=mark,
        ),
    )


def _lineage(
    ctx: RunContext, study: Study, trained: Trained, baseline: Baseline | None, device: Device
) -> dict[str, Any]:
    """Where a version comes from, as plain JSON."""
    progress = trained.fitted.progress
    return {
        "run": ctx.spec.run,
        "attempt": ctx.spec.attempt,
        "made_at": ctx.now().isoformat(),
        "training_set": study.made.digest,
        "inputs": study.made.inputs,
        "query": study.made.query,
        "rows": study.made.rows,
        "model": study.model.model_dump(mode="json", by_alias=True),
        "overrides": ctx.spec.params,
        "device": {"platform": device.platform, "kind": device.kind},
        "precision": trained.precision,
        "libraries": _libraries(),
        "parameters": int(sum(np.size(leaf) for leaf in trained.params.values())),
        "steps": progress.step,
        "best_step": progress.best.step if progress.best else progress.step,
        "skipped_steps": progress.skipped,
        "resumed_from": trained.resumed_from,
        "temperature": trained.temperature,
        "baseline_trees": baseline.trees if baseline else None,
        "baseline_rows": baseline.rows if baseline else None,
    }


def _params(model: Model, device: Device) -> dict[str, Any]:
    """All settings by their dotted names, with device and library versions."""
    settings: dict[str, Any] = {}

    def walk(prefix: str, value: Any) -> None:
        if isinstance(value, Mapping):
            for key, inner in value.items():
                walk(f"{prefix}.{key}" if prefix else key, inner)
        else:
            settings[prefix] = value

    walk("", model.model_dump(mode="json", by_alias=True, exclude={"gates", "description"}))
    versions = {f"library.{name}": version for name, version in _libraries().items()}
    return settings | {"device.platform": device.platform, "device.kind": device.kind} | versions


def _libraries() -> dict[str, str]:
    return {name: importlib.metadata.version(name) for name in _LIBRARIES}


def _plain(numbers: Mapping[str, float | None]) -> dict[str, float]:
    """Without the numbers that do not exist."""
    return {name: value for name, value in numbers.items() if value is not None}
