"""A worker's door in a thread of this process: the real server, app and batchers over a real socket."""

from __future__ import annotations

import asyncio
import os
import shutil
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvloop

from pipeline.features.online import OnlineFeatures
from pipeline.labels.box import LabelBox
from pipeline.predictions.log import Limits as LogLimits
from pipeline.serving.app import App
from pipeline.serving.batcher import Batcher
from pipeline.serving.desk import Desk, Limits
from pipeline.serving.gate import Gate
from pipeline.serving.guard import Guard, crowded
from pipeline.serving.inbox import Inbox
from pipeline.serving.journal import Journal
from pipeline.serving.labelling import Labelling
from pipeline.serving.listening import listening_socket
from pipeline.serving.loaded import LoadedVersion
from pipeline.serving.lookups import Join, Lookups
from pipeline.serving.metrics import Metrics
from pipeline.serving.rpc.server import RpcServer
from pipeline.serving.server import DataServer
from pipeline.serving.shadowing import Shadowing
from pipeline.serving.shelf import Shelf
from pipeline.serving.tally import Tally
from pipeline.serving.tls import Certificate
from store.home import ServingDir
from store.routing import Snapshot

MOST_BODY = 100_000


@dataclass
class Door:
    """What tests do to it from outside the loop."""

    host: str
    port: int
    loop: asyncio.AbstractEventLoop
    server: DataServer
    shelf: Shelf
    desk: Desk
    metrics: Metrics
    tally: Tally
    shadows: ThreadPoolExecutor
    """The thread that runs shadows."""
    gate: Gate
    grpc_port: int
    online: Path

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}"

    def client(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, trust_env=False, timeout=20, verify=False)

    def within(self, act: Callable[[], None]) -> None:
        """In the loop's thread, and done when this returns."""
        done = threading.Event()

        def do() -> None:
            act()
            done.set()

        self.loop.call_soon_threadsafe(do)
        assert done.wait(20)

    def put(self, model: str, version: int, loaded: LoadedVersion) -> None:
        self.within(lambda: self.shelf.put(model, version, loaded))

    def switch(self, snapshot: Snapshot) -> None:
        self.within(lambda: self.shelf.switch(snapshot))

    def connect(self) -> socket.socket:
        connection = socket.create_connection((self.host, self.port), 20)
        connection.settimeout(20)
        return connection


@contextmanager
def opened(
    loaded: Mapping[tuple[str, int], LoadedVersion],
    snapshot: Snapshot,
    *,
    patience_s: float = 20.0,
    unread: int | None = None,
    most_connections: int = 1000,
    queue_rows: int = 10_000,
    longest_wait_s: float = 0.1,
    slow: bool = False,
    log: Path | None = None,
    folder: Path | None = None,
    host: str = "127.0.0.1",
    certificate: Certificate | None = None,
    joins: Mapping[str, Sequence[Join]] | None = None,
) -> Iterator[Door]:
    """Serving `loaded` by `snapshot` until the block ends. `log`: the folder below which predictions are logged;
    `folder`: with the keys; `joins`: for entities, looked up in the door's `online`; `unread`: bytes that the system
    keeps of an answer that nobody reads."""
    listener = listening_socket(host, 0)
    if unread is not None:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, unread)
    host, port = listener.getsockname()
    made: list[Door] = []
    ready = threading.Event()
    pool, shadows = ThreadPoolExecutor(1), ThreadPoolExecutor(1)
    scratch = Path(tempfile.mkdtemp())

    async def serve() -> None:
        metrics = Metrics()
        journal = Journal(ServingDir(log or Path(os.devnull)), LogLimits() if log else None)
        labelling = Labelling(LabelBox(ServingDir(log), 10_000_000) if log else None)

        def batcher(model: str, version: int, one: LoadedVersion) -> Batcher:
            return Batcher(
                one.run,
                expected_s=(lambda rows: 1.0) if slow else one.expected_seconds,
                largest=one.largest,
                queue_rows=queue_rows,
                thread=pool,
                on_batch=lambda batch: metrics.batch(model, str(version), batch),
            )

        async def facts() -> list[dict[str, Any]]:
            gauges = {"epoch": 1, "waiting_rows": 0, "connections": 1, "resident": 1, "ready": 1, "loop_lag": 0.0}
            return [
                {"worker": "1", **gauges, "compilations": 0, **metrics.facts(), **journal.facts(), **labelling.facts()}
            ]

        shelf = Shelf(batcher)
        for (model, version), one in loaded.items():
            shelf.put(model, version, one)
        shelf.switch(snapshot)
        lookups = Lookups(OnlineFeatures(lambda view: scratch / view), joins or {})
        tally = Tally(ServingDir(log or Path(os.devnull)).tallies, journal.writer)
        desk = Desk(shelf, Limits(500, 5.0), metrics, journal, tally, Shadowing(metrics, journal, shadows), lookups)
        gate = Gate(ServingDir(folder or scratch), host)
        inbox = Inbox(MOST_BODY, 10 * MOST_BODY)
        app = App(desk, inbox, labelling, facts)
        server = DataServer(
            app,
            inbox,
            admit=Guard(gate, metrics),
            most_connections=most_connections,
            patience_s=patience_s,
            drain_s=5,
            longest_wait_s=longest_wait_s,
            on_crowded=crowded(metrics, lambda: shelf.snapshot.routes),
            full=app.full,
            tls=certificate.context if certificate else None,
        )
        rpc = RpcServer(desk, gate, most_body=MOST_BODY, certificate=certificate)
        grpc_port = rpc.start(host, 0)
        loop = asyncio.get_running_loop()
        made.append(Door(host, port, loop, server, shelf, desk, metrics, tally, shadows, gate, grpc_port, scratch))
        ready.set()
        await server.serve_sockets([listener])
        await rpc.stop(5.0)
        gate.close()
        journal.close()
        labelling.close()

    thread = threading.Thread(target=lambda: uvloop.run(serve()))
    thread.start()
    assert ready.wait(20)
    try:
        yield made[0]
    finally:
        made[0].loop.call_soon_threadsafe(made[0].server.drain)
        thread.join()
        pool.shutdown()
        shadows.shutdown()
        shutil.rmtree(scratch)
