"""Judging a version again: against today's production and today's gates, on the test rows it was recorded with."""

from __future__ import annotations

import numpy as np

from pipeline.judging.evaluate import compare_with_production
from pipeline.judging.evidence import Evidence
from pipeline.judging.gates import judge
from pipeline.judging.rival import production_scores
from pipeline.process.context import RunContext
from pipeline.process.spec import ProductionFacts
from pipeline.tables.fingerprint import fingerprint
from pipeline.training.devices import resolve_device
from pipeline.trainingset import open_training_set
from pipeline.versions.bundle import LoadedBundle, load_bundle
from pipeline.versions.encoding import encode_labels
from store.errors import BundleDamaged, NotFound

FORMAT = 1
"""Of this step's result; part of its fingerprint."""


def run_evaluate(ctx: RunContext) -> None:
    """Judges `context.evaluate` again and reports a `verdict`; skips if version, production and gates are unchanged.

    Raises NotFound (no such version, its training set is gone), BundleDamaged, DeviceMissing.
    """
    asked = _asked(ctx)
    gates = ctx.project.models[ctx.spec.target].gates
    live = ctx.spec.context.production
    rival = None if live is None or live.digest == asked.digest else live
    mark = fingerprint(
        format=FORMAT,
        version=asked.digest,
        production=rival.digest if rival else None,
        gates=gates.model_dump(mode="json"),
    )
    ctx.spool.write("fingerprint", value=mark)
    if not ctx.spec.force and mark == ctx.spec.context.last_fingerprint:
        ctx.spool.write(
            "skip", reason=f"version {asked.version}, production and gates are unchanged since it was judged"
        )
        return
    resolve_device(ctx.spec.device, gpu=ctx.spec.gpu, memory=ctx.spec.gpu_memory, cache=ctx.home.compilation_cache)
    candidate = load_bundle(ctx.home.bundle(asked.digest))
    _require_golden(candidate)
    evidence = gather_again(ctx, candidate, rival, np.random.default_rng(int(mark[:16], 16)))
    verdict = judge(evidence, gates)
    ctx.spool.write(
        "verdict",
        model=ctx.spec.target,
        version=asked.version,
        evidence=evidence.model_dump(mode="json"),
        verdict=verdict.model_dump(mode="json"),
    )


def gather_again(
    ctx: RunContext, candidate: LoadedBundle, rival: ProductionFacts | None, rng: np.random.Generator
) -> Evidence:
    """The evidence that was sealed with the version, with the comparison to production made anew.

    All other numbers are of the same weights on the same rows, so they stand. A version that is live itself, or has
    no rival, keeps the comparison it was made with.
    """
    if rival is None:
        return candidate.evidence
    test = open_training_set(ctx.home, candidate.lineage["training_set"]).judged("test")
    ctx.spool.progress(0, test.num_rows, "rows", message=f"comparing with version {rival.version}")
    labels = encode_labels(test.column(candidate.signature.label), candidate.signature)
    answers = production_scores(ctx.home, rival, candidate.signature, test)
    scores = candidate.predict(test)
    comparison = compare_with_production(candidate.signature.task, labels, scores, answers, rng)
    return candidate.evidence.model_copy(update={"production": comparison})


def _asked(ctx: RunContext) -> ProductionFacts:
    if ctx.spec.context.evaluate is None:
        raise NotFound(
            f"no version of {ctx.spec.target} was named",
            where=ctx.spec.job,
            remedy=f"`trainshed run {ctx.spec.job} --set version=N`; `trainshed versions {ctx.spec.target}` shows them",
        )
    return ctx.spec.context.evaluate


def _require_golden(candidate: LoadedBundle) -> None:
    """A version that does not answer its golden rows as recorded is not the one that was judged."""
    check = candidate.check_golden()
    if not check.passed:
        raise BundleDamaged(
            f"its golden rows come out {check.difference:.2g} apart here, at most {check.tolerance:.2g} is allowed",
            where=str(candidate.path),
            remedy="judge it on the machine that made it, or train it again here: `trainshed run train:MODEL --force`",
        )
