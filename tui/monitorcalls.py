"""What is asked of the daemon about monitors. A part of `tui.client.Client`, apart from it only to keep both short."""

from __future__ import annotations

from datetime import datetime

from store.wire import DriftReportView, MonitorView, Page, WatchWindowView
from tui.views import Views, written


class MonitorCalls(Views):
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
