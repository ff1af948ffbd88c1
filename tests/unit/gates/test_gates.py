"""Each gate: what passes, what fails, what warns, and the sentence that says why."""

from __future__ import annotations

from typing import Any

import pytest

from pipeline.config.models import Gates
from pipeline.judging.evidence import (
    CalibrationFacts,
    Comparison,
    CurveFacts,
    Difference,
    Estimate,
    Evidence,
    Gap,
    LeakageFacts,
    LearningCurve,
    PartFacts,
    SliceFacts,
)
from pipeline.judging.gates import GateResult, judge
from pipeline.stats.orientation import MetricName


def versus(
    difference: tuple[float, float, float],
    *,
    version: int | None = None,
    metric: MetricName = "auc",
    value: float = 0.76,
) -> Comparison:
    middle, low, high = difference
    found = Difference(
        metric=metric,
        difference=Estimate(value=middle, low=low, high=high),
        p_value=0.03,
        test="DeLong",
        rows=5000,
    )
    return Comparison(version=version, metrics={metric: value}, differences=[found])


def evidence(**changes: Any) -> Evidence:
    """Of a sound model; tests change the one thing they are about."""
    curve = LearningCurve(
        steps=[100, 200], train_loss=[0.5, 0.4], validation_loss=[0.5, 0.45], best_step=150, budget=400
    )
    sound: dict[str, Any] = {
        "task": "binary",
        "objective": "auc",
        "rows": 5000,
        "metrics": {"auc": Estimate(value=0.77, low=0.76, high=0.78)},
        "baseline": versus((0.01, 0.0, 0.02)),
        "production": versus((0.01, 0.002, 0.018), version=1),
        "parts": {},
        "gap": Gap(train=0.44, validation=0.46, relative=Estimate(value=0.043, low=0.02, high=0.066)),
        "curve": CurveFacts(curve=curve, share_of_budget=0.375, risen_after_best=0.0),
        "calibration": CalibrationFacts(error=0.01, by_chance=0.02, brier=0.15, table=[]),
        "slices": [],
        "leakage": LeakageFacts(
            duplicate_share=0.0,
            duplicate_share_by_chance=0.0,
            single_feature_auc={"hour": 0.6, "wind": 0.55},
            adversarial_auc=0.6,
        ),
    }
    return Evidence(**{**sound, **changes})


def gate(name: str, found: Evidence, **limits: Any) -> GateResult:
    (result,) = [one for one in judge(found, Gates(**limits)).gates if one.gate == name]
    return result


def names(found: Evidence, **limits: Any) -> list[str]:
    return [one.gate for one in judge(found, Gates(**limits)).gates]


def test_a_sound_model_passes_every_gate() -> None:
    verdict = judge(evidence(), Gates())
    assert verdict.passed
    assert {one.outcome for one in verdict.gates} == {"pass"}


def test_a_limit_that_is_off_switches_its_gate_off() -> None:
    off: dict[str, Any] = dict.fromkeys(
        [
            "baseline_margin",
            "production_margin",
            "chance_margin",
            "max_gap",
            "min_objective",
            "max_calibration_error",
            "max_slice_drop",
            "max_single_feature_auc",
            "max_duplicate_share",
        ],
        "off",
    )
    assert names(evidence(), **off) == ["test rows", "learning curve"]


def test_too_few_test_rows_are_refused_with_both_numbers() -> None:
    result = gate("test rows", evidence(rows=120))
    assert (result.outcome, result.reason) == ("fail", "120 test rows; at least 200 are needed")


def test_an_objective_that_does_not_exist_fails() -> None:
    nothing = evidence(metrics={"auc": Estimate(value=None, low=None, high=None)})
    assert gate("objective", nothing).outcome == "fail"


def test_the_least_objective_is_a_floor_for_auc_and_a_ceiling_for_rmse() -> None:
    assert gate("objective", evidence(), min_objective=0.8).outcome == "fail"
    assert gate("objective", evidence(), min_objective=0.75).outcome == "pass"
    error = evidence(objective="rmse", metrics={"rmse": Estimate(value=12.0, low=11.0, high=13.0)})
    assert gate("objective", error, min_objective=10.0).reason == "rmse is 12; at most 10 is wanted"
    assert gate("objective", error, min_objective=10.0).outcome == "fail"
    assert gate("objective", error, min_objective=13.0).outcome == "pass"


def test_a_model_worse_than_the_baseline_by_more_than_the_margin_fails() -> None:
    assert gate("baseline", evidence(baseline=versus((-0.008, -0.02, 0.0)))).outcome == "pass"
    worse = gate("baseline", evidence(baseline=versus((-0.012, -0.02, 0.0))))
    assert worse.outcome == "fail"
    assert worse.reason == "auc 0.77 against the baseline's 0.76: 0.0120 worse; at most 0.0100 worse is allowed"


