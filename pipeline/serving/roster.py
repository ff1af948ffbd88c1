"""The workers that a supervisor knows: started by it, or left by the one before."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from pipeline.process import procfs
from pipeline.serving import crew
from pipeline.serving.channel import Channel, Closed, Json, Refused
from pipeline.serving.starting import Started, start_worker
from store.home import Home

log = logging.getLogger(__name__)


@dataclass
class Worker:
    """One of them, whoever started it."""

    number: int
    process: Started
    channel: Channel | None = None
    state: crew.State = "loading"
    epoch: int = 0
    grpc_port: int | None = None
    settings: str | None = None
    """Fingerprint of those that it was made with; None until it has said so."""
    missing: Json | None = None
    """`MODEL VERSION` → why it could not be loaded."""
    whole: bool = True
    """All that is to answer is loaded."""

    def hear(self, said: Json) -> None:
        self.state, self.epoch, self.missing = said["state"], said["epoch"], said["missing"]
        self.grpc_port = said["grpc_port"]
        self.settings = said.get("settings")  # an older release says none
        self.whole = said.get("whole", not self.missing)

    def member(self, settings: str) -> crew.Member:
        """`settings`: the fingerprint of those in force."""
        return crew.Member(
            number=self.number,
            state=self.state,
            epoch=self.epoch,
            connected=self.channel is not None,
            old=self.settings not in (None, settings),
            whole=self.whole,
        )

    def facts(self) -> dict[str, Any]:
        return {
            "number": self.number,
            "pid": self.process.pid,
            "state": self.state,
            "epoch": self.epoch,
            "missing": dict(self.missing or {}),
        }


class Roster:
    """Belongs to the thread of its event loop."""

    def __init__(self, home: Home, changed: Callable[[], None]) -> None:
        """`changed` is called when a worker came, went, or is in another state."""
        self._home = home
        self._file = home.serving.workers
        self._changed = changed
        self._workers: dict[int, Worker] = {}
        self._asking: set[asyncio.Task[Json]] = set()
        self.failures = 0
        """Workers in a row that died before they were ready."""
        self.restarts = 0

    def __iter__(self) -> Iterator[Worker]:
        return iter(list(self._workers.values()))

    def __getitem__(self, number: int) -> Worker:
        return self._workers[number]

    def __len__(self) -> int:
        return len(self._workers)

    # ------------------------------------------------------------------------------------- coming and going

    def start(self, listener: int) -> None:
        """One more."""
        number = max(self._workers, default=0) + 1
        try:
            self._know(Worker(number, start_worker(self._home, number, listener)))
        except OSError as error:
            log.error("a worker could not be started: %s", error.strerror)
            self.failures += 1

    def recognise(self, hello: Json) -> Worker | None:
        """Who has come: one of ours, or one that an earlier supervisor left. None if it has gone already."""
        for worker in self:
            if worker.process.pid == hello["pid"]:
                return worker
        process = Started.adopt(hello["pid"], hello["created"])
        if process is None:
            return None
        number = hello["number"] if hello["number"] not in self._workers else max(self._workers) + 1
        worker = Worker(number, process)
        self._know(worker)
        return worker

    def living_of_before(self) -> int:
        """How many workers of an earlier supervisor are alive, by what it wrote down."""
        try:
            known = [(int(pid), float(created)) for pid, created in json.loads(self._file.read_bytes())]
        except (OSError, ValueError, TypeError):
            return 0
        return sum(procfs.start_ticks(pid) == created and procfs.is_alive(pid) for pid, created in known)

    def _know(self, worker: Worker) -> None:
        self._workers[worker.number] = worker
        asyncio.get_running_loop().add_reader(worker.process.descriptor, self._died, worker)
        self._write()

    def _died(self, worker: Worker) -> None:
        asyncio.get_running_loop().remove_reader(worker.process.descriptor)
        how = worker.process.reap()
        del self._workers[worker.number]
        if worker.state != "draining":
            self.restarts += 1
            self.failures = self.failures + 1 if worker.state == "loading" else 0
            log.warning("worker %d (pid %d) has died while %s%s", worker.number, worker.process.pid, worker.state, how)
        self._write()
        self._changed()

    def _write(self) -> None:
        known = [[worker.process.pid, worker.process.created] for worker in self]
        aside = self._file.with_name(f"{self._file.name}.new")
        aside.write_text(json.dumps(known), encoding="utf-8")
        os.replace(aside, self._file)

    # --------------------------------------------------------------------------------------- what they are told

    async def tell(self, worker: Worker, what: str, **given: Any) -> Json:
        """Raises Closed, Refused."""
        if worker.channel is None:
            raise Closed
        said = await worker.channel.ask(what, **given)
        if "state" in said:
            worker.hear(said)
            self._changed()
        return said

    async def everywhere(self, what: str, seconds: float, **given: Any) -> int:
        """To all workers that are there; how many did it. Raises Refused with the first reason.

        One that is still loading hears it too and is not waited for; one that dies meanwhile is replaced by one that
        reads the routing file.
        """
        asked: dict[asyncio.Task[Json], Worker] = {}
        for worker in self:
            if worker.channel is None or worker.state == "draining":
                continue
            task = asyncio.get_running_loop().create_task(self.tell(worker, what, **given))
            self._asking.add(task)
            task.add_done_callback(self._asked)
            if worker.state != "loading":
                asked[task] = worker
        return await _all_of(asked, seconds) if asked else 0

    async def facts(self) -> list[Json]:
        """Each worker's numbers."""
        found = []
        for worker in self:
            with contextlib.suppress(Closed, Refused, TimeoutError):
                found.append(await asyncio.wait_for(self.tell(worker, "facts"), 2.0))
        return found

    def _asked(self, task: asyncio.Task[Json]) -> None:
        self._asking.discard(task)
        if not task.cancelled():
            task.exception()  # heard, whether or not somebody still waits


async def _all_of(asked: dict[asyncio.Task[Json], Worker], seconds: float) -> int:
    done, pending = await asyncio.wait(asked, timeout=seconds)
    for task in pending:
        task.cancel()
    for task in done:
        error = task.exception()
        if isinstance(error, Refused):
            raise error
    if pending:
        slow = ", ".join(str(asked[task].number) for task in pending)
        raise Refused(f"worker {slow} did not answer within {seconds:g} s")
    return sum(task.exception() is None for task in done)
