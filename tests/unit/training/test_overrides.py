"""`--set training.epochs=5`."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from pipeline.config.models import Model, Tabm
from pipeline.training.overrides import with_overrides
from store.errors import ProjectError

MODEL = Model.model_validate(
    {
        "task": "binary",
        "dataset": "flights",
        "label": "late",
        "key": ["id"],
        "numeric": ["x"],
        "split": {"validate": "14d", "test": 0.2},
        "time": "at",
    }
)


def test_single_settings_change_and_all_others_stay() -> None:
    found = with_overrides(MODEL, {"training.epochs": 5, "network.width": 32, "split.test": "7d", "device": "cpu"})
    assert found.training.epochs == 5
    assert isinstance(found.network, Tabm)
    assert found.network.width == 32
    assert found.split.test == timedelta(days=7)
    assert found.split.validate_ == timedelta(days=14)
    assert found.training.batch == MODEL.training.batch
    assert with_overrides(MODEL, {}) == MODEL


def test_an_own_network_takes_any_parameter() -> None:
    own = with_overrides(MODEL, {"network": {"kind": "python", "module": "net.py:make"}})
    found = with_overrides(own, {"network.params.depth": 3})
    assert found.network.params == {"depth": 3}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        ("training.epoch", 5, "'epochs'"),
        ("trainig.epochs", 5, "'training'"),
        ("training.epochs.x", 5, "training.epochs.x"),
        ("training.epochs", "many", "'many'"),
        ("training.batch", 0, "greater than 0"),
        ("split.test", "7 parsecs", "not a duration"),
    ],
)
def test_a_wrong_name_or_value_is_refused_with_the_nearest_or_the_reason(path: str, value: Any, said: str) -> None:
    with pytest.raises(ProjectError) as caught:
        with_overrides(MODEL, {path: value})
    assert said in str(caught.value)
    assert caught.value.where.startswith("--set")
