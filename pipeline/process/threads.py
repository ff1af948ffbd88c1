"""How many OpenMP threads a piece of work is worth.

OpenMP threads wait for each other by spinning. Beside another busy process a tree of 90,000 rows took 14 s with two
threads and 1.4 s with one (measured), and on a quiet machine two threads save half a second.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager

from threadpoolctl import threadpool_limits

CELLS_A_THREAD = 10_000_000
"""Rows x columns below which another thread is not worth its risk."""


def threads_for(cells: int, cores: int) -> int:
    return max(1, min(cores, cells // CELLS_A_THREAD))


def few_threads(cells: int) -> AbstractContextManager[object]:
    """Inside, OpenMP takes as many threads as so many cells of data deserve."""
    limit: AbstractContextManager[object] = threadpool_limits(
        limits=threads_for(cells, os.cpu_count() or 1), user_api="openmp"
    )
    return limit
