"""The event loop comes first among the threads of its process: it hears everybody, and tells whom there is no room for.

On Linux niceness is a thread's, and so is the time slice. The loop asks for the shortest, so that it has the processor
when it wakes and not when a slice of the computing thread has ended. That one gives way to the loop in its share too,
and only a little: now and then it holds the interpreter, and then the loop waits until other processes let it on. One
that loads, or runs shadows, comes after everything.
"""

from __future__ import annotations

import contextlib
import os
import threading
from typing import Final

from pipeline.serving.timeslice import SHORTEST_NS, USUAL, ask_for_slice

COMPUTING: Final = 3
LATER: Final = 10


def come_first() -> None:
    """For the thread of the event loop, which calls it. Those that it starts come first too, or step back."""
    ask_for_slice(SHORTEST_NS)


def step_back(niceness: int = LATER) -> None:
    """For the thread that calls it."""
    ask_for_slice(USUAL)
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
