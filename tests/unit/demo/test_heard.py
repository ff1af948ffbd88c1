"""What the demo says of its traffic: figures of each version from what clients heard."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from tui.demo.heard import Heard, auc, by_version, quantile


def answer(version: int, score: float, late: int, *, seconds: float = 0.01, labelled: bool = True) -> Heard:
    return Heard(request="r", version=version, score=score, seconds=seconds, late=late, labelled=labelled)


@pytest.mark.slow
@given(st.lists(st.tuples(st.sampled_from([0.1, 0.2, 0.5, 0.9]), st.integers(0, 1)), min_size=2))
def test_the_area_is_that_of_scikit_learn_and_of_one_class_there_is_none(pairs: list[tuple[float, int]]) -> None:
    found, truth = auc(pairs), [late for _, late in pairs]
    if len(set(truth)) < 2:
        assert found is None
    else:
        assert found is not None
        assert found["value"] == pytest.approx(roc_auc_score(truth, [score for score, _ in pairs]), abs=1e-4)
        assert found["low"] <= found["value"] <= found["high"]
        assert found["flights"] == len(pairs)


def test_the_interval_is_hanley_and_mcneils() -> None:
    """Their example: 58 normal and 51 abnormal cases with an area of 0.893 have a standard error of 0.032."""
    normal = [(1.0, 0)] * 33 + [(2.0, 0)] * 6 + [(3.0, 0)] * 6 + [(4.0, 0)] * 11 + [(5.0, 0)] * 2
    abnormal = [(1.0, 1)] * 3 + [(2.0, 1)] * 2 + [(3.0, 1)] * 2 + [(4.0, 1)] * 11 + [(5.0, 1)] * 33
    found = auc(normal + abnormal)
    assert found is not None
    assert found["value"] == pytest.approx(0.893, abs=5e-4)
    assert (found["high"] - found["value"]) / 1.96 == pytest.approx(0.032, abs=1e-3)


def test_each_version_has_its_share_its_times_and_its_labels() -> None:
    heard = [answer(1, 0.5, 0, seconds=n / 1000) for n in range(1, 100)] + [answer(2, 0.5, 1, labelled=False)]
    first, second = by_version(heard, slice(0, 0))
    assert (first["requests"], first["share"], first["p50_ms"], first["p99_ms"]) == (99, 0.99, 50.0, 99.0)
    assert (first["labelled"], second["labelled"], second["share"]) == (99, 0, 0.01)


def test_areas_are_of_the_time_in_which_both_answered_and_of_what_has_landed() -> None:
    early = [answer(1, 0.1, 1), answer(1, 0.9, 0)]
    both = [
        answer(1, 0.9, 1),
        answer(1, 0.1, 0),
        answer(2, 0.1, 1),
        answer(2, 0.9, 0),
        answer(2, 1.0, 1, labelled=False),
    ]
    first, second = by_version([*early, *both], slice(2, None))
    assert (first["auc"]["value"], second["auc"]["value"]) == (1.0, 0.0)
    assert second["auc"]["flights"] == 2


def test_a_quantile_is_one_of_the_values() -> None:
    assert [quantile([1.0, 2.0, 3.0, 4.0], part) for part in (0.25, 0.5, 0.51, 0.99, 1.0)] == [1.0, 2.0, 3.0, 4.0, 4.0]
