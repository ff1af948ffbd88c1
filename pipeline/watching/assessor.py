"""Assesses windows of a version's answers: performance, estimates, calibration, slices, service, support and skew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final, cast

import numpy as np

from pipeline.config import Project
from pipeline.config.monitors import MonitorSection
from pipeline.judging.evidence import Evidence
from pipeline.stats.metrics import METRICS
from pipeline.stats.orientation import MetricName
from pipeline.versions.signature import FeatureKind, Signature
from pipeline.watching.answers import Answers, answers
from pipeline.watching.assessed import Assessed
from pipeline.watching.assessment import Assessment
from pipeline.watching.calibrated import calibrated, calibration_assessed
from pipeline.watching.errormodel import ErrorModel, estimated_error, fit_error_model
from pipeline.watching.estimate import Estimated, Estimator, estimate_assessed, estimated, fit_estimator
from pipeline.watching.heldout import HeldOut, held_out
from pipeline.watching.numbers import NumberProfile
from pipeline.watching.performance import Performance, performance
from pipeline.watching.profile import Profile, Profiles
from pipeline.watching.reference import inputs_of
from pipeline.watching.service import Service, service, service_assessed
from pipeline.watching.shortfall import Floors, Valued, shortfall, valued
from pipeline.watching.skew import skew, skew_assessed, skew_columns
from pipeline.watching.slices import Slice, edges_of, grouped, judged_slices, slices
from pipeline.watching.support import Support, support, support_assessed
from pipeline.watching.truths import truth_profile, truth_reference
from pipeline.watching.windows import Window
from store.home import Home

_Z: Final = 1.96
_SLICES: Final = 60
"""Told of a window."""


@dataclass(frozen=True)
class Assessor:
    """Of one version. What it learned from is read when it is first asked for."""

    home: Home
    project: Project
    section: MonitorSection
    model: str
    version: int
    digest: str
    training_set: str
    signature: Signature
    learned: Profiles
    predictions: Sequence[Path]
    labels: Sequence[Path]

    def assess(self, window: Window) -> Assessment:
        """From rows at rest. Raises NotFound without the training set, BundleDamaged."""
        found = self.answered(window)
        told = performance(METRICS[self.signature.task], found.labels, found.scores, found.labelled)
        sliced = self._slices(found) if told.labelled else []
        guess = self._estimated(found)
        served = self._service(window)
        judged = [
            *self._performance(found, told, sliced),
            *self._estimate(told, guess, len(found.labelled)),
            *service_assessed(served, p99_ms=self.section.service.p99_ms, errors=self.section.service.errors),
            support_assessed(support(self._inputs, found.columns), self._support),
            *self._skew(found),
        ]
        return Assessment(
            labelled=told.labelled,
            performance=self._performance_document(told, sliced) if told.labelled else {},
            estimate=self._estimate_document(guess) if guess else {},
            service=_service_document(served),
            objective=told.metrics.get(self.evidence.objective),
            verdicts=[one.document() for one in judged],
            truth=self._truth(found) if told.labelled else {},
            notes=[f"{found.unreadable} labels do not fit their requests"] if found.unreadable else [],
        )

    def answered(self, window: Window) -> Answers:
        columns = skew_columns(self.project, self.model, self._kinds)
        return answers(
            self.predictions, self.labels, self.version, self.signature, columns, window.start_us, window.end_us
        )

    @cached_property
    def evidence(self) -> Evidence:
        return Evidence.model_validate_json((self.home.bundle(self.digest) / "evidence.json").read_bytes())

    @cached_property
    def held_out(self) -> HeldOut:
        return held_out(self.home, self.digest, self.training_set)

    @cached_property
    def truth_reference(self) -> Profile:
        return truth_reference(self.home, self.digest, self.training_set)

    @property
    def metric(self) -> MetricName:
        return cast(MetricName, self.section.performance.metric or self.evidence.objective)

    @property
    def _kinds(self) -> dict[str, FeatureKind]:
        return inputs_of(self.signature)

    @property
    def _inputs(self) -> Profiles:
        return {name: one for name, one in self.learned.items() if name in self._kinds}

    @cached_property
    def _support(self) -> Support:
        return support(self._inputs, self.held_out.columns)

    @cached_property
    def _estimator(self) -> Estimator | ErrorModel | None:
        rows = self.held_out
        if self.signature.task == "regression":
            return fit_error_model(rows, self._kinds, int(self.digest[:8], 16))
        return fit_estimator(self.signature.task, rows.labels, rows.scores) if len(rows.labels) else None

    def before(self, metric: MetricName) -> Valued | None:
        """What the evidence says."""
        return valued(self.evidence.metrics[metric]) if metric in self.evidence.metrics else None

    def _performance(self, found: Answers, told: Performance, sliced: Sequence[Slice]) -> Iterator[Assessed]:
        settings = self.section.performance
        floors = Floors(rows=self.section.least_rows, coverage=settings.coverage)
        yield shortfall(self.metric, self.before(self.metric), told, settings.drop, floors)
        if told.labelled < floors.rows or (told.coverage or 0.0) < floors.coverage:
            return
        yield from judged_slices(sliced, settings.drop)
        if self.signature.task != "regression":
            rng = np.random.default_rng(int(self.digest[:8], 16))
            labels, scores = found.labels[found.labelled], found.scores[found.labelled]
            known = self.evidence.calibration
            yield calibration_assessed(
                calibrated(labels, scores, rng),
                before=None if known is None else known.error,
                least_rows=self.section.least_rows,
            )

    def _slices(self, found: Answers) -> list[Slice]:
        named = list(self.section.performance.slices) or list({one.column: None for one in self.evidence.slices})
        here = [name for name in named if name in found.columns.column_names]
        edges = {name: edges_of(one) if isinstance(one := self.learned[name], NumberProfile) else None for name in here}
        labelled = found.columns.filter(found.labelled)
        groups = {name: grouped(labelled.column(name), edges[name]) for name in here}
        known = self.evidence.slices if self.metric == self.evidence.objective else []
        return slices(self.metric, found.labels[found.labelled], found.scores[found.labelled], groups, known)

    def _estimated(self, found: Answers) -> dict[MetricName, Estimated]:
        known = self._estimator
        if known is None:
            return {}
        if isinstance(known, Estimator):
            return estimated(known, found.scores)
        return estimated_error(known, found.columns, found.scores)

    def _estimate(self, told: Performance, guess: dict[MetricName, Estimated], rows: int) -> Iterator[Assessed]:
        """Where labels say how good the answers were, no estimate is asked."""
        settings = self.section.performance
        if told.labelled < self.section.least_rows or (told.coverage or 0.0) < settings.coverage:
            yield estimate_assessed(
                self.metric, self.before(self.metric), guess, rows, settings.drop, self.section.least_rows
            )

    def _service(self, window: Window) -> Service:
        limit = self.section.service.p99_ms
        return service(self.predictions, self.version, window.start_us, window.end_us, limit)

    def _skew(self, found: Answers) -> list[Assessed]:
        wanted = self.section.skew and bool(self.project.models[self.model].views)
        if not wanted or not found.columns.num_rows:
            return []
        told = skew(self.home, self.project, self.model, found.columns, found.at, self._kinds)
        return skew_assessed(told, least_rows=self.section.least_rows)

    def _truth(self, found: Answers) -> dict[str, Any]:
        return truth_profile(self.truth_reference, self.signature, found.labels, found.labelled).tally()

    def _performance_document(self, told: Performance, sliced: Sequence[Slice]) -> dict[str, Any]:
        return {
            "coverage": told.coverage,
            "metrics": [self._metric(name, *found) for name, found in told.metrics.items()],
            "slices": [_slice_document(one) for one in sliced[:_SLICES]],
        }

    def _metric(self, metric: MetricName, value: float, error: float) -> dict[str, Any]:
        before = self.before(metric)
        known = bool(np.isfinite(error))
        return {
            "metric": metric,
            "value": value,
            "low": value - _Z * error if known else None,
            "high": value + _Z * error if known else None,
            "reference": None if before is None else before.value,
        }

    def _estimate_document(self, guess: dict[MetricName, Estimated]) -> dict[str, Any]:
        how = "error model" if self.signature.task == "regression" else "calibrated scores"
        return {
            "how": how,
            "metrics": [
                {
                    "metric": name,
                    "value": one.value,
                    "low": one.low,
                    "high": one.high,
                    "reference": self._reference(name),
                }
                for name, one in guess.items()
            ],
        }

    def _reference(self, metric: MetricName) -> float | None:
        before = self.before(metric)
        return None if before is None else before.value


def _slice_document(one: Slice) -> dict[str, Any]:
    known = bool(np.isfinite(one.error))
    metric = {
        "metric": one.metric,
        "value": one.now,
        "low": one.now - _Z * one.error if known else None,
        "high": one.now + _Z * one.error if known else None,
        "reference": one.before,
    }
    return {"column": one.column, "value": one.value, "rows": one.rows, "labelled": one.rows, "metrics": [metric]}


def _service_document(found: Service) -> dict[str, Any]:
    return {
        "requests": found.requests,
        "errors": found.error_rate,
        "p50_ms": found.p50_ms,
        "p99_ms": found.p99_ms,
        "per_second": found.requests_s,
    }
