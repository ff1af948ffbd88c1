"""When training stops, and which step was best."""

from __future__ import annotations

import math

from hypothesis import given
from hypothesis import strategies as st

from pipeline.training.stopping import Evaluation, Progress, judge


def looks(objectives: list[float], *, patience: int | None = None, higher: bool = True, loss: float = 1.0) -> Progress:
    progress = Progress()
    for step, value in enumerate(objectives, start=1):
        found = Evaluation(step=step, train_loss=1.0, validation_loss=loss, objective=value)
        progress = judge(progress, found, higher_is_better=higher, patience=patience)
        if progress.finished:
            break
    return progress


@given(values=st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_the_best_is_the_first_highest(values: list[float]) -> None:
    progress = looks(values)
    assert progress.best is not None
    assert progress.best.step == values.index(max(values)) + 1
    assert [one.objective for one in progress.curve] == values


@given(values=st.lists(st.floats(0, 1), min_size=1, max_size=30), patience=st.integers(1, 5))
def test_it_stops_exactly_when_patience_is_used_up(values: list[float], patience: int) -> None:
    progress = looks(values, patience=patience)
    assert progress.best is not None
    if progress.finished:
        assert len(progress.curve) == progress.best.step + patience
    else:
        assert len(progress.curve) == len(values)
        assert progress.misses < patience


def test_for_an_error_lower_is_better() -> None:
    progress = looks([3.0, 1.0, 2.0], higher=False)
    assert progress.best is not None
    assert progress.best.step == 2


def test_a_tie_goes_to_the_lower_validation_loss() -> None:
    first = Evaluation(step=1, train_loss=1, validation_loss=0.5, objective=0.9)
    second = Evaluation(step=2, train_loss=1, validation_loss=0.4, objective=0.9)
    progress = judge(Progress(), first, higher_is_better=True, patience=None)
    assert judge(progress, second, higher_is_better=True, patience=None).best == second


def test_an_objective_that_is_no_number_is_a_miss() -> None:
    assert looks([math.nan, math.nan], patience=2).finished
    assert looks([math.nan]).best is None


def test_progress_survives_json() -> None:
    progress = looks([0.5, 0.7, 0.6], patience=5).at(17, 2)
    assert Progress.model_validate_json(progress.model_dump_json()) == progress