def test_a_baseline_that_saw_a_sample_is_named_as_such_and_so_are_test_rows_that_are_one() -> None:
    whole = {
        "train": PartFacts(rows=500_000, drawn_from=12_000_000, loss=0.4, objective=0.8),
        "test": PartFacts(rows=500_000, drawn_from=2_000_000, loss=0.4, objective=0.8),
    }
    sampled = versus((0.01, 0.0, 0.02)).model_copy(update={"learned_from": 1_000_000})
    found = evidence(parts=whole, baseline=sampled, rows=500_000)
    assert "which saw only 1,000,000 of 12,000,000 training rows" in gate("baseline", found).reason
    assert gate("test rows", found).reason.startswith("500000 test rows, drawn from 2,000,000;")


def test_a_negative_margin_asks_for_more_than_the_baseline() -> None:
    result = gate("baseline", evidence(), baseline_margin=-0.02)
    assert result.outcome == "fail"
    assert result.reason.endswith("at least 0.0200 better is wanted")


def test_margins_of_errors_in_the_labels_unit_are_shares_of_the_reference() -> None:
    found = evidence(
        objective="rmse",
        metrics={"rmse": Estimate(value=1009.0, low=1000.0, high=1018.0)},
        baseline=versus((9.0, 0.0, 18.0), metric="rmse", value=1000.0),
        production=versus((-3.0, -9.0, 4.0), metric="rmse", value=1012.0, version=1),
    )
    assert gate("baseline", found).outcome == "pass"
    assert "0.90% worse" in gate("baseline", found).reason
    assert gate("production", found).outcome == "pass"
    assert gate("production", found).value == pytest.approx(-4 / 1012)


def test_production_is_judged_by_the_pessimistic_end_of_the_interval() -> None:
    unsure = gate("production", evidence(production=versus((0.002, -0.006, 0.01), version=4)))
    assert unsure.outcome == "fail"
    assert "version 4" in unsure.reason
    assert "at worst -0.0060" in unsure.reason
    assert gate("production", evidence(production=versus((0.002, -0.004, 0.008), version=4))).outcome == "pass"


def test_where_smaller_is_better_the_pessimistic_end_is_the_upper_one() -> None:
    def found(low: float, high: float) -> Evidence:
        return evidence(
            objective="log_loss",
            metrics={"log_loss": Estimate(value=0.5, low=0.49, high=0.51)},
            baseline=None,
            production=versus((0.0, low, high), metric="log_loss", version=1),
        )

    assert gate("production", found(-0.02, 0.004)).outcome == "pass"
    assert gate("production", found(-0.004, 0.02)).outcome == "fail"


def test_without_anything_in_production_there_is_nothing_to_beat() -> None:
    assert gate("production", evidence(production=None)).outcome == "pass"


def test_a_production_version_that_cannot_be_compared_fails_with_the_reason() -> None:
    apart = Comparison(version=3, incomparable="it cannot answer these rows: column wind is not in the rows")
    result = gate("production", evidence(production=apart))
    assert result.outcome == "fail"
    assert result.reason.startswith("cannot be compared with version 3: it cannot answer")


def test_a_gap_fails_above_its_limit_and_warns_when_it_may_be_noise() -> None:
    def found(value: float, low: float) -> Evidence:
        return evidence(gap=Gap(train=0.3, validation=0.5, relative=Estimate(value=value, low=low, high=value + 0.1)))

    assert gate("gap", found(0.4, 0.3)).outcome == "fail"
    assert "a gap of 40.0%; at most 15.0%" in gate("gap", found(0.4, 0.3)).reason
    assert gate("gap", found(0.2, -0.05)).outcome == "warn"
    assert gate("gap", found(0.1, 0.05)).outcome == "pass"


def test_a_best_step_at_the_end_of_the_plan_warns_and_does_not_block() -> None:
    curve = evidence().curve.model_copy(update={"share_of_budget": 1.0})
    verdict = judge(evidence(curve=curve), Gates())
    assert verdict.passed
    assert gate("learning curve", evidence(curve=curve)).outcome == "warn"


def test_a_calibration_error_that_chance_explains_warns() -> None:
    def found(error: float, by_chance: float) -> Evidence:
        return evidence(calibration=CalibrationFacts(error=error, by_chance=by_chance, brier=0.2, table=[]))

    assert gate("calibration", found(0.08, 0.02)).outcome == "fail"
    assert gate("calibration", found(0.06, 0.04)).outcome == "warn"
    assert gate("calibration", found(0.04, 0.02)).outcome == "pass"


