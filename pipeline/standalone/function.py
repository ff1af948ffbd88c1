"""A version as a function of AWS Lambda: an event of API Gateway in, an answer out, by the app that endpoints have.

The export's handler.py opens it when it is imported: that is the cold start, and every event afterwards finds it ready.
"""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pipeline.serving.executables import settle_jax
from pipeline.serving.refusal import Refusal
from pipeline.serving.request import Request
from pipeline.standalone.door import Door
from pipeline.standalone.gateway import Asked, Event, answer_of, request_of
from pipeline.standalone.provenance import read_provenance
from pipeline.standalone.settings import settings_of
from pipeline.standalone.version import load_exported


class Function:
    """A version and the event loop that its answers are made in; one event at a time."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        """Raises BundleDamaged, GoldenMismatch, ProjectError."""
        settings = settings_of(environ, largest_batch=8)
        provenance = read_provenance(folder)
        loaded = load_exported(folder, provenance, settings.largest_batch)
        self._loop = asyncio.new_event_loop()
        self._compute = ThreadPoolExecutor(1, "compute")

        async def opened() -> Door:
            return Door(loaded, provenance, settings, self._compute)

        self._door = self._loop.run_until_complete(opened())

    def __call__(self, event: Event, context: Any) -> dict[str, Any]:
        """`context` is Lambda's; nothing of it is needed."""
        try:
            asked = request_of(event)
        except Refusal as refusal:
            return answer_of(refusal.status, [(b"content-type", b"application/json")], refusal.body())
        return self._loop.run_until_complete(self._answer(asked))

    def close(self) -> None:
        self._loop.close()
        self._compute.shutdown()

    async def _answer(self, asked: Asked) -> dict[str, Any]:
        request = Request(asked.method, asked.path, dict(asked.headers), time.perf_counter(), asked.body)
        answer = await self._door.app(request)
        assert answer is not None  # its client waits
        return answer_of(answer.status, [(b"content-type", answer.kind), *answer.more], answer.body)


def opened(folder: Path) -> Function:
    """The version that was exported to `folder`. Raises as `Function` does."""
    settle_jax()
    return Function(folder, os.environ)
