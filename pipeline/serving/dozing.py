"""Stands for the batcher of a version that is asleep: requests wait until it is loaded, as long as their time lasts.

The first one has it loaded, the others wait for the same load. As in a batcher, what waits is bounded in rows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from pipeline.serving.batcher import Batcher
from pipeline.serving.loaded import Scores
from pipeline.serving.refusal import TOO_LATE, Refusal, busy
from pipeline.versions.signature import Categorical, Numeric


class Dozing:
    """Of one version; belongs to the thread of its event loop."""

    def __init__(
        self, wake: Callable[[], Awaitable[Batcher]], *, queue_rows: int, on_cold: Callable[[float], None]
    ) -> None:
        """`wake`: has the version loaded, once for all who call it; raises Refusal.

        `on_cold` hears what the first request waited for its answer, in seconds. `queue_rows`: more rows do not wait.
        """
        self._wake = wake
        self._queue_rows = queue_rows
        self._on_cold = on_cold
        self._rows = 0
        self._woken = False

    @property
    def waiting_rows(self) -> int:
        return self._rows

    def turns_away(self) -> bool:
        return self._rows >= self._queue_rows

    async def scores(self, numeric: Numeric, categorical: Categorical, timeout_s: float) -> Scores:
        """As of `Batcher`, once it is there. Raises Refusal: 503 when it cannot be, 504 when the time is over first."""
        rows = len(numeric)
        if self._rows and self._rows + rows > self._queue_rows:
            raise busy(f"{self._rows} rows are waiting already for the model to be loaded")
        loop = asyncio.get_running_loop()
        began, first = loop.time(), not self._woken
        self._woken = True
        batcher = await self._woken_batcher(rows, timeout_s)
        scores = await batcher.scores(numeric, categorical, timeout_s - (loop.time() - began))
        if first:
            self._on_cold(loop.time() - began)
        return scores

    async def _woken_batcher(self, rows: int, timeout_s: float) -> Batcher:
        self._rows += rows
        # Of a task of its own: those who wait here need not be in one.
        wake = asyncio.ensure_future(self._wake())
        try:
            done, _ = await asyncio.wait((wake,), timeout=timeout_s)
            if not done:
                raise Refusal(TOO_LATE, "the request's time was over before its model was loaded again")
            return wake.result()
        finally:
            wake.cancel()
            self._rows -= rows