def one_slice(drop: float, *, rows: int = 500, adjusted: float = 0.001) -> SliceFacts:
    return SliceFacts(
        column="carrier", value="HA", rows=rows, objective=0.77 - drop, drop=drop, p_value=adjusted, adjusted=adjusted
    )


def test_a_slice_that_is_much_worse_beyond_chance_fails_and_is_named() -> None:
    result = gate("slices", evidence(slices=[one_slice(0.02), one_slice(0.15)]))
    assert result.outcome == "fail"
    assert result.reason.startswith("worst slice carrier = HA (500 rows): auc 0.62, 0.1500 worse than on all rows")


@pytest.mark.parametrize("one", [one_slice(0.15, rows=50), one_slice(0.15, adjusted=0.4), one_slice(0.05)])
def test_a_slice_that_is_small_or_by_chance_or_within_the_limit_passes(one: SliceFacts) -> None:
    assert gate("slices", evidence(slices=[one])).outcome == "pass"


def test_a_feature_that_gives_the_label_away_is_named() -> None:
    leak = evidence().leakage
    assert leak is not None
    result = gate(
        "single feature", evidence(leakage=leak.model_copy(update={"single_feature_auc": {"arr_delay": 1.0}}))
    )
    assert result.outcome == "fail"
    assert "arr_delay, has AUC 1.0000" in result.reason


def test_test_rows_that_were_trained_on_fail_unless_chance_explains_them() -> None:
    leak = evidence().leakage
    assert leak is not None
    planted = leak.model_copy(update={"duplicate_share": 0.2, "duplicate_share_by_chance": 0.01})
    coarse = leak.model_copy(update={"duplicate_share": 0.9, "duplicate_share_by_chance": 0.9})
    assert gate("duplicates", evidence(leakage=planted)).outcome == "fail"
    assert gate("duplicates", evidence(leakage=coarse)).outcome == "pass"


def test_a_verdict_survives_json_and_knows_no_nan() -> None:
    found = evidence(metrics={"auc": Estimate(value=float("nan"), low=float("inf"), high=0.0)})
    assert Evidence.model_validate_json(found.model_dump_json()) == found
    assert found.metrics["auc"].value is None


# -------------------------------------------------------------------------------------------------------- chance


def test_an_auc_whose_interval_reaches_one_half_is_chance() -> None:
    found = gate("chance", evidence(metrics={"auc": Estimate(value=0.52, low=0.499, high=0.541)}))
    assert (found.outcome, found.value, found.limit) == ("fail", 0.499, 0.5)
    assert "auc 0.52, at worst 0.4990 (95 % interval); more than 0.5000 is wanted" in found.reason
    assert gate("chance", evidence()).outcome == "pass"


def test_an_auc_without_an_interval_does_not_pass_for_knowledge() -> None:
    found = gate("chance", evidence(metrics={"auc": Estimate(value=0.6, low=None, high=None)}))
    assert (found.outcome, found.value) == ("fail", None)


@pytest.mark.parametrize(("worst", "outcome"), [(-0.01, "pass"), (0.0, "fail"), (0.002, "fail")])
def test_a_loss_has_to_be_below_the_constant_answers_at_the_worse_end(worst: float, outcome: str) -> None:
    found = evidence(
        objective="log_loss",
        metrics={"log_loss": Estimate(value=0.5, low=0.48, high=0.52)},
        constant=versus((-0.02, -0.04, worst), metric="log_loss", value=0.52),
        baseline=None,
        production=None,
    )
    result = gate("chance", found)
    assert result.outcome == outcome
    assert result.value == pytest.approx(-worst)
    assert "log_loss 0.5 against a constant answer's 0.52: 0.0200 better, at worst" in result.reason


def test_a_margin_over_chance_of_an_error_is_a_share_of_the_constant_answers() -> None:
    found = evidence(
        task="regression",
        objective="rmse",
        metrics={"rmse": Estimate(value=9.0, low=8.8, high=9.2)},
        constant=versus((-1.0, -1.2, -0.8), metric="rmse", value=10.0),
        baseline=None,
        production=None,
    )
    assert gate("chance", found, chance_margin=0.05).outcome == "pass"
    result = gate("chance", found, chance_margin=0.1)
    assert result.outcome == "fail"
    assert result.value == pytest.approx(0.08)


def test_what_was_not_compared_with_a_constant_answer_does_not_pass_and_the_gate_can_be_off() -> None:
    found = evidence(objective="brier", metrics={"brier": Estimate(value=0.2, low=0.1, high=0.3)}, baseline=None)
    assert gate("chance", found, production_margin=None).outcome == "fail"
    assert "chance" not in names(found, chance_margin=None, production_margin=None)
