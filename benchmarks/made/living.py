"""benchmarks/busy.py behind us: a served home whose runs live once they are told to."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

BUSY = Path(__file__).parent.parent / "busy.py"


@contextmanager
def living(folder: Path, *options: str) -> Iterator[tuple[Callable[[], None], IO[str]]]:
    """What sets the runs going, and what is told of them. Served when this is entered."""
    server = subprocess.Popen(
        [sys.executable, str(BUSY), str(folder), *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert server.stdin is not None
    assert server.stdout is not None
    orders, told = server.stdin, server.stdout

    def go() -> None:
        orders.write("go\n")
        orders.flush()

    try:
        assert told.readline() == "ready\n"
        yield go, told
    finally:
        server.kill()
        server.wait()
