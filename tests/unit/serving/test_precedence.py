"""Among the threads of a serving process the event loop comes first."""

from __future__ import annotations

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from pipeline.serving.precedence import COMPUTING, LATER, come_first, step_back
from pipeline.serving.timeslice import SHORTEST_NS, slice_ns


def niceness() -> int:
    return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())


def test_a_thread_stands_back_by_itself_and_its_process_does_not() -> None:
    before = niceness()
    with ThreadPoolExecutor(1, "compute", step_back, (COMPUTING,)) as computing, ThreadPoolExecutor(1) as usual:
        assert computing.submit(niceness).result() == COMPUTING or before > COMPUTING
        assert usual.submit(niceness).result() == niceness() == before


def test_who_loads_comes_after_who_computes() -> None:
    assert 0 < COMPUTING < LATER


def test_the_loop_asks_for_short_slices_and_who_steps_back_has_those_of_everybody() -> None:
    def loop() -> tuple[int | None, int | None, int]:
        come_first()
        with ThreadPoolExecutor(1, "compute", step_back, (COMPUTING,)) as computing:
            return slice_ns(), computing.submit(slice_ns).result(), niceness()

    usual, nice = slice_ns(), niceness()
    if usual is None:
        pytest.skip("this Linux has one slice for everybody (older than 6.12)")
    with ThreadPoolExecutor(1) as one:
        assert one.submit(loop).result() == (SHORTEST_NS, usual, nice)
    assert slice_ns() == usual
