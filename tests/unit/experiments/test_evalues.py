"""What follows from e-values."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.experiments.evalues import alarm, always_valid, log_mean

logs = st.floats(-500, 500)


def test_the_alarm_is_at_one_over_alpha() -> None:
    assert alarm(math.log(20.001), 0.05)
    assert not alarm(math.log(19.999), 0.05)


@given(st.lists(logs, min_size=1))
def test_the_always_valid_p_value_never_grows_and_is_at_most_one(log_es: list[float]) -> None:
    p_values, p_value = [], 1.0
    for log_e in log_es:
        p_value = always_valid(log_e, p_value)
        p_values.append(p_value)
    assert p_values == sorted(p_values, reverse=True)
    assert p_values[-1] == pytest.approx(min(1.0, math.exp(-max(log_es))))


def test_a_mean_counts_those_that_have_not_begun_as_one() -> None:
    assert log_mean([math.log(10)], 4) == pytest.approx(math.log((10 + 3) / 4))
    assert log_mean([], 3) == 0.0
    assert log_mean([-math.inf, math.log(4)], 2) == pytest.approx(math.log(2))


@given(st.lists(logs, min_size=1, max_size=5), st.integers(5, 8))
def test_a_mean_is_never_weaker_than_bonferroni(log_es: list[float], planned: int) -> None:
    assert log_mean(log_es, planned) >= max(log_es) - math.log(planned) - 1e-9


def test_more_processes_than_planned_are_refused() -> None:
    with pytest.raises(ValueError, match="3 e-processes, and only 2 were planned"):
        log_mean([0.0, 0.0, 0.0], 2)
