"""The served half of the story: real flights as traffic, a canary by stages, a promotion and a rollback under it."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from store.wire import (
    AliasEventView,
    ComparisonView,
    EndpointsView,
    EventView,
    PromoteRequest,
    RollbackRequest,
    TrafficChange,
    TrafficRequest,
)
from tui.client import Client
from tui.demo.flights import FlightsApi
from tui.demo.flown import Flown, flown, read_rows
from tui.demo.heard import by_version
from tui.demo.show import Show
from tui.demo.steps import REPLAY_SECONDS
from tui.demo.traffic import GENTLE, RATE, Traffic
from tui.draw import labels as drawn_labels
from tui.draw import models as drawn
from tui.draw.traffic import percent
from tui.failure import Failure
from tui.place import Place
from tui.render import Rows, number_column, table

MODEL: Final = "late"
CANDIDATE: Final = "candidate"
"""The alias under which version 2 waits for the operator, once the demo has shown how to go back."""
LIVE: Final = 1
NEW: Final = 2
_READY_SECONDS: Final = 120.0
_CANARY_SECONDS: Final = 120.0
_MORE_SECONDS: Final = 60.0
"""For the logged requests, answered again; beyond it the plan goes without."""
_MORE: Final = 900
"""Requests that each version answers alone: before the canary begins, after the promotion, after the rollback."""
_LOOK_SECONDS: Final = 0.25


class Served:
    """What is happening: one for the two chapters, which share their traffic."""

    def __init__(self, daemon: Client, show: Show, traffic: Traffic) -> None:
        self._daemon, self._show, self._traffic = daemon, show, traffic
        self._doing = ""
        self._together = slice(0, 0)
        """Answers of the canary's last stage."""
        self.told: dict[str, Any] = {}

    def line(self) -> str:
        """For the terminal, while it goes on."""
        shares = ", ".join(f"v{version} {share:.0%}" for version, share in self._traffic.lately().items())
        failed = len(self._traffic.failures)
        return f"{self._traffic.asked:,} requests, {failed} failed · {shares or 'nothing yet'} · {self._doing}"

    def canary(self) -> None:
        """Version 2 by its stages; returns when all are passed. Raises Failure if it was taken back."""
        self._doing = f"version {LIVE} answers"
        self._traffic.await_more(_MORE, _MORE_SECONDS)
        change = TrafficChange(do="canary", version=NEW, reason="better on May; now on live requests")
        plan = self._daemon.traffic_plan(MODEL, change)
        self._show.say("\n".join(f"  {effect}" for effect in plan.effects))
        self._doing = f"version {NEW} is being loaded"
        self._traffic.pace(GENTLE)
        began = time.monotonic()
        comparison = self._daemon.change_traffic(MODEL, TrafficRequest(change=change, token=plan.token)).comparison
        if comparison is None:
            raise _ended(None)
        self._traffic.pace(RATE)
        events = self._until_passed(comparison)
        stages = [
            {"share": stage.share, "at": event.at.isoformat(), "reason": event.message}
            for stage, event in zip(comparison.stages, events, strict=True)
        ]
        self.told["canary"] = {"seconds": round(time.monotonic() - began, 1), "stages": stages}

    def promote(self) -> None:
        """By a plan of this moment, which has version 2 answer again what was asked up to now."""
        self._doing = f"version {NEW} answers the logged requests once more"
        self._traffic.pace(GENTLE)
        # The log of the last minutes is read into the lake for whoever looks; from there the replay takes it.
        self._daemon.predictions(MODEL, last=1)
        plan = self._daemon.plan(MODEL, NEW, wait=REPLAY_SECONDS)
        self._traffic.pace(RATE)
        if plan.replay is not None:
            self._show.say(Group(Text(""), *drawn.replayed(plan.replay), Text("")))
            self.told["replay"] = plan.replay.model_dump(mode="json")
        request = PromoteRequest(version=NEW, token=plan.token, reason="its canary has passed; trained with April")
        self.told["promotion"] = self._moved(self._daemon.promote(MODEL, request))
        self._doing = f"version {NEW} answers"
        self._traffic.await_more(_MORE, _MORE_SECONDS)

    def roll_back(self) -> None:
        plan = self._daemon.rollback_plan(MODEL)
        self._show.say(drawn.plan(plan))
        self._doing = f"back to version {plan.to_version}"
        request = RollbackRequest(
            to=plan.to_version, expected=plan.from_version, reason="to show that it can be undone, under traffic"
        )
        self.told["rollback"] = self._moved(self._daemon.rollback(MODEL, request))
        self._doing = f"version {plan.to_version} answers again"
        self._traffic.await_more(_MORE, _MORE_SECONDS)

    def reckon(self) -> None:
        """Stops the traffic, and says what came of it."""
        self._doing = "the prediction log and the labels are read"
        self._traffic.stop()
        heard = self._traffic.heard()
        log = self._daemon.labels(MODEL)
        seconds = self._traffic.seconds
        self.told |= {
            "requests": self._traffic.asked,
            "failed": len(self._traffic.failures),
            "planes": self._traffic.units,
            "seconds": round(seconds, 1),
            "versions": by_version(heard, self._together),
            "labels": {"requests": log.requests, "labelled": log.labelled, "strays": log.strays},
        }
        self._show.say(
            f"{self._traffic.asked:,} requests about {self._traffic.units:,} planes in {seconds:.0f} s, "
            f"{len(self._traffic.failures)} failed"
        )
        self._show.say(_figures(self.told["versions"]))
        self._show.say("auc: on flights of the canary's last stage, when each had half of the planes\n")
        self._show.say("What the prediction log has of them; who has no label was still in the air:")
        self._show.say(drawn_labels.coverage(log))

    def _until_passed(self, comparison: ComparisonView) -> list[EventView]:
        """The event that ended each stage; each is told as it comes."""
        told: list[EventView] = []
        last = time.monotonic() + _CANARY_SECONDS
        while time.monotonic() < last:
            now = self._daemon.traffic(MODEL).comparison
            if now is None or now.id != comparison.id or now.status != "running":
                raise _ended(now)
            self._doing = f"canary, stage {now.stage + 1} of {len(now.stages)}"
            for event in self._passed(comparison)[len(told) :]:
                self._show.say(f"  {event.message}")
                told.append(event)
                self._together = slice(self._together.stop, self._traffic.answered)
            if now.passed and len(told) == len(comparison.stages):
                return told
            time.sleep(_LOOK_SECONDS)
        raise Failure(
            f"the canary did not pass in {_CANARY_SECONDS:.0f} s: {self._doing}", remedy="see `trainshed endpoints`"
        )

    def _passed(self, comparison: ComparisonView) -> list[EventView]:
        """What the history says of its stages, oldest first."""
        newest = self._daemon.events(limit=50).items
        kinds = ("comparison.advanced", "comparison.passed")
        return [e for e in reversed(newest) if e.kind in kinds and e.data["comparison"] == comparison.id]

    def _moved(self, move: AliasEventView) -> dict[str, Any]:
        """Says how the alias moved, and when every process had it in force."""
        how: dict[str, Any] = {"from": move.from_version, "to": move.to_version}
        if move.served is None:
            raise Failure(f"{MODEL} {move.to_version} is not in force yet", remedy="see `trainshed endpoints`")
        how |= {"switched_ms": round(move.served.switched_s * 1e3, 2), "loaded_s": round(move.served.loaded_s, 3)}
        self._show.say(
            f"production: v{move.from_version} → v{move.to_version}, switched in {how['switched_ms']:.1f} ms; "
            f"{len(self._traffic.failures)} requests failed"
        )
        return how


