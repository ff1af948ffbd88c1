"""The serving supervisor as the daemon sees it: found, started, asked, stopped. It outlives the daemon."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, Final

from daemon.children import Child, ShimId
from pipeline.serving.control import ask
from pipeline.serving.settings import ServingSettings
from store.errors import NotServed, ServingError, StorageError, TrainshedError
from store.home import Home

START_S: Final = 30.0
ASK_S: Final = 10.0
PREPARE_S: Final = 900.0


class ServingProcess:
    """At most one of a home. Its methods are called with the turn of `Endpoints`, but for `ask` and `alive`."""

    def __init__(self, home: Home) -> None:
        self._dir = home.serving
        self._root = home.root
        self._child: Child | None = None

    @property
    def descriptor(self) -> int | None:
        """Readable once it has ended; None when there is none."""
        child = self._child
        return child.descriptor if child is not None else None

    @property
    def pid(self) -> int | None:
        child = self._child
        return child.identity.pid if child is not None else None

    def alive(self) -> bool:
        child = self._child
        return child is not None and child.identity.is_alive()

    def pids(self) -> dict[str, int]:
        """What it is → pid, of the serving processes."""
        if not self.alive():
            return {}
        try:
            status = self.ask("status")
        except ServingError:
            return {}
        workers = {
            f"{'spare' if w['state'] == 'ready' else 'serving'} {w['number']}": w["pid"] for w in status["workers"]
        }
        return {"serving supervisor": status["pid"], **workers}

    def find(self) -> bool:
        """Takes up the one that lives, an earlier daemon's as well; forgets one that has died."""
        if self._child is not None and not self.alive():
            self._child.close()
            self._child = None
        if self._child is None and _is_held(self._dir.lock):
            with contextlib.suppress(NotServed):  # it starts or ends at this moment
                identity = ShimId.of_pid(int(self.ask("status")["pid"]))
                self._child = Child.hold(identity) if identity is not None else None
        return self._child is not None

    def start(self, settings: ServingSettings) -> None:
        """Returns when it can be asked. Raises StorageError or NotServed with its own words."""
        settings.write(self._dir.settings)
        reading, writing = os.pipe()
        with open(self._dir.log, "ab") as log:
            process = subprocess.Popen(
                [
                    sys.executable,
                    "-P",
                    "-m",
                    "pipeline.serving.supervisor",
                    str(self._root),
                    "--ready-fd",
                    str(writing),
                ],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=[writing],
            )
        os.close(writing)
        said = _line(reading, START_S)
        if said is None or "fault" in said:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            process.wait()
            raise _fault(said, str(self._dir.log))
        identity = ShimId.of_pid(process.pid)
        self._child = Child.hold(identity, process) if identity is not None else None

    def stop(self, seconds: float) -> bool:
        """Asks it to answer what it has and to end; waits for that, no longer than `seconds`. Whether it is gone."""
        if self._child is None:
            return True
        with contextlib.suppress(NotServed):
            self.ask("stop")
        deadline = time.monotonic() + seconds
        while self.alive() and time.monotonic() < deadline:
            time.sleep(0.02)
        return not self.find()

    def renew(self, settings: ServingSettings) -> None:
        """It takes up other settings of the same doors. Raises NotServed, NotServable."""
        settings.write(self._dir.settings)
        self.ask("renew")

    def ask(
        self, what: str, seconds: float = ASK_S, tell: Callable[[str], None] = lambda _: None, **given: Any
    ) -> dict[str, Any]:
        """Raises NotServed when it does not answer, NotServable when it refuses. `tell` hears of phases meanwhile."""
        return ask(self._dir.control, what, seconds, tell, **given)

    def settings(self) -> ServingSettings | None:
        """What it was started with."""
        try:
            return ServingSettings.read(self._dir.settings)
        except (OSError, ValueError, TypeError):
            return None


def _is_held(lock: Any) -> bool:
    try:
        descriptor = os.open(lock, os.O_RDWR | os.O_CLOEXEC)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return False
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)


def _line(reading: int, seconds: float) -> dict[str, Any] | None:
    """What it says of itself; None when it says nothing in time."""
    with open(reading, "rb") as pipe:
        ready, _, _ = select.select([pipe], [], [], seconds)
        line = pipe.readline() if ready else b""
    said: dict[str, Any] | None = json.loads(line) if line else None
    return said


def _fault(said: dict[str, Any] | None, log: str) -> TrainshedError:
    if said is None:
        return NotServed(
            "the serving process ended before it was ready", where=log, remedy="its last words are in that file"
        )
    fault = said["fault"]
    return StorageError(fault["what"], where=fault["where"], remedy=fault["remedy"])
