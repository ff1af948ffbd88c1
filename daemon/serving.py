"""The life of a started daemon: ready, serving, told to stop (once, twice, or after the runs), gone."""

from __future__ import annotations

import asyncio
import logging
import signal
import socket
from collections.abc import Callable, Sequence

from daemon.api import wanting
from daemon.api.app import create_app
from daemon.api.server import ControlServer
from daemon.api.shed import Identity, Shed
from daemon.core import Daemon
from daemon.watchman import Watchman

log = logging.getLogger(__name__)
_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Serving:
    """Everything that happens in the event loop. The work itself is in the daemon's own threads."""

    def __init__(self, daemon: Daemon, identity: Identity, token: str | None, sockets: Sequence[socket.socket]) -> None:
        self._daemon = daemon
        shed = Shed(daemon, identity, self.stop)
        self._server = ControlServer(create_app(shed, token))
        self._watchman = Watchman(
            daemon.record, lambda: daemon.project.alerts, lambda: wanting.seen(shed), daemon.clock
        )
        self._sockets = list(sockets)
        self._draining: asyncio.Task[None] | None = None
        self._told = 0

    async def run(self, on_ready: Callable[[], None]) -> None:
        """Starts the daemon, serves until told to stop, stops the daemon. Runs go on without it."""
        loop = asyncio.get_running_loop()
        for number in _SIGNALS:
            loop.add_signal_handler(number, self._on_signal, signal.Signals(number).name)
        await asyncio.to_thread(self._daemon.start)
        self._watchman.start()
        try:
            await self._server.serve_when(on_ready, self._sockets)
        finally:
            await asyncio.to_thread(self._watchman.stop)
            await asyncio.to_thread(self._daemon.stop, False)

    def stop(self, drain: bool) -> None:
        """Begins the end; with `drain` only after the last run has ended. Called in the event loop."""
        if drain and self._draining is None and not self._told:
            self._draining = asyncio.get_running_loop().create_task(self._drain())
        elif not drain:
            self._end("asked over the API")

    def _on_signal(self, name: str) -> None:
        self._end(name)

    def _end(self, why: str) -> None:
        """The first time requests in hand are answered; the second time nothing is waited for; the third is death."""
        self._told += 1
        log.info("the daemon stops (%s)", why, extra={"action": "daemon_stopping", "told": self._told})
        self._daemon.record.release_waiters()
        self._server.stop(at_once=self._told > 1)
        if self._told > 1:
            for number in _SIGNALS:
                asyncio.get_running_loop().remove_signal_handler(number)

    async def _drain(self) -> None:
        log.info("the daemon drains: no run is started any more", extra={"action": "daemon_draining"})
        await asyncio.to_thread(self._daemon.drain)
        if not self._told:
            self._end("drained")
