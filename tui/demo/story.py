"""The story of the demo: what happens in which order, told through the daemon's API and nothing else."""

from __future__ import annotations

import time
from typing import Any, Final

from rich.console import RenderableType

from store.wire import ENDED, PromoteRequest, RunRequest, RunView
from tui.client import Client
from tui.demo.flights import FlightsApi
from tui.demo.served import CANDIDATE, MODEL, under_traffic
from tui.demo.show import Show
from tui.demo.steps import follow, judged
from tui.draw import models as drawn
from tui.failure import Failure
from tui.place import Place
from tui.render import count, table

SCHEDULE: Final = "new_data"
_LOOKS: Final = "monitor_late"
"""The monitor's own schedule."""
FIRST_DAY_UNPUBLISHED: Final = "2013-05-01"
A_MONTH_LATER: Final = "2013-06-01"
_RAW: Final = ("flights_raw", "weather", "planes", "airports", "airlines")
"""Datasets that hold what came from outside."""
_SCHEDULE_SECONDS: Final = 90.0
_EVERY_SECONDS: Final = 15.0
"""As the project file has it."""
_START_SECONDS: Final = 5.0
"""The daemon is up, and its schedule paused, in less than this."""


def until_a_quiet_moment(now: float) -> float:
    """Seconds to wait at `now` (unix), so that the daemon starts well before the schedule fires again.

    The schedule fires on the clock, and the story wants it to fire in its own chapter.
    """
    left = _EVERY_SECONDS - now % _EVERY_SECONDS
    return left if left < _START_SECONDS else 0.0


def tell(daemon: Client, api: FlightsApi, place: Place, show: Show) -> dict[str, Any]:
    """From raw data to a canary under traffic, a promotion, and back; version 2 then waits.

    Returns what the served part did, as `--json` prints it. Raises Failure at the first step that fails.
    """
    _pause(daemon)
    show.chapter("Four months of flights come in, are checked, become features, train a model")
    follow(daemon, show, daemon.submit(RunRequest(job=f"train:{MODEL}", upstream=True)))
    show.say(_what_came_in(daemon))
    show.say(_what_was_found(daemon))

    show.chapter("Version 1 is judged, promoted, and served")
    plan = judged(daemon, show, MODEL, 1)
    request = PromoteRequest(version=1, token=plan.token, reason="the first one, and it passes its gates")
    daemon.promote(MODEL, request)
    # Its processes come up while May is fetched.
    daemon.switch_endpoints(True)

    show.chapter("May is published; the schedule finds it, and fetches only what is new")
    api.publish(A_MONTH_LATER)
    follow(daemon, show, _scheduled_run(daemon))
    show.say(_what_came_in(daemon))

    show.chapter("Version 2, trained with the new month, against the live one on the same rows")
    judged(daemon, show, MODEL, 2)

    show.chapter("Version 2 meets live requests: a canary by stages, then the promotion")
    with under_traffic(daemon, api, place, show) as served:
        served.canary()
        served.promote()
        show.chapter("And back again, under traffic; version 2 waits as candidate for you to decide")
        served.roll_back()
        served.reckon()
    daemon.promote(MODEL, PromoteRequest(version=2, alias=CANDIDATE, reason="better on May; somebody has to decide"))
    show.say(drawn.alias_history(daemon.alias_history(MODEL)))
    return served.told


def rows_ingested(daemon: Client) -> int:
    """Rows that came from outside, over all versions of all raw datasets."""
    return sum(v.added for name in _RAW for v in daemon.dataset_versions(name).items)


def _pause(daemon: Client) -> None:
    """Keeps the schedule from firing before its chapter, and takes back what it may have started already."""
    daemon.pause(SCHEDULE)
    daemon.pause(_LOOKS)
    early = [run for run in daemon.runs(limit=50).items if run.state not in ENDED]
    for run in early:
        daemon.cancel(run.id)
    for run in early:
        daemon.wait_for(run.id)


def _scheduled_run(daemon: Client) -> RunView:
    """Lets the schedule fire by itself, once."""
    since = daemon.status().rev
    daemon.resume(SCHEDULE)
    last = time.monotonic() + _SCHEDULE_SECONDS
    while time.monotonic() < last:
        changes = daemon.changes(since, wait=5.0)
        since = changes.rev
        for run in changes.runs:
            if run.schedule == SCHEDULE and run.job == f"train:{MODEL}":
                daemon.pause(SCHEDULE)
                return run
    raise Failure("the schedule did not fire", remedy="see `trainshed schedules list` and daemon.log")


def _what_came_in(daemon: Client) -> RenderableType:
    rows = []
    for dataset in daemon.datasets():
        if dataset.version is None:
            continue
        newest = daemon.dataset_versions(dataset.name, limit=1).items[0] if dataset.kind == "dataset" else None
        added = "" if newest is None else f"+{newest.added:,}"
        set_aside = "" if newest is None or not newest.quarantined else f"{newest.quarantined:,} in quarantine"
        rows.append([f"  {dataset.name}@{dataset.version}", count(dataset.rows), added, set_aside])
    return table(["  table", "rows", "new", ""], rows, empty="nothing")


def _what_was_found(daemon: Client) -> RenderableType:
    rows = [
        [f"  {check.dataset}", check.check, check.outcome, f"{check.failing:,} of {check.total:,}", check.detail]
        for name in _RAW
        for check in daemon.checks(name)
        if check.failing
    ]
    return table(["  table", "check", "", "rows", ""], rows, empty="  no check found anything")
