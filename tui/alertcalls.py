"""What is asked of the daemon about alerts. A part of `tui.client.Client`, apart from it only to keep both short."""

from __future__ import annotations

from store.wire import (
    AckRequest,
    AlertDetail,
    AlertView,
    ChannelTest,
    ChannelView,
    Page,
    ResolveRequest,
)
from tui.asking import LOOK_SECONDS, Asking


class AlertCalls(Asking):
    """One method a route, as in the client."""

    def alerts(
        self, *, state: str = "unresolved", model: str | None = None, limit: int = 50, after: str | None = None
    ) -> Page[AlertView]:
        """Newest first. `state`: a state, or `unresolved`, or `any`."""
        return self._get(Page[AlertView], "/alerts", state=state, model=model, limit=limit, after=after)

    def alert(self, alert: int) -> AlertDetail:
        return self._get(AlertDetail, f"/alerts/{alert}")

    def acknowledge(self, alert: int, *, note: str = "") -> AlertView:
        return self._post(AlertView, f"/alerts/{alert}/ack", AckRequest(note=note))

    def resolve_alert(self, alert: int, *, why: str = "") -> AlertView:
        return self._post(AlertView, f"/alerts/{alert}/resolve", ResolveRequest(why=why))

    def channels(self) -> list[ChannelView]:
        """Those of the project file, and how each does."""
        return self._get(Page[ChannelView], "/alerts/channels").items

    def test_channel(self, channel: str) -> ChannelTest:
        """Sends a test message; takes as long as the channel does."""
        return self._post(ChannelTest, f"/alerts/channels/{channel}/test", patience=LOOK_SECONDS)
