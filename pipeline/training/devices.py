"""Which device a run computes on: chosen and checked before any JAX backend exists, and refused with the reason.

Plain JAX answers a missing GPU with a bare AssertionError or, worse, with a silent CPU.
"""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import sys
from collections.abc import MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from store.errors import DeviceMissing
from store.words import DeviceChoice

Platform = Literal["cpu", "cuda", "tpu"]
CACHE_BYTES = 1_000_000_000
"""Bound of XLA's persistent cache."""
_PLUGINS = ("jax-cuda13-plugin", "jax-cuda12-plugin")


@dataclass(frozen=True, kw_only=True)
class Machine:
    """What this machine has, as far as can be told without starting a backend."""

    nvidia_driver: bool
    gpus: int
    """That NVML counts."""
    cuda_plugin: str | None
    """Distribution that brings CUDA to JAX."""
    tpu_chips: bool
    libtpu: bool


@dataclass(frozen=True, kw_only=True)
class DevicePlan:
    """What to set before the backend starts."""

    platform: Platform
    environment: dict[str, str] = field(default_factory=dict)
    note: str = ""
    """Why `auto` took the CPU on a machine that seemed to have more."""


@dataclass(frozen=True, kw_only=True)
class Device:
    """The device that computes."""

    platform: str
    """As JAX says: cpu, gpu or tpu."""
    kind: str
    memory: int | None
    """Bytes that JAX may use, None if it does not say."""
    note: str


def look_around() -> Machine:
    """Asks driver, package metadata and device files; starts nothing."""
    driver = Path("/proc/driver/nvidia/version").exists()
    return Machine(
        nvidia_driver=driver,
        gpus=_count_gpus() if driver else 0,
        cuda_plugin=next((name for name in _PLUGINS if _installed(name)), None),
        tpu_chips=any(Path("/dev").glob("accel[0-9]*")) or Path("/dev/vfio/0").exists(),
        libtpu=importlib.util.find_spec("libtpu") is not None,
    )


def plan_device(choice: DeviceChoice, machine: Machine, *, gpu: int | None, memory: float) -> DevicePlan:
    """Pure. `gpu`: index of the leased one; `memory`: share of it. Raises DeviceMissing with reason and remedy."""
    gpu_fault, tpu_fault = _gpu_fault(machine, gpu), _tpu_fault(machine)
    if choice == "gpu" or (choice == "auto" and gpu_fault is None):
        if gpu_fault is not None:
            raise DeviceMissing(f"a GPU was asked for: {gpu_fault[0]}", where="device", remedy=gpu_fault[1])
        environment = {"JAX_PLATFORMS": "cuda,cpu", "XLA_PYTHON_CLIENT_MEM_FRACTION": f"{memory:.3f}"}
        if gpu is not None:
            environment["CUDA_VISIBLE_DEVICES"] = str(gpu)
        return DevicePlan(platform="cuda", environment=environment)
    if choice == "tpu" or (choice == "auto" and tpu_fault is None):
        if tpu_fault is not None:
            raise DeviceMissing(f"a TPU was asked for: {tpu_fault[0]}", where="device", remedy=tpu_fault[1])
        return DevicePlan(platform="tpu", environment={"JAX_PLATFORMS": "tpu,cpu"})
    seen = machine.nvidia_driver and gpu_fault is not None
    note = f"running on the CPU although there is an NVIDIA driver: {gpu_fault[0]}" if seen and gpu_fault else ""
    note = note if choice == "auto" else ""
    return DevicePlan(platform="cpu", environment={"JAX_PLATFORMS": "cpu"}, note=note)


def resolve_device(choice: DeviceChoice, *, gpu: int | None, memory: float, cache: Path | None) -> Device:
    """Sets the environment, starts the backend and says what computes.

    To be called before any backend is initialised, though JAX may be imported (a warm worker). `cache`: folder of
    XLA's persistent cache. Raises DeviceMissing.
    """
    plan = plan_device(choice, look_around(), gpu=gpu, memory=memory)
    _apply(plan, os.environ, sys.modules.get("jax"))
    import jax

    if cache is not None:
        use_cache(cache, tuned=plan.platform == "cuda")
    try:
        device = jax.devices()[0]
    except RuntimeError as error:
        raise DeviceMissing(
            f"JAX could not start the {plan.platform} backend: {error}",
            where="device",
            remedy='see `trainshed doctor`, or set device = "cpu"',
        ) from error
    found: Any = device.memory_stats() or {}
    if plan.platform == "cuda" and device.platform != "gpu":
        raise DeviceMissing(
            f"a GPU was asked for and JAX started on {device.platform}",
            where="device",
            remedy='see `trainshed doctor` for driver and plugin, or set device = "cpu"',
        )
    return Device(platform=device.platform, kind=device.device_kind, memory=found.get("bytes_limit"), note=plan.note)


