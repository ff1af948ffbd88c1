"""How a version stands against another: by an interval where both answered the same rows, by two values elsewhere."""

from __future__ import annotations

from typing import Any

from pipeline.judging.standing import standing
from store.tables import ModelVersion


def version(
    number: int, auc: float, loss: float, *, compared: int | None = None, training_set: str = "set", **ends: float
) -> ModelVersion:
    """`compared`: the version that it was judged against, better in AUC by `low` to `high` and in loss by as much."""
    low, high = ends.get("low", 0.01), ends.get("high", 0.03)
    evidence: dict[str, Any] = {}
    if compared is not None:
        middle = (low + high) / 2
        evidence["production"] = {
            "version": compared,
            "differences": [
                _difference("auc", middle, low, high),
                _difference("log_loss", -middle, -high, -low),
            ],
        }
    return ModelVersion(
        model="late",
        number=number,
        run=number,
        digest=f"d{number}",
        path="p",
        task="binary",
        objective="auc",
        metrics={
            "log_loss": {"value": loss, "low": loss - 0.01, "high": loss + 0.01},
            "auc": {"value": auc, "low": auc - 0.01, "high": auc + 0.01},
        },
        evidence=evidence,
        training_set=training_set,
        fingerprint="f",
        created_at=0,
    )


def _difference(metric: str, value: float, low: float, high: float) -> dict[str, Any]:
    interval = {"value": value, "low": low, "high": high, "level": 0.95}
    return {"metric": metric, "difference": interval, "p_value": 0.01, "test": "DeLong", "rows": 500}


def test_the_objective_comes_first_and_less_loss_is_a_gain() -> None:
    view = standing(version(2, 0.80, 0.40, compared=1), version(1, 0.78, 0.42))
    assert [metric.metric for metric in view.metrics] == ["auc", "log_loss"]
    assert [metric.word for metric in view.metrics] == ["better", "better"]
    assert [metric.gain for metric in view.metrics] == [0.02, 0.02]
    assert (view.against, view.same_rows, view.note) == (1, True, "")


def test_an_interval_that_reaches_over_nothing_may_be_chance() -> None:
    view = standing(version(2, 0.80, 0.40, compared=1, low=-0.01, high=0.03), version(1, 0.78, 0.42))
    assert {metric.word for metric in view.metrics} == {"same"}


def test_a_comparison_made_by_the_other_one_is_turned_round() -> None:
    view = standing(version(1, 0.78, 0.42), version(2, 0.80, 0.40, compared=1))
    auc = view.metrics[0]
    assert auc.difference is not None
    assert (auc.word, auc.gain) == ("worse", -0.02)
    assert (auc.difference.difference.low, auc.difference.difference.high) == (-0.03, -0.01)


def test_without_a_comparison_there_are_two_values_and_it_says_so() -> None:
    view = standing(version(3, 0.80, 0.40, compared=2, training_set="other"), version(1, 0.78, 0.42))
    assert {metric.word for metric in view.metrics} == {"unknown"}
    assert view.metrics[0].against == 0.78
    assert round(view.metrics[0].gain or 0, 6) == 0.02
    assert not view.same_rows
    assert "on other test rows" in view.note
    assert "trainshed run evaluate:late --set version=3" in view.note


def test_a_version_stands_level_with_itself_and_alone_without_production() -> None:
    one = version(1, 0.78, 0.42)
    assert {metric.word for metric in standing(one, one).metrics} == {"same"}
    alone = standing(one, None)
    assert (alone.against, alone.metrics[0].gain, alone.same_rows) == (None, None, False)
