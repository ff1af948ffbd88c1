"""Work for one caller, in a thread, that ends when the caller goes away."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Final

from anyio import to_thread
from fastapi import Request
from fastapi.responses import Response

from store.patience import Stopped
from store.wire import Wire

_GONE: Final = 499
"""Nobody reads it; nginx's number for a client that closed the connection."""


async def while_asked(request: Request, work: Callable[[Callable[[], bool]], Wire]) -> Response:
    """The answer of `work(stop)` as JSON, made in the thread too.

    `stop()` becomes true when the caller has closed the connection, as one does who typed on; `work` raises Stopped.
    """
    gone = threading.Event()

    def answer() -> Response:
        try:
            return Response(work(gone.is_set).model_dump_json(), media_type="application/json")
        except Stopped:
            return Response(status_code=_GONE)

    watch = asyncio.create_task(_watch(request, gone))
    try:
        return await to_thread.run_sync(answer)
    finally:
        watch.cancel()


async def _watch(request: Request, gone: threading.Event) -> None:
    while (await request.receive())["type"] != "http.disconnect":
        pass
    gone.set()
