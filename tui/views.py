"""What the screens ask the daemon for beyond single nouns: the machine room, jobs and queue, sources, lineage.

A part of `tui.client.Client`, apart from it only to keep both short.
"""

from __future__ import annotations

from datetime import datetime

from store.wire import (
    BackfillDone,
    BackfillPlan,
    BackfillRequest,
    BoxHistoryView,
    DoctorView,
    Done,
    JobView,
    LineageView,
    Page,
    PruneView,
    QuarantineView,
    QueueView,
    SourceView,
    StandingView,
    SystemView,
    TimetableView,
    VersionsCompareView,
)
from tui.asking import Asking


class Views(Asking):
    """One method a route, as in the client."""

    # -------------------------------------------------------------------------------------- the machine room

    def system(self) -> SystemView:
        return self._get(SystemView, "/system")

    def box_history(self, *, minutes: int = 60, points: int = 120, at: datetime | None = None) -> BoxHistoryView:
        """Up to now; with `at`, up to then."""
        return self._get(BoxHistoryView, "/box/history", minutes=minutes, points=points, at=written(at))

    def doctor(self, *, fresh: bool = False) -> DoctorView:
        """What it found within the last minute; with `fresh`, now."""
        return self._get(DoctorView, "/doctor", fresh=fresh)

    # ------------------------------------------------------------------------------------------ jobs and queue

    def jobs(self, *, at: datetime | None = None) -> list[JobView]:
        """Each with its last runs and how long the next one will take; with `at`, those of then."""
        return self._get(Page[JobView], "/jobs", at=written(at)).items

    def queue(self, *, limit: int = 100) -> QueueView:
        """In the order of service, each with what it waits for."""
        return self._get(QueueView, "/queue", limit=limit)

    def timetable(
        self, *, count: int = 3, past: int = 10, after: str | None = None, at: datetime | None = None
    ) -> Page[TimetableView]:
        """Schedules with their next `count` times and the runs of their last `past` ones; with `at`, those of then."""
        return self._get(Page[TimetableView], "/timetable", count=count, past=past, after=after, at=written(at))

    def backfill_plan(self, schedule: str, request: BackfillRequest) -> BackfillPlan:
        asked = request.model_dump(mode="json", exclude={"token"})
        return self._get(BackfillPlan, f"/schedules/{schedule}/backfill", **asked)

    def backfill(self, schedule: str, request: BackfillRequest) -> BackfillDone:
        return self._post(BackfillDone, f"/schedules/{schedule}/backfill", request)

    def prune_plan(self) -> PruneView:
        """Which old runs would go, and which stay."""
        return self._get(PruneView, "/prune")

    def prune(self) -> Done:
        """The daemon begins to remove what is old."""
        return self._post(Done, "/prune")

    # ---------------------------------------------------------------------------------------------------- data

    def sources(self) -> list[SourceView]:
        return self._get(Page[SourceView], "/sources").items

    def quarantine(
        self,
        dataset: str,
        *,
        version: int | None = None,
        run: int | None = None,
        check: str | None = None,
        limit: int = 50,
    ) -> QuarantineView:
        """Rows that checks threw out, newest first."""
        return self._get(
            QuarantineView, f"/datasets/{dataset}/quarantine", version=version, run=run, check=check, limit=limit
        )

    # -------------------------------------------------------------------------------------- models and lineage

    def standings(
        self, model: str, *, alias: str = "production", limit: int = 50, after: str | None = None
    ) -> Page[StandingView]:
        """Every version against the one that the alias points at, newest first."""
        return self._get(Page[StandingView], f"/models/{model}/standings", alias=alias, limit=limit, after=after)

    def compare_versions(self, model: str, left: int, right: int) -> VersionsCompareView:
        return self._get(VersionsCompareView, f"/models/{model}/versions/compare", left=left, right=right)

    def version_lineage(self, model: str, version: int) -> LineageView:
        return self._get(LineageView, f"/models/{model}/versions/{version}/lineage")

    def dataset_lineage(self, dataset: str, *, version: int | None = None) -> LineageView:
        return self._get(LineageView, f"/datasets/{dataset}/lineage", version=version)

    def run_lineage(self, run: int) -> LineageView:
        return self._get(LineageView, f"/runs/{run}/lineage")


def written(at: datetime | None) -> str | None:
    """As the API reads it."""
    return None if at is None else at.isoformat()
