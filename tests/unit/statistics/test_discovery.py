"""P-values of many tests against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import false_discovery_control

from pipeline.stats.discovery import corrected


@pytest.mark.slow
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_p_values_are_corrected_as_scipy_does(chances: list[float]) -> None:
    np.testing.assert_allclose(corrected(chances), false_discovery_control(chances), rtol=1e-12)


def test_of_no_test_nothing_is_corrected() -> None:
    assert len(corrected([])) == 0
