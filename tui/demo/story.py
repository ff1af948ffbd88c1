"""The story of the demo: what happens in which order, told through the daemon's API and nothing else."""

from __future__ import annotations

import time
from typing import Any, Final

from rich.console import RenderableType

from store.wire import ENDED, PlanView, PromoteRequest, RunRequest, RunView, VersionView
from tui.client import Client
from tui.demo.flights import FlightsApi
from tui.demo.served import CANDIDATE, MODEL, under_traffic
from tui.demo.show import Show
from tui.draw import models as drawn
from tui.failure import Failure
from tui.place import Place
from tui.render import count, table

SCHEDULE: Final = "new_data"
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
    _follow(daemon, show, daemon.submit(RunRequest(job=f"train:{MODEL}", upstream=True)))
    show.say(_what_came_in(daemon))
    show.say(_what_was_found(daemon))

    show.chapter("Version 1 is judged, promoted, and served")
    plan = _judged(daemon, show, 1)
    request = PromoteRequest(version=1, token=plan.token, reason="the first one, and it passes its gates")
    daemon.promote(MODEL, request)
    # Its processes come up while May is fetched.
    daemon.switch_endpoints(True)

    show.chapter("May is published; the schedule finds it, and fetches only what is new")
    api.publish(A_MONTH_LATER)
    _follow(daemon, show, _scheduled_run(daemon))
    show.say(_what_came_in(daemon))

    show.chapter("Version 2, trained with the new month, against the live one on the same rows")
    _judged(daemon, show, 2)

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
    early = [run for run in daemon.runs(limit=50).items if run.state not in ENDED]
    for run in early:
        daemon.cancel(run.id)
    for run in early:
        daemon.wait_for(run.id)


def _follow(daemon: Client, show: Show, run: RunView) -> None:
    """Shows the run and everything it builds upon until it has ended. Raises Failure unless it succeeded."""

    def produced(ended: RunView) -> str:
        return ", ".join(daemon.run(ended.id).produced)

    with show.following(produced) as watch:
        watch([run])
        ended = daemon.wait_for(run.id, watch)
        group = [each for each in daemon.runs(limit=50).items if each.id == run.id or each.group == run.id]
        watch(group)
    if ended.state != "succeeded":
        raise _failure(ended, group)


def _failure(ended: RunView, group: list[RunView]) -> Failure:
    culprit = next((run for run in reversed(group) if run.state in ("failed", "lost")), ended)
    fault = culprit.fault
    what = fault.what if fault is not None else culprit.reason or f"it ended {culprit.state}"
    return Failure(
        f"{culprit.job} (run {culprit.id}) {culprit.state}: {what}",
        where=fault.where if fault is not None else "",
        remedy=(fault.remedy if fault is not None else "") or f"see `trainshed runs logs {culprit.id}`",
    )


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


def _judged(daemon: Client, show: Show, number: int) -> PlanView:
    """Shows the version and the plan of its promotion. Raises Failure if its gates do not allow that."""
    version = daemon.version(MODEL, number).version
    show.say(drawn.version_table([version], version.created_at))
    plan = daemon.plan(MODEL, number)
    show.say(drawn.plan(plan))
    if plan.needs_override or not plan.allowed:
        raise _refused(plan, version)
    return plan


def _refused(plan: PlanView, version: VersionView) -> Failure:
    failed = "; ".join(gate.reason for gate in plan.gates if gate.outcome == "fail")
    return Failure(
        f"{version.model} v{version.version} does not pass its gates: {failed or 'it was not judged'}",
        remedy=f"see `trainshed versions {version.model} show {version.version}`",
    )


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
