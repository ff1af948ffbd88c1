"""What is asked of the daemon about runs: their lists, curves, logs, and what is done to one.

A part of `tui.client.Client`, apart from it only to keep both short.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from urllib.parse import quote

from store.wire import (
    CompareView,
    CountView,
    LogChunk,
    LogHit,
    MetricSeries,
    Page,
    ResourcePoint,
    RunDetail,
    RunRequest,
    RunView,
    SparkView,
    Window,
)
from tui.connection import POLL_SECONDS
from tui.log.needle import PREFIX
from tui.views import Views, written


class RunCalls(Views):
    """One method a route, as in the client."""

    def submit(self, request: RunRequest) -> RunView:
        return self._post(RunView, "/runs", request)

    def runs(
        self, *, job: str | None = None, state: str | None = None, limit: int = 50, after: str | None = None
    ) -> Page[RunView]:
        """Newest first; `after` is the `next` of the page before."""
        return self._get(Page[RunView], "/runs", job=job, state=state, limit=limit, after=after)

    def run_window(self, q: str = "", *, sort: str = "-id", offset: int = 0, limit: int = 128) -> Window[RunView]:
        """Runs number `offset` to `offset + limit - 1` of those that the filter leaves over, in the order of `sort`."""
        return self._get(Window[RunView], "/runs/window", q=q, sort=sort, offset=offset, limit=limit)

    def count_runs(self, q: str = "", *, sort: str = "-id") -> int:
        """How many there are, also where a window leaves its total out."""
        return self._get(CountView, "/runs/count", q=q, sort=sort).count

    def sparks(self, runs: Sequence[int], *, points: int = 16) -> list[SparkView]:
        """The objective of each run in a few values; runs that have measured nothing are left out."""
        return self._get(Page[SparkView], "/runs/sparks", ids=list(runs), points=points).items

    def run(self, run: int, *, at: datetime | None = None) -> RunDetail:
        """With `at`, as it was then."""
        return self._get(RunDetail, f"/runs/{run}", at=written(at))

    def cancel(self, run: int) -> RunView:
        return self._post(RunView, f"/runs/{run}/cancel")

    def retry(self, run: int) -> RunView:
        return self._post(RunView, f"/runs/{run}/retry")

    def compare(self, runs: Sequence[int]) -> CompareView:
        return self._get(CompareView, "/runs/compare", ids=list(runs))

    def metric(
        self, run: int, name: str, *, points: int = 500, since_step: int | None = None, at: datetime | None = None
    ) -> MetricSeries:
        """At most `points` points, of those after `since_step`; peaks survive the thinning. With `at`, up to then."""
        path = f"/runs/{run}/metrics/{quote(name, safe='')}"
        return self._get(MetricSeries, path, points=points, since_step=since_step, at=written(at))

    def resources(self, run: int, *, at: datetime | None = None) -> list[ResourcePoint]:
        return self._get(Page[ResourcePoint], f"/runs/{run}/resources", at=written(at)).items

    def log(
        self,
        run: int,
        stream: str,
        *,
        offset: int = 0,
        attempt: int | None = None,
        wait: float = 0.0,
        limit: int | None = None,
    ) -> LogChunk:
        """At most `limit` bytes from `offset`; with `wait`, the daemon waits so long for more than there is."""
        return self._get(
            LogChunk, f"/runs/{run}/logs/{stream}", offset=offset, attempt=attempt, follow=wait, limit=limit
        )

    def search_log(
        self,
        run: int,
        stream: str,
        text: str,
        *,
        start: int | None = None,
        backward: bool = False,
        ignore_case: bool = False,
        attempt: int | None = None,
    ) -> LogHit:
        """The next line that holds `text` (`re:` begins a pattern), from byte `start`; or backward the last before."""
        return self._get(
            LogHit,
            f"/runs/{run}/logs/{stream}/search",
            text=text.removeprefix(PREFIX),
            regex=text.startswith(PREFIX),
            direction="backward" if backward else "forward",
            ignore_case=ignore_case,
            attempt=attempt,
            **{"from": start},
        )

    def whole_log(self, run: int, stream: str, *, attempt: int | None = None) -> LogChunk:
        """Everything that the log holds now."""
        chunk = self.log(run, stream, attempt=attempt)
        texts = [chunk.text]
        while chunk.offset < chunk.size and chunk.text:
            chunk = self.log(run, stream, offset=chunk.offset, attempt=attempt)
            texts.append(chunk.text)
        return chunk.model_copy(update={"text": "".join(texts)})

    def follow(self, run: int, stream: str, *, attempt: int | None = None) -> Iterator[LogChunk]:
        """The log from its beginning, piece by piece as it grows, until the run has ended."""
        offset = 0
        while True:
            chunk = self.log(run, stream, offset=offset, attempt=attempt, wait=POLL_SECONDS)
            if chunk.text:
                yield chunk
            if chunk.ended and chunk.offset == offset:
                return
            offset = chunk.offset
