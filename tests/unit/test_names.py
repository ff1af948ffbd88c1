"""Only our four names, and only from us: a distribution that brings its own `daemon` would break or replace ours."""

from __future__ import annotations

from importlib.metadata import packages_distributions

import pytest


@pytest.mark.parametrize("name", ["daemon", "tui", "pipeline", "store"])
def test_no_other_distribution_claims_our_package_names(name: str) -> None:
    assert set(packages_distributions().get(name, [])) <= {"trainshed"}
