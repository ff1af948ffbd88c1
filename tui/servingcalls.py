"""What is asked of the daemon about what is served: endpoints, traffic, experiments, keys, predictions, labels.

A part of `tui.client.Client`, apart from it only to keep both short.
"""

from __future__ import annotations

from datetime import datetime

from store.wire import (
    ComparisonView,
    Done,
    EndpointsRequest,
    EndpointsView,
    ExperimentView,
    IntoServiceView,
    KeyMade,
    KeyRequest,
    KeysView,
    KeyView,
    LabelsRequest,
    LabelsTaken,
    LabelsView,
    Page,
    PredictionsView,
    ServingHistoryView,
    TrafficChange,
    TrafficPlanView,
    TrafficRequest,
    TrafficView,
)
from tui.asking import IN_SERVICE_SECONDS, LOOK_SECONDS, Asking
from tui.views import written


class ServingCalls(Asking):
    """One method a route, as in the client."""

    def endpoints(self) -> EndpointsView:
        return self._get(EndpointsView, "/endpoints")

    def switch_endpoints(self, on: bool | None) -> Done:
        """Serve, or not, whatever the project file says; None: what it says."""
        return self._post(Done, "/endpoints", EndpointsRequest(on=on))

    def endpoint_history(
        self, model: str | None = None, *, minutes: int = 60, points: int = 120, at: datetime | None = None
    ) -> ServingHistoryView:
        """Of one model or all, up to now; with `at`, up to then."""
        return self._get(
            ServingHistoryView, "/endpoints/history", model=model, minutes=minutes, points=points, at=written(at)
        )

    def into_service(self, *, after: int = -1, wait: float = 0.0) -> IntoServiceView:
        """The version that is going into service, or the last one that did: at once if that is newer than `after`."""
        return self._get(IntoServiceView, "/endpoints/promotion", after=after, wait=wait)

    def traffic(self, model: str) -> TrafficView:
        """What is compared, or was the last time, and who is the shadow."""
        return self._get(TrafficView, f"/models/{model}/traffic")

    def traffic_plan(self, model: str, change: TrafficChange) -> TrafficPlanView:
        """What a change would do, with the token that binds it to this plan."""
        return self._post(TrafficPlanView, f"/models/{model}/traffic/plan", change)

    def change_traffic(self, model: str, request: TrafficRequest) -> TrafficView:
        """Takes until every worker has what is new."""
        return self._post(TrafficView, f"/models/{model}/traffic", request, patience=IN_SERVICE_SECONDS)

    def comparisons(self, model: str, *, limit: int = 50) -> list[ComparisonView]:
        """Newest first."""
        return self._get(Page[ComparisonView], f"/models/{model}/comparisons", limit=limit).items

    def experiments(self) -> list[ExperimentView]:
        """The last of each name, and those of the project file; without their looks."""
        return self._get(Page[ExperimentView], "/experiments").items

    def experiment(self, name: str) -> ExperimentView:
        return self._get(ExperimentView, f"/experiments/{name}")

    def look_at_experiment(self, name: str) -> ExperimentView:
        """Has it looked at now, if it runs."""
        return self._post(ExperimentView, f"/experiments/{name}/look", patience=LOOK_SECONDS)

    def keys(self) -> KeysView:
        return self._get(KeysView, "/keys")

    def add_key(self, request: KeyRequest) -> KeyMade:
        """A new key: the answer is the only place where it stands."""
        return self._post(KeyMade, "/keys", request)

    def revoke_key(self, name: str) -> KeyView:
        return self._post(KeyView, f"/keys/{name}/revoke")

    def predictions(self, model: str, *, last: int = 20, labels: bool = False) -> PredictionsView:
        """The newest logged requests; what was logged since the last reading is read before."""
        return self._get(PredictionsView, f"/models/{model}/predictions", last=last, labels=labels)

    def add_labels(self, request: LabelsRequest, *, wait: float) -> LabelsTaken:
        """Keeps labels; waits up to `wait` seconds to say what they changed."""
        return self._ask(LabelsTaken, "POST", "/labels", json=request.model_dump(mode="json"), params={"wait": wait})

    def labels(self, model: str, *, name: str = "label") -> LabelsView:
        """How many of a model's requests have a label."""
        return self._get(LabelsView, f"/models/{model}/labels", name=name)
