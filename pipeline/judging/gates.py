"""Gates: pure rules over evidence, each saying pass, warn or fail in a sentence with its numbers.

A limit of "off" in `[models.NAME.gates]`, here None, switches its gate off. A warning never blocks. What cannot be
measured does not pass: a gate without its number fails and says what was missing.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict

from pipeline.judging.evidence import Comparison, Difference, Estimate, Evidence, SliceFacts
from pipeline.stats.metrics import scale
from pipeline.stats.orientation import IN_LABEL_UNITS, SMALLER_IS_BETTER, MetricName, gain
from store.words import Outcome

if TYPE_CHECKING:
    from pipeline.config.models import Gates

SIGNIFICANT = 0.05
"""Adjusted p-value up to which a slice's drop is not taken for chance."""
AUC_OF_CHANCE = 0.5
UNSEEN = "newest labelled window"
NEAR_END = 0.95
"""A best step beyond this share of the plan means that training may have stopped too early."""


class GateResult(BaseModel):
    """One rule's verdict."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    gate: str
    outcome: Outcome
    reason: str
    value: float | None = None
    limit: float | None = None


class Verdict(BaseModel):
    """Passed if no gate fails."""

    model_config = ConfigDict(frozen=True, extra="forbid")
    passed: bool
    gates: list[GateResult]


def judge(evidence: Evidence, gates: Gates) -> Verdict:
    """Every gate that is on, in a fixed order."""
    results = [
        *_rows(evidence, gates),
        *_objective(evidence, gates),
        *_chance(evidence, gates),
        *_baseline(evidence, gates),
        *_production(evidence, gates),
        *_gap(evidence, gates),
        *_curve(evidence),
        *_calibration(evidence, gates),
        *_slices(evidence, gates),
        *_single_feature(evidence, gates),
        *_duplicates(evidence, gates),
    ]
    return Verdict(passed=all(result.outcome != "fail" for result in results), gates=results)


def _rows(evidence: Evidence, gates: Gates) -> Iterator[GateResult]:
    enough = evidence.rows >= gates.min_test_rows
    yield _result(
        "test rows",
        enough,
        f"{evidence.rows} test rows{_drawn(evidence)}; at least {gates.min_test_rows} are needed",
        evidence.rows,
        gates.min_test_rows,
    )


def _objective(evidence: Evidence, gates: Gates) -> Iterator[GateResult]:
    name, value = evidence.objective, evidence.metrics[evidence.objective].value
    if value is None:
        yield _result("objective", False, f"{name} cannot be computed: the test rows have one class or constant labels")
    elif gates.min_objective is not None:
        limit = gates.min_objective
        side = "at most" if name in SMALLER_IS_BETTER else "at least"
        good = gain(name, value - limit) >= 0
        yield _result("objective", good, f"{name} is {value:.4g}; {side} {limit:.4g} is wanted", value, limit)


def _chance(evidence: Evidence, gates: Gates) -> Iterator[GateResult]:
    """A model that learnt nothing matches a baseline that learnt nothing: both have to beat the constant answer."""
    if gates.chance_margin is None:
        return
    name, margin, reference = evidence.objective, gates.chance_margin, evidence.constant
    if name == "auc":
        yield _beats_coin(evidence.metrics[name], margin)
        return
    found = reference.of(name) if reference is not None else None
    value = reference.metrics.get(name) if reference is not None else None
    if found is None or found.difference.value is None or value is None:
        yield _result("chance", False, f"{name} cannot be compared with a constant answer's on these rows")
        return
    gained, lowest = _gained(found, value)
    sentence = (
        f"{name} {_number(evidence.metrics[name].value)} against a constant answer's {_number(value)}: "
        f"{_by(name, gained)}, at worst {_signed(name, lowest)} (95 % interval, {found.test}); "
        f"more than {_signed(name, margin)} is wanted"
    )
    yield _result("chance", lowest > margin, sentence, _existing(lowest), margin)


def _beats_coin(auc: Estimate, margin: float) -> GateResult:
    limit = AUC_OF_CHANCE + margin
    if auc.low is None:
        return _result("chance", False, "the auc has no interval on these rows, so it may be chance", None, limit)
    sentence = f"auc {_number(auc.value)}, at worst {auc.low:.4f} (95 % interval); more than {limit:.4f} is wanted"
    said = f"{sentence}, and a constant answer has {AUC_OF_CHANCE}"
    return _result("chance", auc.low > limit, said, auc.low, limit)


def _baseline(evidence: Evidence, gates: Gates) -> Iterator[GateResult]:
    """The baseline is to be matched on the rows as they are: the point value counts."""
    if gates.baseline_margin is None or evidence.baseline is None:
        return
    name, reference = evidence.objective, evidence.baseline
    found, value = reference.of(name), reference.metrics.get(name)
    if found is None or found.difference.value is None or value is None:
        yield _result("baseline", False, f"{name} cannot be compared with the baseline's on these rows")
        return
    gained = gain(name, found.difference.value) / (scale(name, value) or 1.0)
    sentence = (
        f"{name} {_number(evidence.metrics[name].value)} against the baseline's {_number(value)}{_saw(evidence)}: "
        f"{_by(name, gained)}; {_allowed(name, gates.baseline_margin)}"
    )
    yield _result("baseline", gained >= -gates.baseline_margin, sentence, gained, -gates.baseline_margin)


def _production(evidence: Evidence, gates: Gates) -> Iterator[GateResult]:
    """Non-inferiority: even the pessimistic end of the interval is above minus the margin."""
    if gates.production_margin is None:
        return
    name, reference = evidence.objective, evidence.production
    if reference is None:
        yield _result("production", True, "no version is in production yet, so there is nothing to compare with")
        return
    found, value = reference.of(name), reference.metrics.get(name)
    if found is None or found.difference.value is None or value is None:
        why = reference.incomparable or f"{name} does not exist on these rows"
        yield _result("production", False, f"cannot be compared with version {reference.version}: {why}")
        return
    yield _non_inferior(reference, found, value, gates.production_margin)


def _non_inferior(reference: Comparison, found: Difference, value: float, margin: float) -> GateResult:
    name = found.metric
    gained, lowest = _gained(found, value)
    sentence = (
        f"{name} {_by(name, gained)} than version {reference.version} on the same {found.rows} rows, "
        f"at worst {_signed(name, lowest)} (95 % interval, {found.test}, p = {_number(found.p_value)}); "
        f"{_allowed(name, margin)}"
    )
    return _result("production", lowest > -margin, sentence, _existing(lowest), -margin)


def beats_on_unseen(objective: MetricName, comparison: Comparison) -> GateResult:
    """Superiority on the newest labelled window, for a version that a rule has trained: even the worse end of the
    interval is above nothing. Not part of `judge`: the window comes later than the version."""
    found, value = comparison.of(objective), comparison.metrics.get(objective)
    if found is None or found.difference.value is None or value is None:
        why = comparison.incomparable or f"{objective} does not exist on these rows"
        return _result(UNSEEN, False, f"cannot be compared with version {comparison.version}: {why}")
    gained, lowest = _gained(found, value)
    sentence = (
        f"{objective} {_by(objective, gained)} than version {comparison.version} on the same {found.rows} rows of the "
        f"newest labelled window, at worst {_signed(objective, lowest)} (95 % interval, {found.test}, "
        f"p = {_number(found.p_value)}); more than nothing is wanted"
    )
    return _result(UNSEEN, lowest > 0, sentence, _existing(lowest), 0.0)


def _gained(found: Difference, value: float) -> tuple[float, float]:
    """How much better than a reference with `value`, in margins' unit: as measured, and at the interval's worse end."""
    name, unit = found.metric, scale(found.metric, value) or 1.0
    ends = [gain(name, end) / unit for end in (found.difference.low, found.difference.high) if end is not None]
    return gain(name, found.difference.value or 0.0) / unit, min(ends, default=-math.inf)


def _existing(number: float) -> float | None:
    return number if math.isfinite(number) else None


def _gap(evidence: Evidence, gates: Gates) -> Iterator[GateResult]:
    """Overfitting. A gap that could be noise (its interval reaches 0) warns instead of failing."""
    if gates.max_gap is None or evidence.gap is None:
        return
    gap = evidence.gap.relative
    if gap.value is None:
        yield _result("gap", False, "the gap between training and validation cannot be computed")
        return
    sentence = (
        f"validation loss {_number(evidence.gap.validation)} against train loss {_number(evidence.gap.train)}: "
        f"a gap of {gap.value:.1%}; at most {gates.max_gap:.1%} is allowed"
    )
    outcome: Outcome = "pass" if gap.value <= gates.max_gap else "fail"
    if outcome == "fail" and gap.low is not None and gap.low <= 0:
        outcome, sentence = "warn", f"{sentence}, but so few rows can show such a gap by chance"
    yield GateResult(gate="gap", outcome=outcome, reason=sentence, value=gap.value, limit=gates.max_gap)


def _curve(evidence: Evidence) -> Iterator[GateResult]:
    share = evidence.curve.share_of_budget
    if share is None:
        return
    step = evidence.curve.curve.best_step
    sentence = f"the best step, {step}, came after {share:.0%} of the planned steps"
    if share > NEAR_END:
        sentence += ": it might still be learning, more epochs could help"
    outcome: Outcome = "warn" if share > NEAR_END else "pass"
    yield GateResult(gate="learning curve", outcome=outcome, reason=sentence, value=share, limit=NEAR_END)


def _calibration(evidence: Evidence, gates: Gates) -> Iterator[GateResult]:
    """Few rows show an error even of a perfect model, and errors add up as squares: up to √(limit² + chance²) warns."""
    if gates.max_calibration_error is None or evidence.calibration is None:
        return
    error, by_chance, limit = evidence.calibration.error, evidence.calibration.by_chance, gates.max_calibration_error
    sentence = f"calibration error {error:.4f}; at most {limit:.4f} is allowed"
    outcome: Outcome = "pass" if error <= limit else "fail"
    if outcome == "fail" and error <= math.hypot(limit, by_chance):
        outcome, sentence = "warn", f"{sentence}, and on {evidence.rows} rows chance alone gives up to {by_chance:.4f}"
    yield GateResult(gate="calibration", outcome=outcome, reason=sentence, value=error, limit=limit)


def _slices(evidence: Evidence, gates: Gates) -> Iterator[GateResult]:
    """The worst of the slices that are large enough and worse beyond chance."""
    if gates.max_slice_drop is None or not evidence.slices:
        return
    name, whole = evidence.objective, evidence.metrics[evidence.objective].value
    unit = scale(name, whole or 0.0) or 1.0
    judged = [
        (one, one.drop / unit) for one in evidence.slices if one.rows >= gates.min_slice_rows and one.drop is not None
    ]
    sure = [(one, drop) for one, drop in judged if one.adjusted is not None and one.adjusted <= SIGNIFICANT]
    if not sure:
        counted = f"none of {len(judged)} slices with at least {gates.min_slice_rows} rows is worse beyond chance"
        yield _result("slices", True, counted, None, gates.max_slice_drop)
        return
    worst, drop = max(sure, key=lambda pair: pair[1])
    sentence = f"{_slice_words(name, worst, drop)}; {_allowed(name, gates.max_slice_drop)}"
    yield _result("slices", drop <= gates.max_slice_drop, sentence, drop, gates.max_slice_drop)


def _slice_words(name: str, worst: SliceFacts, drop: float) -> str:
    return (
        f"worst slice {worst.column} = {worst.value} ({worst.rows} rows): {name} {_number(worst.objective)}, "
        f"{_by(name, -drop)} than on all rows (adjusted p = {_number(worst.adjusted)})"
    )


def _single_feature(evidence: Evidence, gates: Gates) -> Iterator[GateResult]:
    if gates.max_single_feature_auc is None or evidence.leakage is None or not evidence.leakage.single_feature_auc:
        return
    name, value = max(evidence.leakage.single_feature_auc.items(), key=lambda item: item[1])
    limit = gates.max_single_feature_auc
    sentence = f"the best feature alone, {name}, has AUC {value:.4f}; above {limit:.4f} it is taken for a leak"
    yield _result("single feature", value <= limit, sentence, value, limit)


def _duplicates(evidence: Evidence, gates: Gates) -> Iterator[GateResult]:
    if gates.max_duplicate_share is None or evidence.leakage is None:
        return
    share, by_chance = evidence.leakage.duplicate_share, evidence.leakage.duplicate_share_by_chance
    limit = gates.max_duplicate_share
    sentence = (
        f"{share:.2%} of the test rows are training rows too, {by_chance:.2%} by chance; "
        f"at most {limit:.2%} beyond chance is allowed"
    )
    yield _result("duplicates", share - by_chance <= limit, sentence, share - by_chance, limit)


def _result(gate: str, good: bool, reason: str, value: float | None = None, limit: float | None = None) -> GateResult:
    return GateResult(gate=gate, outcome="pass" if good else "fail", reason=reason, value=value, limit=limit)


def _drawn(evidence: Evidence) -> str:
    test = evidence.parts.get("test")
    return f", drawn from {test.drawn_from:,}" if test is not None and test.drawn_from is not None else ""


def _saw(evidence: Evidence) -> str:
    """That the baseline was given less to learn from than the network."""
    rows = evidence.baseline.learned_from if evidence.baseline else None
    if rows is None:
        return ""
    train = evidence.parts.get("train")
    whole = f" of {train.drawn_from or train.rows:,}" if train is not None else ""
    return f", which saw only {rows:,}{whole} training rows"


def _number(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.4g}"


def _signed(name: str, gained: float) -> str:
    return f"{gained:+.2%}" if name in IN_LABEL_UNITS else f"{gained:+.4f}"


def _by(name: str, gained: float) -> str:
    amount = f"{abs(gained):.2%}" if name in IN_LABEL_UNITS else f"{abs(gained):.4f}"
    return f"{amount} {'better' if gained >= 0 else 'worse'}"


def _allowed(name: str, margin: float) -> str:
    amount = f"{abs(margin):.2%}" if name in IN_LABEL_UNITS else f"{abs(margin):.4f}"
    return f"at most {amount} worse is allowed" if margin >= 0 else f"at least {amount} better is wanted"
