"""`/v1/runs/{run}/logs/{stream}`: what a run printed, by offset, and as it grows."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Final, Literal

from anyio import to_thread
from fastapi import Query, Request
from fastapi.responses import Response

from daemon.api.asked import while_asked
from daemon.api.part import part
from daemon.api.shed import Here, RunId, Shed
from daemon.logpattern import pattern
from daemon.logs import MOST, read_log
from daemon.logsearch import Text, find
from store import queue
from store.wire import LogChunk, LogHit
from store.words import ENDED

router = part("logs")
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


@router.get("/runs/{run}/logs/{stream}/search", response_model=LogHit)
async def search(
    shed: Here,
    request: Request,
    run: RunId,
    stream: Literal["stdout", "stderr"],
    text: Annotated[str, Query(min_length=1, max_length=1000, description="What is looked for.")],
    start: Annotated[
        int | None, Query(alias="from", ge=0, description="Byte to begin at; else the beginning or end.")
    ] = None,
    direction: Annotated[
        Literal["forward", "backward"], Query(description="backward: the nearest before.")
    ] = "forward",
    ignore_case: Annotated[bool, Query(description="Take A to Z for a to z.")] = False,
    regex: Annotated[
        bool, Query(description="The text is a pattern (RE2), for lines; else it is as it stands.")
    ] = False,
    attempt: Annotated[int | None, Query(ge=1, description="Of this try; else of the last.")] = None,
) -> Response:
    """The next line of the log that holds a text. Go on from the byte after its `offset`, or backward from `offset`."""

    def look(stop: Callable[[], bool]) -> LogHit:
        log, _ = _where(shed, run, stream, attempt)
        wanted = pattern(text, ignore_case=ignore_case) if regex else Text(text.encode(), ignore_case)
        return find(log, wanted, start, backward=direction == "backward", stop=stop)

    return await while_asked(request, look)


def _read(shed: Shed, run: int, stream: str, offset: int, limit: int, attempt: int | None) -> LogChunk:
    log, state = _where(shed, run, stream, attempt)
    return read_log(log, offset, limit).model_copy(update={"ended": state in ENDED})


def _where(shed: Shed, run: int, stream: str, attempt: int | None) -> tuple[Path, str]:
    """The file, and the run's state. That is read first: what an ended run printed is then in the file for certain."""
    with shed.daemon.record.read() as session:
        row = queue.get_run(session, run)
    folder = shed.daemon.home.attempt(run, attempt or row.attempt)
    return (folder.stdout if stream == "stdout" else folder.stderr), row.state
