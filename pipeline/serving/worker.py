"""A serving worker: `python -P -m pipeline.serving.worker HOME NUMBER DESCRIPTOR`, started by the supervisor.

It loads what the routing file names, warm and golden-checked, says that it is ready, and accepts when it is told to. If
its supervisor dies it goes on answering, and introduces itself to the next one, bringing the listening socket with it.
It knows neither the daemon nor the record, compiles nothing, and loads new versions in a thread of low priority.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import uvloop

from pipeline.features.online import OnlineFeatures
from pipeline.labels.box import LabelBox
from pipeline.process import procfs
from pipeline.serving import tally
from pipeline.serving.app import App
from pipeline.serving.batcher import Batcher
from pipeline.serving.channel import Json
from pipeline.serving.compilations import Compilations
from pipeline.serving.cores import pin
from pipeline.serving.desk import Desk, Limits
from pipeline.serving.executables import settle_jax
from pipeline.serving.gate import Gate
from pipeline.serving.guard import Guard, crowded
from pipeline.serving.inbox import Inbox
from pipeline.serving.journal import Journal, log_limits
from pipeline.serving.labelling import Labelling
from pipeline.serving.loaded import LoadedVersion
from pipeline.serving.loading import Loading
from pipeline.serving.lookups import Join, Lookups
from pipeline.serving.metrics import Facts, Metrics
from pipeline.serving.openfiles import make_room
from pipeline.serving.precedence import COMPUTING, come_first, step_back
from pipeline.serving.server import DataServer
from pipeline.serving.settings import ServingSettings
from pipeline.serving.shadowing import Shadowing
from pipeline.serving.shelf import Shelf
from pipeline.serving.sleeping import Sleeping
from pipeline.serving.tally import Tally
from pipeline.serving.tls import certificate_of
from pipeline.serving.workerline import WorkerLine
from store.home import Home

if TYPE_CHECKING:
    from pipeline.serving.rpc.server import RpcServer

TALLY_S: Final = 0.5
"""A worker that is killed takes with it what comparisons counted in such a span at most."""
_LOOK_S: Final = 1.0
"""Between two looks at files that may have changed."""
_BODIES: Final = 16
"""So many bodies of the largest size may be received at one moment."""
log = logging.getLogger(__name__)


class Worker:
    """Everything of one process; belongs to the thread of its event loop."""

    def __init__(self, home: Home, number: int, listener: socket.socket) -> None:
        self._home = home
        self._number = number
        self._listener = listener
        self._settings = settings = ServingSettings.read(home.serving.settings)
        self._compute = ThreadPoolExecutor(1, "compute", step_back, (COMPUTING,))
        self._shadows = ThreadPoolExecutor(1, "shadow", initializer=step_back)
        self._compilations = Compilations()
        self._metrics = Metrics()
        self._shelf = Shelf(self._batcher)
        self._loading = Loading(home, self._shelf, settings.largest_batch)
        self._line = WorkerLine(home.serving.control, listener, self._self, self._answer)
        self._rpc: RpcServer | None = None
        self._rpc_port: int | None = None
        self._loaded = False
        self._retiring = False
        self._accepting = asyncio.Event()
        self._ended = asyncio.Event()
        self._turn = asyncio.Lock()
        """Loads and switches come one after another."""
        self._journal = Journal(home.serving, log_limits(settings))
        self._tally = Tally(home.serving.tallies, self._journal.writer)
        self._labelling = Labelling(LabelBox(home.serving, settings.log_disk) if settings.labels else None)
        joins = {model: [Join(**one) for one in views] for model, views in settings.views.items()}
        self._desk = Desk(
            self._shelf,
            Limits(settings.most_rows, settings.timeout_s),
            self._metrics,
            self._journal,
            self._tally,
            Shadowing(self._metrics, self._journal, self._shadows),
            Lookups(OnlineFeatures(home.online), joins),
        )
        self._sleeping = Sleeping(
            self._shelf,
            self._desk.asked,
            self._turn,
            self._loading.read,
            queue_rows=settings.queue_rows,
            on_sleep=self._desk.let_go,
            on_cold=self._was_cold,
            on_woken=lambda: self._line.tell("woken"),
            clock=time.perf_counter,
        )
        self._gate = Gate(home.serving, settings.host)
        self._certificate = certificate_of(settings)
        inbox = Inbox(settings.most_body, _BODIES * settings.most_body)
        app = App(self._desk, inbox, self._labelling, self._all_facts)
        self._server = DataServer(
            app,
            inbox,
            admit=Guard(self._gate, self._metrics),
            most_connections=settings.most_connections,
            patience_s=settings.patience_s,
            drain_s=settings.drain_s,
            longest_wait_s=settings.longest_wait_s / 2,
            on_crowded=crowded(self._metrics, lambda: self._shelf.snapshot.routes),
            full=app.full,
            tls=self._certificate.context if self._certificate else None,
        )

    async def run(self) -> None:
        """From the first load to the last answer."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._drain)
        connected = asyncio.gather(self._line.keep(), self._keep_tally(), self._keep_looking())
        async with self._turn:
            await self._loading.switch(partly=True)
        self._compilations.count = 0
        self._loaded = True
        await self._line.tell("ready")
        await _first(self._accepting, self._ended)
        if not self._ended.is_set():
            come_first()
            gc.freeze()  # to look through all that is loaded takes 60 ms, in which nobody is heard, and frees nothing
            # A copy of the socket for the server, which closes what it is given; ours is for the next supervisor.
            await asyncio.gather(self._server.serve_sockets([self._listener.dup()]), self._end_rpc())
        await loop.run_in_executor(None, self._journal.close)
        await loop.run_in_executor(None, self._labelling.close)
        connected.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await connected
        tally.write(self._tally.pending())

    # -------------------------------------------------------------------------------------- the supervisor

    async def _keep_looking(self) -> None:
        """At the files of keys and certificate, for those who publish them while nobody supervises."""
        while True:
            self._gate.refresh()
            if self._certificate is not None:
                self._certificate.refresh()
            await asyncio.sleep(_LOOK_S)

    async def _answer(self, what: str, given: Json) -> Json:
        match what:
            case "load":
                return await self._load(given["model"], given["version"], given["digest"])
            case "switch":
                return await self._switch()
            case "forget":
                self._shelf.forget_unused()
            case "lacks":
                self._shelf.lacks(given["model"], given["version"], given["why"])
            case "uses":
                return {"uses": self._sleeping.uses()}
            case "rest":
                await self._sleeping.rest(given["sleep"], given["wake"], given["idle_s"])
            case "accept":
                self._accept(given["grpc_port"])
            case "keys":
                self._gate.refresh()
            case "retire":
                self._retire()
            case "drain":
                self._drain()
            case "facts":
                return self._facts()
        return self._self()

    def _self(self) -> dict[str, Any]:
        pid = os.getpid()
        ending = self._desk.draining or self._retiring
        state = "draining" if ending else "accepting" if self._accepting.is_set() else "ready"
        return {
            "number": self._number,
            "pid": pid,
            "created": procfs.start_ticks(pid),
            "state": state if self._loaded else "loading",
            "epoch": self._shelf.snapshot.epoch,
            "grpc_port": self._rpc_port,
            "settings": self._settings.fingerprint,
            "missing": self._missing(),
            "whole": self._shelf.ready(),
        }

    def _missing(self) -> dict[str, str]:
        return {f"{model} {version}": why for (model, version), why in self._shelf.missing.items()}

    def _accept(self, grpc_port: int | None) -> None:
        if self._accepting.is_set():
            return
        if grpc_port is not None:
            self._start_rpc(grpc_port)
        self._accepting.set()

    def _start_rpc(self, port: int) -> None:
        """gRPC is imported only where it is wanted: it takes 20 MB."""
        from pipeline.serving.rpc.server import RpcServer

        self._rpc = RpcServer(self._desk, self._gate, most_body=self._settings.most_body, certificate=self._certificate)
        try:
            self._rpc_port = self._rpc.start(self._settings.host, port)
        except RuntimeError as error:
            log.error("gRPC cannot be served at port %d: %s", port, error)

    async def _end_rpc(self) -> None:
        """When it drains, at the same time as HTTP does."""
        await self._ended.wait()
        if self._rpc is not None:
            await self._rpc.stop(self._settings.drain_s)

    def _retire(self) -> None:
        """Ends when all clients have gone elsewhere; to them nothing happens."""
        self._retiring = True
        self._ended.set()
        self._server.retire()

    def _drain(self) -> None:
        """No new connections; ends when what is under way is answered."""
        self._desk.draining = True
        self._ended.set()
        self._server.drain()

    # ------------------------------------------------------------------------------------------- versions

    async def _load(self, model: str, version: int, digest: str) -> Json:
        """Makes a version ready for a snapshot that will name it."""
        async with self._turn:
            await self._sleeping.bring(model, hurry=False)
            self._desk.asked[model] = time.perf_counter()
            await self._loading.put(model, version, digest)
        return self._self()

    async def _switch(self) -> Json:
        """Puts the published snapshot in force; if something of it cannot be had, the old one stays. Raises Refused."""
        async with self._turn:
            await self._loading.switch(partly=False)
        return self._self()

    def _batcher(self, model: str, version: int, loaded: LoadedVersion) -> Batcher:
        label = str(version)
        return Batcher.of(
            loaded,
            queue_rows=self._settings.queue_rows,
            longest_wait_s=self._settings.longest_wait_s / 2,
            thread=self._compute,
            on_batch=lambda batch: self._metrics.batch(model, label, batch),
        )

    def _was_cold(self, model: str, seconds: float) -> None:
        self._metrics.cold_start(model, seconds, time.time())

    # -------------------------------------------------------------------------------------------- numbers

    async def _keep_tally(self) -> None:
        """What is counted of comparisons is on disk soon: they are judged by it."""
        while True:
            await asyncio.sleep(TALLY_S)
            if files := self._tally.pending():
                await asyncio.get_running_loop().run_in_executor(None, tally.write, files)
            self._tally.keep_only({route.comparison for route in self._shelf.snapshot.routes.values()})

    async def _all_facts(self) -> Sequence[Facts]:
        """Of all workers, if there is somebody who knows them."""
        known = await self._line.ask("facts")
        return [self._facts()] if known is None else list(known["workers"])

    def _facts(self) -> dict[str, Any]:
        return {
            "worker": str(self._number),
            "epoch": self._shelf.snapshot.epoch,
            "waiting_rows": sum(seat.batcher.waiting_rows for seat in self._shelf.seats.values()),
            "waiting": [[seat.model, seat.label, seat.batcher.waiting_rows] for seat in self._shelf.seats.values()],
            "connections": self._server.connections,
            "resident": sum(not seat.asleep for seat in self._shelf.seats.values()),
            "asleep": [[model, 1] for model in self._sleeping.asleep],
            "ready": int(self._shelf.ready() and not self._desk.draining),
            "loop_lag": self._server.lag_s,
            "compilations": self._compilations.count,
            "missing": self._missing(),
            **self._metrics.facts(),
            **self._journal.facts(),
            **self._labelling.facts(),
        }


async def _first(*events: asyncio.Event) -> None:
    tasks = [asyncio.ensure_future(event.wait()) for event in events]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()


def main() -> None:
    home, number, descriptor = Home(Path(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3])
    logging.basicConfig(level=logging.INFO, format=f"%(asctime)s worker {number} %(levelname)s %(message)s")
    logging.getLogger("jax").setLevel(logging.WARNING)
    if cores := ServingSettings.read(home.serving.settings).cores:
        with contextlib.suppress(OSError):  # none of them is there now: better to answer on others than not at all
            pin(cores)
    make_room()
    settle_jax()

    async def work() -> None:
        await Worker(home, number, socket.socket(fileno=descriptor)).run()

    uvloop.run(work())
    logging.shutdown()
    os._exit(0)  # threads of libraries must not hold up the end


if __name__ == "__main__":
    main()
