"""`/v1/runs/{run}/logs/{stream}`: what a run printed, by offset, and as it grows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final, Literal

from anyio import to_thread
from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from daemon.api.asked import while_asked
from daemon.api.shed import Here, RunId, Shed
from daemon.logs import MOST, read_log
from daemon.logsearch import search_log
from store import queue
from store.wire import LogChunk, LogHits
from store.words import ENDED

router = APIRouter(tags=["logs"])
_LOOK_SECONDS: Final = 0.1
"""Between two looks at a log that is followed. Logs are files: nobody announces their growth."""


@router.get("/runs/{run}/logs/{stream}")
async def log(
    shed: Here,
    request: Request,
    run: RunId,
    stream: Literal["stdout", "stderr"],
    offset: Annotated[int, Query(description="Bytes from the beginning; negative: from the end.")] = 0,
    limit: Annotated[int, Query(ge=1, le=MOST)] = MOST,
    attempt: Annotated[int | None, Query(ge=1, description="Of this try; else of the last.")] = None,
    follow: Annotated[float, Query(ge=0, le=60, description="Seconds to wait for more than there is.")] = 0.0,
) -> LogChunk:
    """A piece of the log. Ask again from its `offset`; `ended` says that nothing will be added."""
    chunk = await to_thread.run_sync(_read, shed, run, stream, offset, limit, attempt)
    left = follow
    while left > 0 and not chunk.text and not chunk.ended and not await request.is_disconnected():
        await asyncio.sleep(_LOOK_SECONDS)
        left -= _LOOK_SECONDS
        chunk = await to_thread.run_sync(_read, shed, run, stream, offset, limit, attempt)
    return chunk


@router.get("/runs/{run}/logs/{stream}/search", response_model=LogHits)
async def search(
    shed: Here,
    request: Request,
    run: RunId,
    stream: Literal["stdout", "stderr"],
    q: Annotated[str, Query(min_length=1, max_length=500, description="A text; its case counts if it has capitals.")],
    offset: Annotated[int, Query(ge=0, description="Where to begin.")] = 0,
    backwards: bool = False,
    limit: Annotated[int, Query(ge=1, le=1000)] = 1,
    attempt: Annotated[int | None, Query(ge=1, description="Of this try; else of the last.")] = None,
) -> Response:
    """Where a text stands in the log. A part of a long log at a time: ask again from `next`."""

    def find(stop: Callable[[], bool]) -> LogHits:
        return search_log(_file(shed, run, stream, attempt), q, offset, backwards=backwards, limit=limit, stop=stop)

    return await while_asked(request, find)


def _file(shed: Shed, run: int, stream: str, attempt: int | None) -> Path:
    with shed.daemon.record.read() as session:
        row = queue.get_run(session, run)
    folder = shed.daemon.home.attempt(run, attempt or row.attempt)
    return folder.stdout if stream == "stdout" else folder.stderr


def _read(shed: Shed, run: int, stream: str, offset: int, limit: int, attempt: int | None) -> LogChunk:
    # The state is read before the file: what an ended run printed is then in the file for certain.
    with shed.daemon.record.read() as session:
        row = queue.get_run(session, run)
    folder = shed.daemon.home.attempt(run, attempt or row.attempt)
    chunk = read_log(folder.stdout if stream == "stdout" else folder.stderr, offset, limit)
    return chunk.model_copy(update={"ended": row.state in ENDED})
