"""The program of an exported container: `python -P -m pipeline.standalone.serve FOLDER`.

FOLDER holds provenance.json and the sealed model. It listens once the golden rows came back, and ends on SIGTERM when
the requests in hand are answered.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import uvloop

from pipeline.serving.executables import settle_jax
from pipeline.serving.listening import listen_at
from pipeline.serving.loaded import LoadedVersion
from pipeline.serving.openfiles import make_room
from pipeline.serving.precedence import COMPUTING, come_first, step_back
from pipeline.serving.server import DataServer
from pipeline.serving.settings import ServingSettings
from pipeline.standalone.door import Door
from pipeline.standalone.provenance import Provenance, read_provenance
from pipeline.standalone.settings import settings_of
from pipeline.standalone.version import load_exported
from store.errors import TrainshedError


def main() -> int:
    began = time.monotonic()
    make_room()
    settle_jax()
    try:
        folder, settings = Path(sys.argv[1]), settings_of(os.environ, host="0.0.0.0", largest_batch=64)
        provenance = read_provenance(folder)
        loaded = load_exported(folder, provenance, settings.largest_batch)
        uvloop.run(_serve(loaded, provenance, settings, began))
    except TrainshedError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    return 0


async def _serve(loaded: LoadedVersion, provenance: Provenance, settings: ServingSettings, began: float) -> None:
    with ThreadPoolExecutor(1, "compute", step_back, (COMPUTING,)) as compute:
        door = Door(loaded, provenance, settings, compute)
        server = DataServer(
            door.app,
            door.inbox,
            most_connections=settings.most_connections,
            patience_s=settings.patience_s,
            drain_s=settings.drain_s,
            longest_wait_s=settings.longest_wait_s / 2,
            on_crowded=door.on_crowded,
        )
        door.server = server
        _on_signals(lambda: _drain(door, server))
        listener = listen_at(settings.host, settings.port)
        _say(listener.getsockname(), loaded, provenance, time.monotonic() - began)
        come_first()
        gc.freeze()  # to look through all that is loaded takes 60 ms, in which nobody is heard, and frees nothing
        await server.serve_sockets([listener])


def _drain(door: Door, server: DataServer) -> None:
    door.desk.draining = True
    server.drain()


def _on_signals(act: Callable[[], None]) -> None:
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, act)


def _say(address: tuple[Any, ...], loaded: LoadedVersion, provenance: Provenance, seconds: float) -> None:
    """One line that a person and a log collector can read."""
    said = {
        "ready": True,
        "model": provenance.model,
        "version": provenance.version,
        "digest": provenance.digest,
        "host": address[0],
        "port": address[1],
        "golden_difference": loaded.difference,
        "seconds": round(seconds, 3),
    }
    print(json.dumps(said), flush=True)


if __name__ == "__main__":
    sys.exit(main())
