"""A terminal for programs under measurement: a pseudo-terminal that counts bytes, and the program's own CPU seconds.

It answers what a modern terminal answers (synchronised output is supported), shows nothing, and never sleeps longer
than it has to. CPU is read from `/proc/PID/task/*/schedstat`, which counts nanoseconds; wall times on a busy machine
say little.
"""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import termios
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ANSWERS = {
    b"\x1b[?2026$p": b"\x1b[?2026;2$y",  # synchronised output is known
    b"\x1b]11;?\x1b\\": b"\x1b]11;rgb:1414/1717/1c1c\x1b\\",  # the ground is dark
    b"\x1b[6n": b"\x1b[1;1R",  # where the cursor is
}
SILENCE_S = 0.35
"""A picture is over when nothing came for so long."""


@dataclass(frozen=True)
class Reaction:
    """What one key, or one event, made the program send and spend."""

    bytes: int
    first_ms: float
    """Until the first byte came."""
    last_ms: float
    """Until the last one did."""
    cpu_ms: float


class Terminal:
    """One program in a pseudo-terminal. Use as a context manager: at the end it is killed."""

    def __init__(
        self, command: Sequence[str], *, columns: int = 120, rows: int = 40, environ: Mapping[str, str], folder: Path
    ) -> None:
        self.began = time.perf_counter()
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            os.chdir(folder)
            os.execve(command[0], list(command), {**environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"})
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        os.set_blocking(self._fd, False)
        self.sent = bytearray()
        """Everything that the program has written."""
        self.ended = False

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        if not self.ended:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._fd)

    # ---- looking -----------------------------------------------------------------------------------------------------

    def pump(self, seconds: float) -> bytes:
        """What comes within `seconds`; returns with the first piece."""
        ready, _, _ = select.select([self._fd], [], [], seconds)
        if not ready:
            return b""
        try:
            piece = os.read(self._fd, 1 << 20)
        except OSError:  # EIO: the program has closed its side
            piece = b""
        if not piece:
            self.ended = True
            os.waitpid(self.pid, 0)
            return b""
        for question, answer in ANSWERS.items():
            if question in piece:
                os.write(self._fd, answer)
        self.sent += piece
        return piece

    def until(self, words: str, timeout: float = 60.0) -> float:
        """Seconds since the start at which `words` was first seen in the stream. Raises TimeoutError."""
        wanted = words.encode()
        last = time.perf_counter() + timeout
        start = max(0, len(self.sent) - len(wanted))
        while wanted not in self.sent[start:]:
            if time.perf_counter() > last or self.ended:
                raise TimeoutError(f"{words!r} did not come; the last bytes: {bytes(self.sent[-400:])!r}")
            self.pump(0.05)
        return time.perf_counter() - self.began

    def quiet(self, silence: float = SILENCE_S, timeout: float = 20.0) -> None:
        """Returns when nothing came for `silence` seconds, or after `timeout`."""
        last = time.perf_counter() + timeout
        heard = time.perf_counter()
        while time.perf_counter() - heard < silence and time.perf_counter() < last:
            if self.pump(silence / 4):
                heard = time.perf_counter()

    def rest(self, seconds: float) -> tuple[int, float]:
        """Bytes and per cent of a core in `seconds` of doing nothing to it."""
        before, spent = len(self.sent), self.cpu()
        last = time.perf_counter() + seconds
        while time.perf_counter() < last:
            self.pump(0.2)
        return len(self.sent) - before, 100 * (self.cpu() - spent) / seconds

    # ---- doing -------------------------------------------------------------------------------------------------------

    def key(self, keys: str, silence: float = SILENCE_S) -> Reaction:
        """Sends keys and waits for the picture to be over."""
        before, spent, began = len(self.sent), self.cpu(), time.perf_counter()
        os.write(self._fd, keys.encode())
        first = last = 0.0
        heard = began
        while time.perf_counter() - heard < silence:
            if self.pump(silence / 4):
                heard = time.perf_counter()
                first = first or heard - began
                last = heard - began
        return Reaction(len(self.sent) - before, 1000 * first, 1000 * last, 1000 * (self.cpu() - spent))

    # ---- costs -------------------------------------------------------------------------------------------------------

    def cpu(self) -> float:
        """CPU seconds of all its threads so far; those of threads that have ended are in the process's own count."""
        if self.ended:
            return 0.0
        nanoseconds = 0
        for task in Path(f"/proc/{self.pid}/task").iterdir():
            nanoseconds += int((task / "schedstat").read_text().split()[0])
        return nanoseconds / 1e9

    def rss_mb(self) -> float:
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / 1e6
