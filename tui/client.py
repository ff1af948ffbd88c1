"""The daemon's API as Python: one method a route, wire models in and out.

    with Client(place.socket) as daemon:
        run = daemon.submit(RunRequest(job="train:late", upstream=True))
        ended = daemon.wait_for(run.id)

Every method raises ClientError when the daemon refuses (with its remedy), and NoDaemon when nobody answers.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

import httpx
from pydantic import ConfigDict, ValidationError

from store.wire import (
    ENDED,
    MOST_CHANGES,
    AliasEventView,
    BoxView,
    ChangesView,
    CheckView,
    CountView,
    DatasetDetail,
    DatasetVersionView,
    DatasetView,
    Done,
    EventView,
    FeatureViewView,
    ModelView,
    MomentView,
    Page,
    PauseRequest,
    PlanView,
    PromoteRequest,
    RollbackRequest,
    RunView,
    SchedulePreview,
    ScheduleView,
    StatusView,
    StepView,
    VersionDetail,
    VersionView,
    Window,
    Wire,
)
from tui.alertcalls import AlertCalls
from tui.asking import ANSWER_SECONDS, IN_SERVICE_SECONDS
from tui.connection import POLL_SECONDS, no_answer, of_another_release, problem_of
from tui.failure import ClientError
from tui.monitorcalls import MonitorCalls
from tui.runcalls import RunCalls
from tui.servingcalls import ServingCalls
from tui.sockets import address_of, nobody
from tui.views import written

W = TypeVar("W", bound=Wire)


class _Pid(Wire):
    """All of a status that every release has."""

    model_config = ConfigDict(extra="ignore")
    pid: int


class Client(RunCalls, ServingCalls, MonitorCalls, AlertCalls):
    """A connection to the daemon of one home. Use it as a context manager; threads may share it."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket
        self._folder, address = address_of(socket)
        self._http = httpx.Client(
            # No TLS over a unix socket: the certificates that TLS would want take 25 ms to read.
            transport=httpx.HTTPTransport(uds=address, verify=False),
            base_url="http://trainshed/v1",
            timeout=ANSWER_SECONDS,
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

    def metrics(self) -> str:
        """The shed in numbers, in the text format of Prometheus."""
        return self._answer("GET", "http://trainshed/metrics").text

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

    def changes(self, since: int, *, wait: float = 0.0, patience: float = ANSWER_SECONDS) -> ChangesView:
        """What changed after revision `since`; waits up to `wait` seconds for something to change.

        `patience`: seconds for the answer beyond that.
        """
        asked = {"since": since, "wait": wait}
        return self._ask(ChangesView, "GET", "/changes", params=asked, timeout=wait + patience)

    def reload(self) -> Done:
        """The daemon reads the project file again; a broken one is refused and the old one stays in force."""
        return self._post(Done, "/reload")

    def shutdown(self, *, drain: bool = False) -> Done:
        return self._post(Done, "/shutdown", {"drain": drain})

    def wait_for(self, run: int, watch: Callable[[Sequence[RunView]], None] | None = None) -> RunView:
        """Follows the feed of changes until the run has ended. `watch` sees the runs that changed, each time."""
        since = self.status().rev
        now = self.run(run).run
        while now.state not in ENDED:
            changes = self.changes(since, wait=POLL_SECONDS)
            since = changes.rev
            cut = len(changes.runs) == MOST_CHANGES  # it may be among those for which there was no room
            now = next((view for view in changes.runs if view.id == run), self.run(run).run if cut else now)
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

    def plan(self, model: str, version: int, *, alias: str = "production", wait: float = 0.0) -> PlanView:
        """What a promotion would do, with the token that binds a promotion to it.

        `wait`: seconds for the replay of logged requests, where nothing is known of it yet.
        """
        return self._get(PlanView, f"/models/{model}/versions/{version}/plan", alias=alias, wait=wait)

    def promote(self, model: str, request: PromoteRequest) -> AliasEventView:
        """Where the model is served, this takes until every worker answers with the version."""
        return self._post(AliasEventView, f"/models/{model}/promote", request, patience=IN_SERVICE_SECONDS)

    def rollback_plan(self, model: str, *, alias: str = "production", to: int | None = None) -> PlanView:
        return self._get(PlanView, f"/models/{model}/rollback", alias=alias, to=to)

    def rollback(self, model: str, request: RollbackRequest) -> AliasEventView:
        return self._post(AliasEventView, f"/models/{model}/rollback", request, patience=IN_SERVICE_SECONDS)

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
        patience = ANSWER_SECONDS + float(asked.get("wait") or asked.get("follow") or 0.0)
        return self._ask(view, "GET", path, params=asked, timeout=patience)

    def _post(
        self,
        view: type[W],
        path: str,
        body: Wire | dict[str, Any] | None = None,
        patience: float = ANSWER_SECONDS,
    ) -> W:
        content = body.model_dump(mode="json") if isinstance(body, Wire) else body
        return self._ask(view, "POST", path, json=content, timeout=patience)

    def _ask(self, view: type[W], method: str, path: str, **options: Any) -> W:
        answer = self._answer(method, path, **options)
        try:
            return view.model_validate_json(answer.content)
        except ValidationError:
            raise of_another_release(path) from None

    def _answer(self, method: str, path: str, **options: Any) -> httpx.Response:
        if not self._socket.exists():
            raise nobody(self._socket)
        try:
            answer = self._http.request(method, path, **options)
        except httpx.TransportError as error:
            raise no_answer(self._socket, error) from None
        if answer.is_error:
            raise ClientError(problem_of(answer))
        return answer
