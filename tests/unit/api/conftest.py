"""A served API over a real unix socket: the real daemon's parts on a real record, with nothing dispatched."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest

from daemon.api.app import create_app
from daemon.api.server import ControlServer
from daemon.api.shed import Identity, Shed
from daemon.core import Daemon
from daemon.service import bind_socket, bind_tcp, prepare_home
from pipeline.config.load import load_project
from store.home import Home
from store.times import system_clock
from tui.client import Client

PROJECT = """
[project]
name = "shop"

[sources.orders]
kind = "file"
path = "orders.csv"
format = "csv"

[datasets.orders]
source = "orders"
key = ["id"]
time = "at"

[features.habits]
inputs = ["orders"]
entity = ["customer"]
time = "at"
ttl = "2d"

[models.late]
task = "binary"
dataset = "orders"
label = "late"
key = ["id"]
time = "at"
numeric = ["amount"]

[schedules.nightly]
job = "train:late"
cron = "30 2 * * *"
timezone = "Europe/Berlin"
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What asks a served API is left out by `make unit`: each test has a server of its own."""
    for item in items:
        if "served" in getattr(item, "fixturenames", ()) and "tests/unit/api" in str(item.path):
            item.add_marker(pytest.mark.slow)


TOKEN = "a-token-of-some-length"


@dataclass
class Served:
    """A server in a thread of its own, as the product builds it."""

    daemon: Daemon
    socket: Path
    url: str
    """Of the TCP listener."""
    stops: list[bool]
    """What was asked of it by `/v1/shutdown`: drain or not."""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "trainshed.toml").write_text(PROJECT)
    (folder / "orders.csv").write_text("id,at,customer,amount,late\n1,2026-01-01T00:00:00Z,a,3.5,0\n")
    return folder


@pytest.fixture
def served(project: Path) -> Iterator[Served]:
    home = Home(project / ".trainshed")
    prepare_home(home)
    daemon = Daemon(home, load_project(project), system_clock)
    sockets = [bind_socket(home.socket), bind_tcp("127.0.0.1:0")]
    stops: list[bool] = []
    identity = Identity(folder=project, release="0.1.0", pid=os.getpid(), started_at=system_clock())
    app = create_app(Shed(daemon, identity, stops.append), TOKEN)
    ready = threading.Event()
    running: list[tuple[asyncio.AbstractEventLoop, ControlServer]] = []

    async def serve() -> None:
        server = ControlServer(app)
        running.append((asyncio.get_running_loop(), server))
        await server.serve_when(ready.set, sockets)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(10)
    yield Served(daemon, home.socket, "http://{}:{}".format(*sockets[1].getsockname()), stops)
    daemon.record.release_waiters()
    loop, server = running[0]
    loop.call_soon_threadsafe(server.stop)
    thread.join()
    daemon.record.close()


@pytest.fixture
def daemon(served: Served) -> Daemon:
    return served.daemon


@pytest.fixture
def socket_path(served: Served) -> Path:
    return served.socket


@pytest.fixture
def stops(served: Served) -> list[bool]:
    return served.stops


@pytest.fixture
def client(served: Served) -> Iterator[Client]:
    with Client(served.socket) as client:
        yield client


@pytest.fixture
def http(served: Served) -> Iterator[httpx.Client]:
    """Bare HTTP over the socket."""
    with httpx.Client(
        transport=httpx.HTTPTransport(uds=str(served.socket), verify=False), base_url="http://shed", timeout=60
    ) as http:
        yield http


@pytest.fixture
def tcp(served: Served) -> Iterator[httpx.Client]:
    """Bare HTTP over TCP, without the token."""
    with httpx.Client(base_url=served.url, trust_env=False, verify=False, timeout=60) as http:
        yield http


@pytest.fixture
def token() -> str:
    return TOKEN
