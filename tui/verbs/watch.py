"""`watch`, and what `trainshed` alone does where there is no terminal."""

from __future__ import annotations

import json
import sys
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Final

import typer

from tui.failure import NoDaemon
from tui.verbs.frame import Shell, verb

if TYPE_CHECKING:
    from store.wire import ChangesView, Interval, RunView, StatusView
    from tui.client import Client

PROGRESS_SECONDS: Final = 10.0
"""Between two lines on how far one run is."""
_RETRY_SECONDS: Final = 1.0


def add_to(app: typer.Typer) -> None:
    verb(app, "watch", example="trainshed watch --json")(watch)


def watch(
    shell: Shell,
    plain: Annotated[bool, typer.Option("--plain", help="As it is without: one line a change, no boxes.")] = False,
) -> None:
    """One line (with --json one object) for each thing that happens and each step forward of a run, until Ctrl-C."""
    with shell.daemon() as daemon:
        status = daemon.status()
        if not shell.as_json:
            _say(*_overview(daemon, status))
        Watch(shell.as_json).follow(daemon, status.rev)


def overview(shell: Shell) -> None:
    """The whole shed as plain lines, once."""
    with shell.daemon() as daemon:
        status = daemon.status()
        if shell.as_json:
            shell.say_json(status)
        else:
            _say(*_overview(daemon, status))


class Watch:
    """What was said already, so that a run that goes fast does not fill the screen."""

    def __init__(self, as_json: bool) -> None:
        self._as_json = as_json
        self._told: dict[int, float] = {}
        self._last = 0

    def follow(self, daemon: Client, since: int) -> None:
        """Never returns; a daemon that goes away is waited for."""
        from tui.connection import POLL_SECONDS

        gone = False
        while True:
            try:
                changes = daemon.changes(since, wait=POLL_SECONDS)
                self.tell(daemon, changes)
            except NoDaemon as failure:
                if not gone:
                    sys.stderr.write(f"trainshed: {failure}\n")
                gone = True
                time.sleep(_RETRY_SECONDS)
                continue
            gone, since = False, changes.rev

    def tell(self, daemon: Client, changes: ChangesView) -> None:
        from tui.draw import plain

        for event in sorted(changes.events, key=lambda each: each.id):
            if event.id > self._last:
                self._last = event.id
                _say(_object("event", event.model_dump_json()) if self._as_json else plain.event(event))
        for run in changes.runs:
            if self._due(run, time.monotonic()):
                self._tell_progress(daemon, run)

    def _tell_progress(self, daemon: Client, run: RunView) -> None:
        from tui.draw import plain

        metrics = daemon.run(run.id).metrics
        if self._as_json:
            values = {metric.name: metric.value for metric in metrics}
            _say(_object("run", run.model_dump_json(), metrics=values))
        else:
            _say(plain.progress(run, metrics, datetime.now(UTC)))

    def _due(self, run: RunView, now: float) -> bool:
        """Whether a step forward of a run is worth a line. Its states are told by events."""
        if run.state != "running" or run.done is None:
            self._told.pop(run.id, None)
            return False
        if now - self._told.get(run.id, -PROGRESS_SECONDS) < PROGRESS_SECONDS:
            return False
        self._told[run.id] = now
        return True


def _overview(daemon: Client, status: StatusView) -> list[str]:
    from tui.draw import plain

    metrics: dict[tuple[str, int], tuple[str, Interval | None]] = {}
    for alias in status.production:
        found = daemon.version(alias.model, alias.version).version
        metrics[alias.model, alias.version] = found.objective, found.metrics.get(found.objective)
    return plain.overview(status, metrics, datetime.now(UTC))


def _object(kind: str, view: str, **more: object) -> str:
    return json.dumps({kind: json.loads(view), **more}, ensure_ascii=False)


def _say(*lines: str) -> None:
    sys.stdout.write("".join(line + "\n" for line in lines))
    sys.stdout.flush()
