"""What the chapters of the demo have in common: a run that is watched to its end, a version that is looked at."""

from __future__ import annotations

from typing import Final

from store.wire import PlanView, RunView, VersionView
from tui.client import Client
from tui.demo.show import Show
from tui.draw import models as drawn
from tui.failure import Failure

REPLAY_SECONDS: Final = 30.0
"""For the plan of a promotion: by then the version has answered the logged requests."""


def follow(daemon: Client, show: Show, run: RunView) -> None:
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


def judged(daemon: Client, show: Show, model: str, number: int) -> PlanView:
    """Shows the version and the plan of its promotion, with what it says to the logged requests.

    Raises Failure if its gates do not allow that.
    """
    version = daemon.version(model, number).version
    show.say(drawn.version_table([version], version.created_at))
    plan = daemon.plan(model, number, wait=REPLAY_SECONDS)
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
