"""Among the threads of a serving process the event loop comes first."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

from pipeline.serving.precedence import COMPUTING, LATER, step_back


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_a_thread_stands_back_by_itself_and_its_process_does_not() -> None:
    before = niceness()
    with ThreadPoolExecutor(1, "compute", step_back, (COMPUTING,)) as computing, ThreadPoolExecutor(1) as usual:
        assert computing.submit(niceness).result() == COMPUTING or before > COMPUTING
        assert usual.submit(niceness).result() == niceness() == before


def test_who_loads_comes_after_who_computes() -> None:
    assert 0 < COMPUTING < LATER
