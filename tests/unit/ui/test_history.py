"""The history that the UI's tests stand on is what its first lines say."""

from __future__ import annotations

from typing import get_args

from store.words import RunState
from tests.unit.ui.history import LIVING
from tui.client import Client


def test_there_is_a_run_in_every_state(client: Client) -> None:
    assert {run.state for run in client.runs().items} == set(get_args(RunState))


def test_the_living_run_has_curves_checkpoints_resources_and_logs(client: Client) -> None:
    found = client.run(LIVING)
    assert (found.run.state, found.run.attempt, found.run.done) == ("running", 2, 1_400)
    assert len(found.checkpoints) == 3
    assert len(client.metric(LIVING, "train/loss").points) > 100
    assert len(client.resources(LIVING)) == 30
    assert "step  1400" in client.log(LIVING, "stdout").text


def test_version_one_is_production_and_version_two_waits(client: Client) -> None:
    assert client.models()[0].aliases == {"production": 1, "candidate": 2}
