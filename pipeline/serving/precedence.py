"""The event loop comes first among the threads of its process: it hears everybody, and tells whom there is no room for.

On Linux niceness is a thread's. One that computes gives way to the loop, where it would go on for some milliseconds,
and only a little: now and then it holds the interpreter, and then the loop waits until other processes let it on. One
that loads, or runs shadows, comes after everything.
"""

from __future__ import annotations

import contextlib
import os
import threading
from typing import Final

COMPUTING: Final = 3
LATER: Final = 10


def step_back(niceness: int = LATER) -> None:
    """For the thread that calls it."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), niceness)