def _apply(plan: DevicePlan, environment: MutableMapping[str, str], jax: Any) -> None:
    """JAX reads JAX_PLATFORMS when it is imported, and the other variables when the backend starts."""
    environment.update(plan.environment)
    if jax is not None:
        from jax._src import xla_bridge

        if xla_bridge.backends_are_initialized():
            running = jax.devices()[0].platform
            if running != {"cuda": "gpu"}.get(plan.platform, plan.platform):
                raise DeviceMissing(
                    f"this process already computes on {running}, so it cannot change to {plan.platform}",
                    where="device",
                    remedy="start the run again in a fresh process",
                )
            return
        jax.config.update("jax_platforms", plan.environment["JAX_PLATFORMS"])


def use_cache(folder: Path, *, tuned: bool = False) -> None:
    """Every program is kept, small ones too: they are the ones a tabular model has.

    `tuned`: what a GPU was tuned to is kept as well. That puts the folder's path into the key of each program (jax
    0.10.2): elsewhere it is left out, so that a home that was moved or restored still has its programs. The bound is
    ours: JAX's own (`jax_compilation_cache_max_size`) locks and stamps a file at each look-up.
    """
    import jax

    folder.mkdir(parents=True, exist_ok=True)
    trim_cache(folder, CACHE_BYTES)
    jax.config.update("jax_compilation_cache_dir", str(folder))  # type: ignore[no-untyped-call]
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.0)  # type: ignore[no-untyped-call]
    jax.config.update("jax_persistent_cache_min_entry_size_bytes", -1)  # type: ignore[no-untyped-call]
    kept = "xla_gpu_per_fusion_autotune_cache_dir" if tuned else "none"
    jax.config.update("jax_persistent_cache_enable_xla_caches", kept)  # type: ignore[no-untyped-call]


def trim_cache(folder: Path, limit: int) -> None:
    """Deletes the oldest files until at most `limit` bytes are left. Whoever misses one compiles it again."""
    files = sorted((file.stat().st_mtime_ns, file.stat().st_size, file) for file in folder.iterdir() if file.is_file())
    excess = sum(size for _, size, _ in files) - limit
    for _, size, file in files:
        if excess <= 0:
            return
        file.unlink(missing_ok=True)
        excess -= size


def _gpu_fault(machine: Machine, gpu: int | None) -> tuple[str, str] | None:
    """(reason, remedy) if no GPU can be used."""
    if not machine.nvidia_driver:
        return "there is no NVIDIA driver", 'install the driver, or set device = "cpu"'
    if machine.gpus == 0:
        return "the NVIDIA driver shows no device", "see what `nvidia-smi` says (in a container: pass the GPU in)"
    if gpu is not None and gpu >= machine.gpus:
        return f"GPU {gpu} was leased and there are {machine.gpus}", "restart the daemon, which counts them anew"
    if machine.cuda_plugin is None:
        return "JAX has no CUDA plugin", "install it: `pip install 'trainshed[cuda]'`"
    return None


def _tpu_fault(machine: Machine) -> tuple[str, str] | None:
    if not machine.tpu_chips:
        return "there is no TPU device file", 'run on a TPU machine, or set device = "cpu"'
    if not machine.libtpu:
        return "JAX has no libtpu", "install it: `pip install 'trainshed[tpu]'`"
    return None


def _count_gpus() -> int:
    import pynvml

    try:
        pynvml.nvmlInit()
        return int(pynvml.nvmlDeviceGetCount())
    except pynvml.NVMLError:
        return 0


def _installed(distribution: str) -> bool:
    try:
        importlib.metadata.version(distribution)
    except importlib.metadata.PackageNotFoundError:
        return False
    return True
