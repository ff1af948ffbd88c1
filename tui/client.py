"""The daemon's API as Python: one method a route, wire models in and out.

    with Client(place.socket) as daemon:
        run = daemon.submit(RunRequest(job="train:late", upstream=True))
        ended = daemon.wait_for(run.id)

Every method raises ClientError when the daemon refuses (with its remedy), and NoDaemon when nobody answers.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self, TypeVar

import httpx
from pydantic import ConfigDict, ValidationError

from store.wire import (
    ENDED,
    AliasEventView,
    BoxView,
    ChangesView,
    CheckView,
    CompareView,
    CountView,
    DatasetDetail,
    DatasetVersionView,
    DatasetView,
    Done,
    EventView,
    FeatureViewView,
    LogChunk,
    LogHit,
    MetricSeries,
    ModelView,
    MomentView,
    Page,
    PauseRequest,
    PlanView,
    PromoteRequest,
    ResourcePoint,
    RollbackRequest,
    RunDetail,
    RunRequest,
    RunView,
    SchedulePreview,
    ScheduleView,
    SparkView,
    StatusView,
    StepView,
    VersionDetail,
    VersionView,
    Window,
    Wire,
)
from tui.connection import no_answer, of_another_release, problem_of
from tui.failure import ClientError
from tui.log.needle import PREFIX
from tui.sockets import address_of, nobody
from tui.views import Views, written

W = TypeVar("W", bound=Wire)
POLL_SECONDS: Final = 20.0
"""How long one question for changes may wait at the daemon."""
_ANSWER_SECONDS: Final = 30.0


class _Pid(Wire):
    """All of a status that every release has."""

    model_config = ConfigDict(extra="ignore")
    pid: int


class Client(Views):
    """A connection to the daemon of one home. Use it as a context manager; threads may share it."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._folder, address = address_of(socket)
        self._http = httpx.Client(
            transport=httpx.HTTPTransport(uds=address),
            base_url="http://trainshed/v1",
            timeout=_ANSWER_SECONDS,
            trust_env=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, _: BaseException | None, __: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        self._http.close()
        if self._folder is not None:
            os.close(self._folder)
            self._folder = None

    # ------------------------------------------------------------------------------------------ the shed

    def status(self) -> StatusView:
        return self._get(StatusView, "/status")

    def pid(self) -> int:
        """The daemon's process, of whatever release it is: an old one has to be stopped by a new command line."""
        return self._get(_Pid, "/status").pid

    def box(self) -> BoxView:
        return self._get(BoxView, "/box")

    def events(
        self, *, at: datetime | None = None, subject: str | None = None, limit: int = 50, after: str | None = None
    ) -> Page[EventView]:
        """Newest first; with `at`, the history as it stood at that time."""
        return self._get(
            Page[EventView],
            "/events",
            at=written(at),
            subject=subject,
            limit=limit,
            after=after,
        )

    def event_window(self, q: str = "", *, offset: int = 0, limit: int = 128) -> Window[EventView]:
        """Events number `offset` to `offset + limit - 1`, newest first, of those that the filter leaves over."""
        return self._get(Window[EventView], "/events/window", q=q, offset=offset, limit=limit)

    def count_events(self, q: str = "") -> int:
        """How many events the filter leaves over."""
        return self._get(CountView, "/events/count", q=q).count

    def moment(self, at: datetime) -> MomentView:
        """The shed as it stood at a time, which needs a zone."""
        return self._get(MomentView, "/at", time=at.isoformat())

    def step(self, at: datetime, *, later: bool) -> datetime | None:
        """The time of the first event after a moment, or of the last one before it."""
        return self._get(StepView, "/at/step", time=at.isoformat(), later=later).at

    def changes(self, since: int, *, wait: float = 0.0) -> ChangesView:
        """What changed after revision `since`; waits up to `wait` seconds for something to change."""
        return self._get(ChangesView, "/changes", since=since, wait=wait)

    def reload(self) -> Done:
        """The daemon reads the project file again; a broken one is refused and the old one stays in force."""
        return self._post(Done, "/reload")

    def shutdown(self, *, drain: bool = False) -> Done:
        return self._post(Done, "/shutdown", {"drain": drain})

    # ---------------------------------------------------------------------------------------------- runs

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
        path = f"/runs/{run}/metrics/{name}"
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

    def follow(self, run: int, stream: str, *, attempt: int | None = None) -> Iterator[str]:
        """The log from its beginning, piece by piece as it grows, until the run has ended."""
        offset = 0
        while True:
            chunk = self.log(run, stream, offset=offset, attempt=attempt, wait=POLL_SECONDS)
            if chunk.text:
                yield chunk.text
            if chunk.ended and chunk.offset == offset:
                return
            offset = chunk.offset

    def wait_for(self, run: int, watch: Callable[[Sequence[RunView]], None] | None = None) -> RunView:
        """Follows the feed of changes until the run has ended. `watch` sees the runs that changed, each time."""
        since = self.status().rev
        now = self.run(run).run
        while now.state not in ENDED:
            changes = self.changes(since, wait=POLL_SECONDS)
            since = changes.rev
            now = next((view for view in changes.runs if view.id == run), now)
            if watch is not None and changes.runs:
                watch(changes.runs)
        return now

    # ---------------------------------------------------------------------------------------------- data

    def datasets(self) -> list[DatasetView]:
        return self._get(Page[DatasetView], "/datasets").items

    def dataset(self, name: str, version: int | None = None) -> DatasetDetail:
        return self._get(DatasetDetail, f"/datasets/{name}", version=version)

    def dataset_versions(self, name: str, *, limit: int = 50, after: str | None = None) -> Page[DatasetVersionView]:
        return self._get(Page[DatasetVersionView], f"/datasets/{name}/versions", limit=limit, after=after)

    def checks(self, name: str, *, history: bool = False, limit: int = 100) -> list[CheckView]:
        """What they found the last time they ran; with `history` every time, newest first."""
        return self._get(Page[CheckView], f"/datasets/{name}/checks", history=history, limit=limit).items

    def features(self) -> list[FeatureViewView]:
        return self._get(Page[FeatureViewView], "/features").items

    # -------------------------------------------------------------------------------------------- models

    def models(self) -> list[ModelView]:
        return self._get(Page[ModelView], "/models").items

    def versions(self, model: str, *, limit: int = 50, after: str | None = None) -> Page[VersionView]:
        return self._get(Page[VersionView], f"/models/{model}/versions", limit=limit, after=after)

    def version(self, model: str, version: int) -> VersionDetail:
        return self._get(VersionDetail, f"/models/{model}/versions/{version}")

    def plan(self, model: str, version: int, *, alias: str = "production") -> PlanView:
        """What a promotion would do, with the token that binds a promotion to it."""
        return self._get(PlanView, f"/models/{model}/versions/{version}/plan", alias=alias)

    def promote(self, model: str, request: PromoteRequest) -> AliasEventView:
        return self._post(AliasEventView, f"/models/{model}/promote", request)

    def rollback_plan(self, model: str, *, alias: str = "production", to: int | None = None) -> PlanView:
        return self._get(PlanView, f"/models/{model}/rollback", alias=alias, to=to)

    def rollback(self, model: str, request: RollbackRequest) -> AliasEventView:
        return self._post(AliasEventView, f"/models/{model}/rollback", request)

    def alias_history(self, model: str, *, alias: str | None = None) -> list[AliasEventView]:
        """The newest 500 moves of the model's aliases, newest first."""
        return self._get(Page[AliasEventView], f"/models/{model}/aliases", alias=alias, limit=500).items

    # ----------------------------------------------------------------------------------------- schedules

    def schedules(self) -> list[ScheduleView]:
        return self._get(Page[ScheduleView], "/schedules").items

    def pause(self, schedule: str, *, reason: str = "") -> ScheduleView:
        return self._post(ScheduleView, f"/schedules/{schedule}/pause", PauseRequest(reason=reason))

    def resume(self, schedule: str) -> ScheduleView:
        return self._post(ScheduleView, f"/schedules/{schedule}/resume")

    def next_times(self, schedule: str, *, count: int = 5) -> SchedulePreview:
        return self._get(SchedulePreview, f"/schedules/{schedule}/next", count=count)

    # ---------------------------------------------------------------------------------------------- inside

    def _get(self, view: type[W], path: str, **query: Any) -> W:
        asked = {name: value for name, value in query.items() if value is not None}
        patience = _ANSWER_SECONDS + float(asked.get("wait") or asked.get("follow") or 0.0)
        return self._ask(view, "GET", path, params=asked, timeout=patience)

    def _post(self, view: type[W], path: str, body: Wire | dict[str, Any] | None = None) -> W:
        content = body.model_dump(mode="json") if isinstance(body, Wire) else body
        return self._ask(view, "POST", path, json=content)

    def _ask(self, view: type[W], method: str, path: str, **options: Any) -> W:
        if not self._socket.exists():
            raise nobody(self._socket)
        try:
            answer = self._http.request(method, path, **options)
        except httpx.TransportError as error:
            raise no_answer(self._socket, error) from None
        if answer.is_error:
            raise ClientError(problem_of(answer))
        try:
            return view.model_validate_json(answer.content)
        except ValidationError:
            raise of_another_release(path) from None
