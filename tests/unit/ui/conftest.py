"""The terminal UI over the real API on a real unix socket, with a small fixed history behind it."""

from __future__ import annotations

import asyncio
import shutil
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from daemon.api.app import create_app
from daemon.api.server import ControlServer
from daemon.api.shed import Identity, Shed
from daemon.core import Daemon
from daemon.service import bind_socket, prepare_home
from pipeline.config.load import load_project
from store.engine import Record
from store.home import Home
from tests.unit.ui import watching
from tests.unit.ui.history import History
from tests.unit.ui.moments import NOW, Hand
from tests.unit.ui.shop import ORDERS_CSV, PROJECT
from tui.app import ShedApp
from tui.client import Client
from tui.settings import UiSettings

MakeApp = Callable[..., ShedApp]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What opens the UI over a served API takes a second and more: it is left out by `make unit`."""
    for item in items:
        if {"shed", "empty_shed", "watched"} & set(getattr(item, "fixturenames", ())) and "tests/unit/ui" in str(
            item.path
        ):
            item.add_marker(pytest.mark.slow)


class Slow:
    """The API before which everything but the stream of changes waits while `holds`: a daemon that is busy."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.holds = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        while self.holds and not scope["path"].startswith("/v1/changes"):
            await asyncio.sleep(0.01)
        await self._app(scope, receive, send)


@dataclass
class Served:
    """A daemon's parts and its API in a thread; nothing is dispatched."""

    daemon: Daemon
    clock: Hand
    socket: Path
    stop: Callable[[], None]
    """The daemon goes away, as seen from outside."""
    slow: Slow

    @property
    def record(self) -> Record:
        return self.daemon.record

    @property
    def home(self) -> Home:
        return self.daemon.home


@pytest.fixture
def anyio_backend() -> str:
    """What async tests run in; Textual knows asyncio only."""
    return "asyncio"


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project folder with the whole history, written once; each test has a copy of its own."""
    folder = _project(tmp_path_factory.mktemp("written"))
    clock = Hand()
    daemon = Daemon(Home(folder / ".trainshed"), load_project(folder), clock)
    History(daemon, clock).write()
    daemon.record.close()
    return folder


@pytest.fixture(scope="session")
def written_watched(written: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with three monitors, two of which have looked (tests/unit/ui/watching.py)."""
    folder = _copy(written, tmp_path_factory.mktemp("watched") / "shop")
    (folder / "trainshed.toml").write_text(PROJECT + watching.PROJECT)
    clock = Hand()
    daemon = Daemon(Home(folder / ".trainshed"), load_project(folder), clock)
    watching.write(daemon, clock)
    daemon.record.close()
    return folder


def _copy(folder: Path, to: Path) -> Path:
    shutil.copytree(folder, to, ignore=lambda _, names: {"ballast"} & set(names))
    return to


@pytest.fixture
def empty_shed(tmp_path: Path) -> Iterator[Served]:
    """A project in which nothing has happened yet."""
    yield from _serve(_project(tmp_path))


@pytest.fixture
def shed(written: Path, tmp_path: Path) -> Iterator[Served]:
    """The history of tests/unit/ui/history.py, served."""
    yield from _serve(_copy(written, tmp_path / "shop"))


@pytest.fixture
def watched(written_watched: Path, tmp_path: Path) -> Iterator[Served]:
    """The same with monitors."""
    yield from _serve(_copy(written_watched, tmp_path / "shop"))


@pytest.fixture
def make_watched(watched: Served, tmp_path: Path) -> MakeApp:
    return _maker(watched, tmp_path)


@pytest.fixture
def client(shed: Served) -> Iterator[Client]:
    with Client(shed.socket) as client:
        yield client


@pytest.fixture
def make_app(shed: Served, tmp_path: Path) -> MakeApp:
    """`make_app("runs", theme="light")`: the UI on the history, standing at NOW, times in UTC."""
    return _maker(shed, tmp_path)


@pytest.fixture
def make_empty_app(empty_shed: Served, tmp_path: Path) -> MakeApp:
    return _maker(empty_shed, tmp_path)


def _maker(served: Served, tmp_path: Path) -> MakeApp:
    def make(start: str = "runs", *, environ: dict[str, str] | None = None, **settings: Any) -> ShedApp:
        return ShedApp(
            connect=lambda: Client(served.socket),
            title="shop@box",
            settings=UiSettings(utc=True, **settings),
            environ=environ or {},
            copies=tmp_path / "copies",
            now=lambda: NOW,
            start=start,
        )

    return make


def _project(above: Path) -> Path:
    folder = above / "shop"
    folder.mkdir()
    (folder / "trainshed.toml").write_text(PROJECT)
    (folder / "orders.csv").write_text(ORDERS_CSV)
    prepare_home(Home(folder / ".trainshed"))
    return folder


def _serve(folder: Path) -> Iterator[Served]:
    home, clock = Home(folder / ".trainshed"), Hand()
    daemon = Daemon(home, load_project(folder), clock)
    identity = Identity(folder=folder, release="0.1.0", pid=4_000, started_at=NOW)
    sockets = [bind_socket(home.socket)]
    slow = Slow(create_app(Shed(daemon, identity, lambda drain: None)))
    ready = threading.Event()
    running: list[tuple[asyncio.AbstractEventLoop, ControlServer]] = []

    async def serve() -> None:
        server = ControlServer(slow)
        running.append((asyncio.get_running_loop(), server))
        await server.serve_when(ready.set, sockets)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(10)

    def stop() -> None:
        slow.holds = False
        if thread.is_alive():
            home.socket.unlink(missing_ok=True)  # first: who finds it and is refused leaks a socket in httpcore
            daemon.record.release_waiters()
            loop, server = running[0]
            loop.call_soon_threadsafe(server.stop)
            thread.join()

    yield Served(daemon, clock, home.socket, stop, slow)
    stop()
    daemon.record.close()
