"""Which device is taken, and how a missing one is refused."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from pipeline.training.devices import Machine, plan_device, trim_cache
from store.errors import DeviceMissing

BARE = Machine(nvidia_driver=False, gpus=0, cuda_plugin=None, tpu_chips=False, libtpu=False)
GPU = Machine(nvidia_driver=True, gpus=2, cuda_plugin="jax-cuda13-plugin", tpu_chips=False, libtpu=False)
TPU = Machine(nvidia_driver=False, gpus=0, cuda_plugin=None, tpu_chips=True, libtpu=True)


@pytest.mark.parametrize(
    ("machine", "gpu", "reason", "remedy"),
    [
        (BARE, None, "no NVIDIA driver", "install the driver"),
        (replace(GPU, gpus=0), None, "shows no device", "nvidia-smi"),
        (replace(GPU, cuda_plugin=None), None, "no CUDA plugin", "trainshed[cuda]"),
        (GPU, 2, "GPU 2 was leased and there are 2", "restart the daemon"),
    ],
)
def test_a_missing_gpu_is_refused_with_its_reason(machine: Machine, gpu: int | None, reason: str, remedy: str) -> None:
    with pytest.raises(DeviceMissing) as caught:
        plan_device("gpu", machine, gpu=gpu, memory=1.0)
    assert reason in caught.value.what
    assert remedy in caught.value.remedy
    assert caught.value.exit_code == 69


@pytest.mark.parametrize(
    ("machine", "reason"), [(BARE, "no TPU device file"), (replace(TPU, libtpu=False), "no libtpu")]
)
def test_a_missing_tpu_is_refused_with_its_reason(machine: Machine, reason: str) -> None:
    with pytest.raises(DeviceMissing, match=reason):
        plan_device("tpu", machine, gpu=None, memory=1.0)


def test_a_leased_gpu_is_the_only_one_seen_with_its_share_of_memory() -> None:
    plan = plan_device("gpu", GPU, gpu=1, memory=0.45)
    assert plan.environment == {
        "JAX_PLATFORMS": "cuda,cpu",
        "CUDA_VISIBLE_DEVICES": "1",
        "XLA_PYTHON_CLIENT_MEM_FRACTION": "0.450",
    }


def test_auto_takes_the_best_there_is() -> None:
    assert plan_device("auto", GPU, gpu=None, memory=1.0).platform == "cuda"
    assert plan_device("auto", TPU, gpu=None, memory=1.0).platform == "tpu"
    assert plan_device("auto", BARE, gpu=None, memory=1.0).platform == "cpu"
    assert plan_device("auto", BARE, gpu=None, memory=1.0).note == ""


def test_auto_says_why_it_computes_on_the_cpu_of_a_gpu_machine() -> None:
    plan = plan_device("auto", replace(GPU, cuda_plugin=None), gpu=None, memory=1.0)
    assert plan.platform == "cpu"
    assert "no CUDA plugin" in plan.note


def test_cpu_is_cpu_even_beside_a_gpu() -> None:
    plan = plan_device("cpu", GPU, gpu=0, memory=1.0)
    assert (plan.platform, plan.note) == ("cpu", "")


def test_the_oldest_programs_leave_a_full_cache(tmp_path: Path) -> None:
    for age, name in enumerate(["new", "old", "oldest"]):
        (tmp_path / name).write_bytes(b"x" * 10)
        os.utime(tmp_path / name, (1000 - age, 1000 - age))
    trim_cache(tmp_path, 25)
    assert {file.name for file in tmp_path.iterdir()} == {"new", "old"}


SCRIPT = """
import jax, pathlib, sys
from pipeline.training.devices import resolve_device
device = resolve_device("cpu", gpu=None, memory=1.0, cache=pathlib.Path(sys.argv[1]))
jax.jit(lambda x: x + 1)(1.0)
print(device.platform, jax.config.jax_platforms)
"""


@pytest.mark.slow
def test_a_process_that_imported_jax_can_still_choose_and_finds_its_programs_though_the_home_was_moved(
    tmp_path: Path,
) -> None:
    """As a warm worker does: JAX is imported, no backend is."""
    before, after = tmp_path / "before", tmp_path / "after"
    assert computed(before) == "cpu cpu\n"
    programs = {file.name for file in before.iterdir()}
    assert programs
    before.rename(after)
    assert computed(after) == "cpu cpu\n"
    assert {file.name for file in after.iterdir()} == programs, "none was compiled again"


def computed(cache: Path) -> str:
    """What a process says that computes on the CPU with this cache of programs."""
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    command = [sys.executable, "-P", "-c", SCRIPT, str(cache)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout
