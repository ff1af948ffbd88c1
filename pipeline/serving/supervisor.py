"""The serving supervisor: `python -P -m pipeline.serving.supervisor HOME [--ready-fd N]`, started by the daemon.

It owns the listening socket, keeps the workers, has versions pressed, and passes on what the daemon asks. It is small,
has no JAX, and answers no request itself; it outlives the daemon, and its workers outlive it.

    lock          held for its life: one supervisor a home
    control.sock  workers introduce themselves here, the daemon asks here
    workers.json  who works, so that the next supervisor waits for them to come
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import json
import logging
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from pipeline.serving import crew
from pipeline.serving.channel import Channel, Closed, Json, Refused
from pipeline.serving.control import bind_control, channel_of, greet
from pipeline.serving.listening import is_at, listen_at, reserve
from pipeline.serving.logbound import keep_bounded
from pipeline.serving.pressing import Press
from pipeline.serving.promoting import Promoting
from pipeline.serving.resting import Resting
from pipeline.serving.roster import Roster, Worker
from pipeline.serving.settings import ServingSettings
from store.errors import TrainshedError
from store.home import Home
from store.routing import read_snapshot

ORPHANS_S: Final = 2.0
"""How long the workers of a dead supervisor are waited for."""
LOOK_S: Final = 5.0
KEYS_S: Final = 5.0
AGAIN_S: Final = 0.2
log = logging.getLogger(__name__)


class Supervisor:
    """Belongs to the thread of its event loop."""

    def __init__(self, home: Home) -> None:
        self._home = home
        self._dir = home.serving
        self._settings = ServingSettings.read(self._dir.settings)
        self._changed = asyncio.Event()
        self._roster = Roster(home, self._changed.set)
        self._promoting = Promoting(home, self._roster, Press(home, self._settings.largest_batch))
        self._resting = Resting(self._roster, lambda: self._settings.idle_s, self._mend)
        self._listener: socket.socket | None = None
        self._grpc: socket.socket | None = None
        """Keeps the port of gRPC for the workers, which share it."""
        self._ended = asyncio.Event()
        self._stopping = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, ready: Callable[[Json], None]) -> None:
        """`ready` is called with what it says of itself when it can be asked. Raises StorageError."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, lambda: self._spawn(self._stop()))
        self._spawn(self._accept_control(bind_control(self._dir.control)))
        await self._adopt()
        if self._listener is None:
            self._listener = listen_at(self._settings.host, self._settings.port)
        self._grpc = self._reserve_grpc()
        ready(self._facts())
        keep = [loop.create_task(self._keep()), loop.create_task(self._resting.keep())]
        await self._ended.wait()
        for task in keep:
            task.cancel()
        for file in (self._dir.control, self._dir.workers):
            file.unlink(missing_ok=True)

    async def _adopt(self) -> None:
        """Waits for the living workers of a supervisor that died; they bring the listening socket."""
        loop = asyncio.get_running_loop()
        living, deadline = self._roster.living_of_before(), loop.time() + ORPHANS_S
        while len(self._roster) < living and loop.time() < deadline:
            await asyncio.sleep(0.02)
        if living:
            log.info("adopted %d of %d workers", len(self._roster), living)

    async def _keep(self) -> None:
        """As many workers as there should be, as long as it lives."""
        await _in_any_case(self._promoting.press_missing)
        while True:
            self._changed.clear()
            await _in_any_case(self._look)
            with contextlib.suppress(OSError):  # what cannot be put aside now is tried again
                keep_bounded(self._dir.log)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), LOOK_S)

    async def _look(self) -> None:
        """The spare takes the place of one that died, at once."""
        members = [worker.member(self._settings.fingerprint) for worker in self._roster]
        epoch = read_snapshot(self._dir.routing).epoch
        wanted = crew.orders(members, self._settings.workers, self._settings.spare, epoch)
        for number in wanted.accept:
            self._spawn(self._let_accept(self._roster[number]))
        for number in wanted.switch:
            self._spawn(self._catch_up(self._roster[number]))
        for number in wanted.retire:
            self._spawn(self._retire(self._roster[number]))
        if wanted.start:
            await asyncio.sleep(crew.pause_s(self._roster.failures))
            assert self._listener is not None
            self._roster.start(self._listener.fileno())

    async def _let_accept(self, worker: Worker) -> None:
        worker.state = "accepting"
        try:
            port = self._grpc.getsockname()[1] if self._grpc is not None else None
            await self._roster.tell(worker, "accept", grpc_port=port)
        except (Closed, Refused):
            worker.state = "ready"

    async def _retire(self, worker: Worker) -> None:
        """It lets its clients go one by one, so that none is cut off in the middle of a request."""
        was, worker.state = worker.state, "draining"
        try:
            await self._roster.tell(worker, "retire")
        except (Closed, Refused):
            worker.state = was  # it has died, or will be told again

    def _renew(self) -> None:
        """Takes up changed settings: workers with the old ones are replaced, one after another."""
        self._settings = ServingSettings.read(self._dir.settings)
        self._promoting.press.give_way()
        self._promoting.press = Press(self._home, self._settings.largest_batch)
        self._changed.set()
        self._resting.wake()

    async def _catch_up(self, worker: Worker) -> None:
        try:
            await self._roster.tell(worker, "switch")
        except (Closed, Refused) as error:
            log.warning("worker %d cannot follow the routing file: %s", worker.number, error)

    def _reserve_grpc(self) -> socket.socket | None:
        """The port that the settings name; of a free one, the one that the workers of before have."""
        if self._settings.grpc_port is None:
            return None
        taken = next((worker.grpc_port for worker in self._roster if worker.grpc_port), 0)
        return reserve(self._settings.host, self._settings.grpc_port or taken)

    # -------------------------------------------------------------------------------------------- the door

    async def _accept_control(self, control: socket.socket) -> None:
        while True:
            try:
                connection, _ = await asyncio.get_running_loop().sock_accept(control)
            except OSError as error:  # too many files are open: who comes waits, and is let in when some are closed
                log.error("nobody can be let in at this moment: %s", error.strerror)
                await asyncio.sleep(AGAIN_S)
                continue
            self._spawn(self._welcome(connection))

    async def _welcome(self, connection: socket.socket) -> None:
        try:
            hello, descriptors = await greet(connection)
        except (OSError, ValueError, TimeoutError):
            connection.close()
            return
        channel = await channel_of(connection)
        if hello.get("role") != "worker":
            await channel.listen(lambda what, given: self._answer_client(channel, what, given))
            return
        worker = self._roster.recognise(hello)
        self._take(descriptors, worker)
        if worker is None:
            channel.close()
            return
        worker.channel = channel
        self._heard(worker, hello)
        await channel.listen(lambda what, given: self._answer_worker(worker, what, given))
        if worker.channel is channel:  # it may have come again meanwhile
            worker.channel = None

    def _take(self, descriptors: Sequence[int], worker: Worker | None) -> None:
        """The listening socket, if it is missing and this is the one that the settings mean."""
        for descriptor in descriptors:
            brought = socket.socket(fileno=descriptor)
            if self._listener is None and worker is not None and is_at(brought, self._settings):
                self._listener = brought
            else:
                brought.close()

    def _heard(self, worker: Worker, said: Json) -> None:
        worker.hear(said)
        if worker.state == "ready":
            self._roster.failures = 0
        if worker.missing and worker.state in ("ready", "accepting"):
            self._mend(worker)
        self._changed.set()

    def _mend(self, worker: Worker) -> None:
        self._spawn(self._promoting.mend(worker))

    async def _answer_worker(self, worker: Worker, what: str, given: Json) -> Json:
        if what == "facts":
            return {"workers": await self._roster.facts()}
        self._heard(worker, given)
        if what == "woken":
            self._resting.wake()
        return {}

    async def _answer_client(self, channel: Channel, what: str, given: Json) -> Json:
        match what:
            case "status":
                return self._facts()
            case "facts":
                return {"workers": await self._roster.facts()}
            case "prepare":
                version = given["model"], given["version"], given["digest"]
                return await self._promoting.prepare(*version, lambda phase: channel.say({"phase": phase}))
            case "press":
                return await self._promoting.press_ahead(given["digest"])
            case "switch":
                return await self._promoting.switch()
            case "keys":
                return {"workers": await self._roster.everywhere("keys", KEYS_S)}
            case "forget":
                await self._promoting.forget()
                return {}
            case "renew":
                self._renew()
                return {}
            case "stop":
                self._spawn(self._stop())
                return {}
        raise Refused(f"{what!r} is not understood")

    def _facts(self) -> dict[str, Any]:
        host, port = self._listener.getsockname()[:2] if self._listener else (self._settings.host, 0)
        return {
            "pid": os.getpid(),
            "scheme": "http" if self._settings.tls_cert is None else "https",
            "host": host,
            "port": port,
            "grpc_port": self._grpc.getsockname()[1] if self._grpc is not None else None,
            "epoch": read_snapshot(self._dir.routing).epoch,
            "workers": [worker.facts() for worker in self._roster],
            "restarts": self._roster.restarts,
            "stopping": self._stopping,
        }

    # ------------------------------------------------------------------------------------------------- end

    async def _stop(self) -> None:
        """Every worker answers what it has; then all is over."""
        if self._stopping:
            return
        self._stopping = True
        self._settings = replace(self._settings, workers=0, spare=False)
        for worker in self._roster:
            worker.state = "draining"
            worker.process.terminate()
        loop = asyncio.get_running_loop()
        deadline = loop.time() + self._settings.drain_s + 2.0
        while len(self._roster) and loop.time() < deadline:
            await asyncio.sleep(0.02)
        for worker in self._roster:
            worker.process.kill()
        self._ended.set()

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


async def _in_any_case(work: Callable[[], Awaitable[None]]) -> None:
    """A file that cannot be read at this moment, or a fault of ours, must not end what the workers are kept by."""
    try:
        await work()
    except Exception:
        log.exception("the supervisor stumbled")


def take_lock(file: Path) -> int | None:
    """The descriptor that holds the lock; None if another supervisor does."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("home", type=Path)
    parser.add_argument("--ready-fd", type=int)
    said = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s supervisor %(levelname)s %(message)s")
    home = Home(said.home)

    def ready(answer: Json) -> None:
        if said.ready_fd is not None:
            with contextlib.suppress(OSError), open(said.ready_fd, "wb") as pipe:
                pipe.write(json.dumps(answer).encode() + b"\n")

    async def supervise() -> None:
        await Supervisor(home).run(ready)

    if take_lock(home.serving.lock) is None:
        return 3
    try:
        asyncio.run(supervise())
    except TrainshedError as error:
        log.error("%s", error)
        ready({"fault": {"code": error.code, "what": error.what, "where": error.where, "remedy": error.remedy}})
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
