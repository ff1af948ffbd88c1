"""Processes to be killed that begin at once: one imports the libraries, and forks a child for each order."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOOP = """
import os, sys

for line in sys.stdin:
    told, tell = os.pipe()
    child = os.fork()
    if child == 0:
        os.read(told, 1)
        try:
            work(*line.rstrip("\\n").split("\\t"))
            os._exit(0)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
    print(child, flush=True)
    os.write(tell, b".")
    os.close(tell)
    os.close(told)
    print("ended", os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Nursery:
    """One child at a time: it does `work(*words)` of the source that the nursery was given."""

    def __init__(self, source: str, **environ: str) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(source) + LOOP],
            cwd=ROOT,
            env=os.environ | environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )

    def begin(self, *words: object) -> int:
        """The pid of the child."""
        assert self._process.stdin is not None
        self._process.stdin.write("\t".join(map(str, words)).encode() + b"\n")
        return int(self.line())

    def line(self) -> str:
        """The next line that the child says."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, "the nursery has ended; what is wrong with its source is said on standard error"
        return line.decode().rstrip("\n")

    def ends_within(self, seconds: float | None) -> bool:
        """Whether the child, which says nothing, ends in that time; None: however long it takes."""
        assert self._process.stdout is not None
        return bool(select.select([self._process.stdout], [], [], seconds)[0])

    def rest(self) -> tuple[list[str], int]:
        """What the child says until it ends, and its exit status; -9 when it was killed."""
        lines = []
        while not (line := self.line()).startswith("ended "):
            lines.append(line)
        return lines, int(line.removeprefix("ended "))

    def close(self) -> None:
        self._process.communicate()
