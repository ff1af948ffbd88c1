"""On a GPU, where there is one: JAX guards other transfers there than on a processor, and waits at other places."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pipeline.training.devices import look_around

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not look_around().gpus or not look_around().cuda_plugin, reason="no GPU here"),
]
LESSON = """
from tests.unit.training.conftest import Bench
from pipeline.training.devices import resolve_device
print(resolve_device("gpu", gpu=0, memory=0.2, cache=None).platform)
bench = Bench()
fitted = bench.fit(bench.lesson(placement=PLACEMENT, block=16))
print(fitted.progress.step, fitted.progress.best.objective > 0.75)
"""


@pytest.mark.parametrize("placement", ["device", "host"])
def test_a_training_runs_to_its_end_without_a_transfer_that_is_not_meant(placement: str) -> None:
    """In a process of its own: this one computes on the processor."""
    environment = {name: value for name, value in os.environ.items() if name != "JAX_PLATFORMS"}
    command = [sys.executable, "-c", LESSON.replace("PLACEMENT", repr(placement))]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["gpu", "30", "True"], done.stderr
