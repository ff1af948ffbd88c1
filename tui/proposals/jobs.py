"""What running a job now would do: pure, except for the commit that the box calls."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tui.overrides import settings
from tui.plan import Proposal
from tui.rows.words import span
from tui.text import Line, line

if TYPE_CHECKING:
    from store.wire import JobView
    from tui.client import Client


@dataclass(frozen=True, kw_only=True)
class Wish:
    """How a job is to run."""

    settings: Sequence[str] = ()
    """`training.epochs=5`, as typed."""
    upstream: bool = False
    force: bool = False


def run_now(job: JobView, wish: Wish) -> Proposal:
    """Raises Usage for a setting that cannot be read."""
    params = settings(wish.settings)

    def commit(daemon: Client, _: str) -> str:
        from store.wire import RunRequest

        request = RunRequest(job=job.name, params=params, upstream=wish.upstream, force=wish.force)
        run = daemon.submit(request)
        return f"run {run.id} of {run.job} is {run.state}"

    return Proposal(
        title=f"Run {job.name} now",
        lines=[
            *_settings(params),
            line(_upstream(job, wish)),
            line(
                "It runs even if no input changed."
                if wish.force
                else "If no input changed since its last run, it skips."
            ),
            *([line(f"It takes about {span(job.expected_seconds)}.")] if job.expected_seconds else []),
            line(),
            line(("undo  ", "dim"), "K on the run stops it (trainshed runs cancel RUN)"),
        ],
        command=command(job.name, wish),
        commit=commit,
    )


def command(job: str, wish: Wish) -> str:
    """As it is typed in a shell."""
    words = ["trainshed", "run", job]
    words += ["--upstream"] if wish.upstream else []
    words += ["--force"] if wish.force else []
    for one in wish.settings:
        words += ["--set", one]
    return shlex.join(words)


def _settings(params: dict[str, object]) -> list[Line]:
    if not params:
        return [line("With the settings of the project file.")]
    return [line(("with  ", "dim"), f"{name} = {value!r}") for name, value in params.items()]


def _upstream(job: JobView, wish: Wish) -> str:
    if not job.upstream:
        return "It builds upon nothing."
    names = ", ".join(job.upstream)
    if wish.upstream:
        return f"First everything it builds upon is brought up to date: {names} and what these build upon."
    return f"It takes what it builds upon as it is: {names}."
