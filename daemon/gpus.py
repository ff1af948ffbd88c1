"""The GPUs of the box through NVML; an empty list where there is none. The library is loaded only where a driver is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from store.wire import GpuView

DRIVER: Final = Path("/proc/driver/nvidia/version")


class Gpus:
    """Reads NVML, which stays open."""

    def __init__(self, driver: Path = DRIVER) -> None:
        self._nvml: Any = _load() if driver.exists() else None

    def views(self) -> list[GpuView]:
        """All GPUs as they are now. Bytes, utilisation in percent."""
        if self._nvml is None:
            return []
        return [self._view(index) for index in range(self._nvml.nvmlDeviceGetCount())]

    def indexes(self) -> list[int]:
        return [] if self._nvml is None else list(range(self._nvml.nvmlDeviceGetCount()))

    def memory_by_pid(self) -> Mapping[int, int]:
        """Bytes of GPU memory that each process holds, over all GPUs."""
        held: dict[int, int] = {}
        for index in self.indexes():
            handle = self._nvml.nvmlDeviceGetHandleByIndex(index)
            for process in self._nvml.nvmlDeviceGetComputeRunningProcesses(handle):
                held[process.pid] = held.get(process.pid, 0) + (process.usedGpuMemory or 0)
        return held

    def _view(self, index: int) -> GpuView:
        handle = self._nvml.nvmlDeviceGetHandleByIndex(index)
        memory = self._nvml.nvmlDeviceGetMemoryInfo(handle)
        name = self._nvml.nvmlDeviceGetName(handle)
        return GpuView(
            index=index,
            name=name if isinstance(name, str) else name.decode(),
            memory_used=memory.used,
            memory_total=memory.total,
            utilisation=float(self._nvml.nvmlDeviceGetUtilizationRates(handle).gpu),
        )


def _load() -> Any:
    """The opened library; None if the driver does not answer (just updated, or no permission)."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    return pynvml
