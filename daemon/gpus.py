"""The GPUs of the box through NVML; an empty list where there is none. The library is loaded only where a driver is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from store.wire import GpuView

DRIVER: Final = Path("/proc/driver/nvidia/version")


class Gpus:
    """Reads NVML, which stays open."""

    def __init__(self, driver: Path = DRIVER, load: Callable[[], Any] | None = None) -> None:
        """`load`: gives the opened library, or None."""
        self._nvml: Any = (load or _load)() if driver.exists() else None

    def views(self) -> list[GpuView]:
        """All GPUs that answer, as they are now. Bytes, utilisation in percent; 0 where the driver does not say: of a
        card that is parted, or shares its memory with the processor."""
        found = [self._said(self._view, index, None) for index in self.indexes()]
        return [view for view in found if view is not None]

    def indexes(self) -> list[int]:
        return [] if self._nvml is None else list(range(self._nvml.nvmlDeviceGetCount()))

    def memory_by_pid(self) -> Mapping[int, int]:
        """Bytes of GPU memory that each process holds, over all GPUs."""
        held: dict[int, int] = {}
        for index in self.indexes():
            for process in self._said(self._processes, index, []):
                held[process.pid] = held.get(process.pid, 0) + (process.usedGpuMemory or 0)
        return held

    def _processes(self, index: int) -> Any:
        return self._nvml.nvmlDeviceGetComputeRunningProcesses(self._nvml.nvmlDeviceGetHandleByIndex(index))

    def _view(self, index: int) -> GpuView:
        handle = self._nvml.nvmlDeviceGetHandleByIndex(index)
        memory = self._said(self._nvml.nvmlDeviceGetMemoryInfo, handle, None)
        rates = self._said(self._nvml.nvmlDeviceGetUtilizationRates, handle, None)
        name = self._nvml.nvmlDeviceGetName(handle)
        return GpuView(
            index=index,
            name=name if isinstance(name, str) else name.decode(),
            memory_used=memory.used if memory is not None else 0,
            memory_total=memory.total if memory is not None else 0,
            utilisation=float(rates.gpu) if rates is not None else 0.0,
        )

    @staticmethod
    def _said(question: Callable[[Any], Any], of: Any, otherwise: Any) -> Any:
        """A card that is lost, or does not know, must not hide the others, and the box with them."""
        import pynvml

        try:
            return question(of)
        except pynvml.NVMLError:
            return otherwise


def _load() -> Any:
    """The opened library; None if the driver does not answer (just updated, or no permission)."""
    import pynvml

    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError:
        return None
    return pynvml