@contextmanager
def under_traffic(daemon: Client, api: FlightsApi, place: Place, show: Show) -> Iterator[Served]:
    """Version 1 answers, and clients ask. Raises Failure if it does not answer."""
    endpoints = _answering(daemon)
    flights = _flights(daemon, api, place)
    first = time.strftime("%d %B", time.gmtime(flights[0].leaves))
    show.say(
        f"Version {LIVE} answers at {endpoints.url}. Clients ask it about the flights from {first} on, in the order in "
        "which these leave, with what was known then; once one has landed they say how late it was.\n"
        f"Neither version has learnt from these flights: version {LIVE} is older, version {NEW} was tested on them."
    )
    with Traffic(endpoints.url or "", MODEL, flights) as traffic:
        served = Served(daemon, show, traffic)
        with show.alive(served.line):
            yield served


def _answering(daemon: Client) -> EndpointsView:
    """The endpoints, once the model is ready there."""
    last = time.monotonic() + _READY_SECONDS
    while time.monotonic() < last:
        view = daemon.endpoints()
        if view.url is not None and any(one.model == MODEL and one.ready for one in view.endpoints):
            return view
        time.sleep(_LOOK_SECONDS)
    raise Failure(
        f"{MODEL} is not served: {view.problem or 'its processes are not ready'}", remedy="see .trainshed/serving/"
    )


def _flights(daemon: Client, api: FlightsApi, place: Place) -> list[Flown]:
    """Those that version 2 was tested on: rows from its training set, planes and landings from the airline."""
    version = daemon.version(MODEL, NEW)
    columns = [column["name"] for column in version.signature["inputs"]]
    rows = read_rows(test_part(place, version.lineage), columns)
    return flown(rows, api.flights(rows[0]["at"]), columns)


def test_part(place: Place, lineage: Mapping[str, Any]) -> Path:
    """The rows that a version was tested on."""
    return place.home / "training-sets" / str(lineage["training_set"]) / "test.parquet"


def _ended(comparison: ComparisonView | None) -> Failure:
    how = "it is gone" if comparison is None else f"{comparison.status}: {comparison.reason}"
    return Failure(f"the canary of {MODEL} {NEW} has not passed: {how}", remedy="see `trainshed endpoints`")


def _figures(versions: list[dict[str, Any]]) -> RenderableType:
    heads = ("requests", "share", "p50 ms", "p99 ms", "labels")
    rows: Rows = [
        [
            f"v{one['version']}",
            f"{one['requests']:,}",
            percent(one["share"]),
            f"{one['p50_ms']:.1f}",
            f"{one['p99_ms']:.1f}",
            f"{one['labelled']:,}",
            "-" if one["auc"] is None else "{value:.3f} [{low:.3f}, {high:.3f}] of {flights}".format(**one["auc"]),
        ]
        for one in versions
    ]
    return table(["version", *map(number_column, heads), "auc"], rows, empty="nothing was answered")
