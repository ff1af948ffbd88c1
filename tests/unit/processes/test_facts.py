"""Small judgements from numbers: memory, disk, threads, and what the daemon keeps out of its own process."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pynvml
import pytest

from daemon import memory
from daemon.disk import free_bytes, shortage, too_full
from daemon.gpus import Gpus
from pipeline.process.pages import SMALL_PAGES
from pipeline.process.worker import library_settings

GB = 10**9


def test_the_kernels_count_tells_that_memory_ran_out() -> None:
    said = memory.judge(before=3, after=4, peak_rss=GB, total=16 * GB)
    assert said == "the kernel killed for memory, peak RSS 1.0 of 16.0 GB"


def test_a_kill_without_such_a_count_was_something_else_however_large_the_process() -> None:
    assert memory.judge(before=3, after=3, peak_rss=15 * GB, total=16 * GB) is None


@pytest.mark.parametrize(("peak", "told"), [(15, True), (2, False)])
def test_where_the_kernel_does_not_count_size_decides(peak: int, told: bool) -> None:
    assert (memory.judge(before=None, after=None, peak_rss=peak * GB, total=16 * GB) is not None) is told


def test_this_machines_memory_is_known() -> None:
    assert memory.machine_memory() > 10**8


def test_a_disk_below_its_floor_says_both_numbers() -> None:
    assert shortage(free=2 * GB, min_free=2 * GB) is None
    assert shortage(free=GB, min_free=2 * GB) == "the disk has 1.00 GB free, and daemon.min_free asks for 2.00 GB"


def test_free_space_is_that_of_the_folders_file_system(tmp_path: Path) -> None:
    assert free_bytes(tmp_path) > 0


def test_without_a_driver_there_are_no_gpus_and_their_library_is_not_loaded(tmp_path: Path) -> None:
    gpus = Gpus(driver=tmp_path / "none")
    assert (gpus.views(), gpus.indexes(), gpus.memory_by_pid()) == ([], [], {})


class Cards:
    """NVML of a box whose first card answers everything, the second not all, and the third has fallen off its bus."""

    def nvmlDeviceGetCount(self) -> int:
        return 3

    def nvmlDeviceGetHandleByIndex(self, index: int) -> int:
        if index == 2:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_GPU_IS_LOST)
        return index

    def nvmlDeviceGetName(self, card: int) -> str:
        return ("H100", "GB10")[card]

    def nvmlDeviceGetMemoryInfo(self, card: int) -> Any:
        return self._unless_second(card, SimpleNamespace(used=GB, total=80 * GB))

    def nvmlDeviceGetUtilizationRates(self, card: int) -> Any:
        return self._unless_second(card, SimpleNamespace(gpu=50))

    def nvmlDeviceGetComputeRunningProcesses(self, card: int) -> Any:
        return self._unless_second(card, [SimpleNamespace(pid=7, usedGpuMemory=GB)])

    @staticmethod
    def _unless_second(card: int, answer: Any) -> Any:
        """As with memory that card and processor share, and with a card that is parted (MIG)."""
        if card == 1:
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_SUPPORTED)
        return answer


def test_a_card_that_does_not_say_everything_or_is_lost_hides_no_other(tmp_path: Path) -> None:
    driver = tmp_path / "version"
    driver.touch()
    gpus = Gpus(driver, Cards)
    assert [(one.index, one.name, one.memory_total, one.utilisation) for one in gpus.views()] == [
        (0, "H100", 80 * GB, 50.0),
        (1, "GB10", 0, 0.0),
    ]
    assert gpus.memory_by_pid() == {7: GB}
    assert gpus.indexes() == [0, 1, 2]


def test_what_the_operator_set_for_threads_stays() -> None:
    caps = library_settings({"OMP_NUM_THREADS": "3"}, cores=16)
    assert caps == {"OMP_NUM_THREADS": "3", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", **SMALL_PAGES}
    assert library_settings(dict.fromkeys(SMALL_PAGES, "1"), cores=16)["MIMALLOC_ALLOW_THP"] == "1"


def test_a_disk_too_full_for_the_record_is_named_with_what_is_needed() -> None:
    said = too_full(Path("/data/home"), 41_000_000, 256_000_000)
    assert said.startswith("the disk of /data/home is too full for the record: 41 MB are free and 256 MB are needed")
