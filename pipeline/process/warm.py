"""The warm process: has the libraries imported, and forks shims that fork workers.

`python -P -m pipeline.process.warm LIBRARIES DESCRIPTOR IDLE_SECONDS`, started by the daemon in a session of its own.
LIBRARIES is a key of `PRELOADED`: a fork copies the page tables of all that is imported, so runs that move data come
from a process without the libraries of training, at half the price. The
descriptor is its end of a socket pair, so nobody else can ask. One packet asks for `{"attempt": DIR}`, one packet
answers `{"pid": …}` or `{"refused": REASON}`; its first word is `{"fingerprint": …}`. It serves from the first moment:
between two imports it looks for orders, and a worker forked early imports the rest itself.

It ends when the daemon's end closes, when nothing was asked for during IDLE_SECONDS, and after a refusal. Its workers
live on. A fork is only sound while no JAX backend exists and no thread of ours runs, so both are checked each time.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final, Literal, cast

from store.words import JobKind

Libraries = Literal["data", "training"]
NEEDS: Final[dict[JobKind, Libraries]] = {
    "etl": "data",
    "features": "data",
    "backup": "data",
    "train": "training",
    "evaluate": "training",
    "batch-predict": "training",
    "monitor": "training",
}
_DATA: Final = (
    "pipeline.process.worker",
    "numpy",
    "pyarrow.dataset",
    "duckdb",
    "deltalake",
    "pipeline.etl.run",
    "pipeline.sources.http",
    "pipeline.features.run",
    "pipeline.backup",
)
PRELOADED: Final[dict[Libraries, tuple[str, ...]]] = {
    "data": _DATA,
    "training": (
        *_DATA,
        "jax",
        "flax.nnx",
        "optax",
        "orbax.checkpoint",
        "scipy.stats",
        "sklearn.ensemble",
        "pipeline.training.learn",
        "pipeline.judging.judge",
        "pipeline.predicting.run",
    ),
}
"""In the order in which a first run needs them. Small pieces, so that orders wait little."""
PACKET: Final = 65_536
SOUND_THREADS: Final = frozenset({"jemalloc_bg_thd"})
"""Threads of libraries that look after themselves across a fork (jemalloc registers with pthread_atfork)."""


def fingerprint(path: Iterable[str]) -> str:
    """Of the code a process started now would run: our sources by time and size, distributions by name and version.

    `path` is sys.path. A warm process whose fingerprint is another one has old code in memory.
    """
    import hashlib

    digest = hashlib.sha256(sys.version.encode())
    root = Path(__file__).resolve().parent.parent.parent
    for package in ("pipeline", "store"):
        for file in sorted((root / package).rglob("*.py")):
            facts = file.stat()
            digest.update(f"{file}:{facts.st_mtime_ns}:{facts.st_size};".encode())
    for folder in path:
        if os.path.isdir(folder):
            names = sorted(name for name in os.listdir(folder) if name.endswith(".dist-info"))
            digest.update(f"{folder}:{names};".encode())
    return digest.hexdigest()


def unsound() -> str | None:
    """Why a fork of this process would not be safe now, or None."""
    bridge = sys.modules.get("jax._src.xla_bridge")
    if bridge is not None and bridge.backends_are_initialized():
        return "a JAX backend is initialised"
    others = set(os.listdir("/proc/self/task")) - {str(os.getpid())}
    names = {Path(f"/proc/self/task/{task}/comm").read_text().strip() for task in others}
    strange = names - SOUND_THREADS
    return f"threads are running: {', '.join(sorted(strange))}" if strange else None


class WarmProcess:
    """Serves one daemon through `channel`."""

    def __init__(self, channel: socket.socket, idle_s: float) -> None:
        self._channel = channel
        self._idle_s = idle_s

    def run(self, preload: Iterable[str]) -> None:
        """Imports and serves until there is a reason to end."""
        # Workers are reaped by their shims, shims by nobody: the kernel does it.
        signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        self._channel.send(json.dumps({"fingerprint": fingerprint(sys.path), "pid": os.getpid()}).encode())
        for name in preload:
            if not self._serve_waiting():
                return
            _import(name)
        _first_use()
        # What is here now stays: taken out of the collector's sight, its pages stay shared with the forks.
        gc.collect()
        gc.freeze()
        while self._serve(self._idle_s) == "served":
            pass

    def _serve_waiting(self) -> bool:
        while (answer := self._serve(0.0)) == "served":
            pass
        return answer == "nothing"

    def _serve(self, timeout: float) -> str:
        """One order, if one comes in time: `served`, `nothing`, or `over`."""
        ready, _, _ = select.select([self._channel], [], [], timeout)
        if not ready:
            return "nothing"
        packet = self._channel.recv(PACKET)
        if not packet:
            return "over"
        reason = unsound()
        if reason is not None:
            self._channel.send(json.dumps({"refused": reason}).encode())
            return "over"
        self._channel.send(json.dumps({"pid": self._fork(json.loads(packet)["attempt"])}).encode())
        return "served"

    def _fork(self, directory: str) -> int:
        pid = os.fork()
        if pid:
            return pid
        code = 1
        try:
            os.setsid()
            self._channel.close()
            code = _become_shim(directory)
        finally:
            os._exit(code)


def _import(name: str) -> None:
    """What cannot be imported fails where it is used, in a worker that can say so."""
    try:
        importlib.import_module(name)
    except ImportError as error:
        print(f"the warm process does without {name}: {error}", file=sys.stderr)


def _first_use() -> None:
    """What DuckDB sets up when it is first used is done once, here. With one thread it starts none that would stay."""
    duckdb = sys.modules.get("duckdb")
    if duckdb is not None:
        duckdb.connect(config={"threads": 1}).close()


def _become_shim(directory: str) -> int:
    from pipeline.process.shim import supervise
    from pipeline.process.worker import enter

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    return supervise(directory, enter)


def main(arguments: list[str]) -> None:
    from pipeline.process.worker import settle_libraries

    settle_libraries()
    libraries = cast(Libraries, arguments[0])
    channel = socket.socket(fileno=int(arguments[1]))
    started = time.monotonic()
    WarmProcess(channel, float(arguments[2])).run(PRELOADED[libraries])
    print(f"the warm process ({libraries}) ends after {time.monotonic() - started:.0f} s", file=sys.stderr, flush=True)
    os._exit(0)  # there is nothing to tidy up, and some libraries grumble when they are unloaded


if __name__ == "__main__":
    main(sys.argv[1:])
