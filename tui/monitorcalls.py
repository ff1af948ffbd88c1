"""What is asked of the daemon about monitors. A part of `tui.client.Client`, apart from it only to keep both short."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from store.wire import (
    BacktestView,
    DriftReportView,
    DriftView,
    HeatView,
    MonitorView,
    Page,
    ShapeView,
    WatchWindowView,
)
from tui.asking import Asking
from tui.views import written

_REFERENCE_SECONDS: Final = 200.0
"""The first time a version is asked about, all rows that it learned from are read."""


class MonitorCalls(Asking):
    """One method a route, as in the client."""

    def monitors(self) -> list[MonitorView]:
        """With their last reports."""
        return self._get(Page[MonitorView], "/monitors").items

    def monitor(self, name: str) -> MonitorView:
        return self._get(MonitorView, f"/monitors/{name}")

    def watch_windows(
        self,
        monitor: str,
        *,
        since: datetime | None = None,
        column: str | None = None,
        version: int | None = None,
        limit: int = 50,
        after: str | None = None,
    ) -> Page[WatchWindowView]:
        """Closed windows, newest first."""
        return self._get(
            Page[WatchWindowView],
            f"/monitors/{monitor}/windows",
            since=written(since),
            column=column,
            version=version,
            limit=limit,
            after=after,
        )

    def drift_reports(self, monitor: str, *, limit: int = 50, after: str | None = None) -> Page[DriftReportView]:
        """Newest first."""
        return self._get(Page[DriftReportView], f"/monitors/{monitor}/reports", limit=limit, after=after)

    def heat(self, monitor: str, *, windows: int = 24, at: datetime | None = None) -> HeatView:
        """The newest windows as parts of the limits; with `at`, those of then."""
        return self._get(HeatView, f"/monitors/{monitor}/heat", windows=windows, at=written(at))

    def shape(self, monitor: str, column: str, *, version: int, start: datetime) -> ShapeView:
        """A column of one window beside what it is held against."""
        asked = {"column": column, "version": version, "start": start.isoformat()}
        path = f"/monitors/{monitor}/shape"
        return self._ask(ShapeView, "GET", path, params=asked, timeout=_REFERENCE_SECONDS)

    def drift(self, model: str, *, since: datetime | None = None, column: str | None = None) -> DriftView:
        """The newest logged rows against what the version in production learned from."""
        asked = {"since": written(since), "column": column}
        known = {name: value for name, value in asked.items() if value is not None}
        return self._ask(DriftView, "GET", f"/models/{model}/drift", params=known, timeout=_REFERENCE_SECONDS)

    def backtest(self, monitor: str, *, since: datetime | None = None, settings: Sequence[str] = ()) -> BacktestView:
        """How often it would have alarmed; `settings`: KEY=VALUE instead of the project file's."""
        asked = {"since": written(since), "set": list(settings)}
        known = {name: value for name, value in asked.items() if value}
        path = f"/monitors/{monitor}/backtest"
        return self._ask(BacktestView, "GET", path, params=known, timeout=_REFERENCE_SECONDS)
