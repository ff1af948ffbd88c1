"""Running a job from any screen: asks how, then shows the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.failure import Failure
from tui.proposals.jobs import Wish, run_now
from tui.screens.trigger import AskWish

if TYPE_CHECKING:
    from store.wire import JobView
    from tui.client import Client
    from tui.screens.base import ShedScreen


def run_a_job(screen: ShedScreen, name: str) -> None:
    """`name`: as `trainshed jobs` has it."""

    def ask_how(job: JobView) -> None:
        def plan(wish: Wish | None) -> None:
            if wish is not None:
                screen.shed.propose(run_now(job, wish), screen.read)

        screen.shed.push_screen(AskWish(job.name), plan)

    screen.ask("job", lambda daemon: _job(daemon, name), ask_how)


def _job(daemon: Client, name: str) -> JobView:
    for job in daemon.jobs():
        if job.name == name:
            return job
    raise Failure("the project has no such job", where=name, remedy="Jobs (7) lists what there is")
