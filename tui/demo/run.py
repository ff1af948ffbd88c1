"""Setting the demo up, seeing to it that nothing is left behind, and its summary."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Any, Final

from store.wire import ENDED
from tui.client import Client
from tui.demo import story
from tui.demo.flights import FlightsApi, copy_project
from tui.demo.served import MODEL
from tui.demo.show import Show
from tui.demo.summer import tell_summer
from tui.failure import ClientError, Failure, NoDaemon
from tui.launch import start
from tui.place import Place, place_of
from tui.render import console

if TYPE_CHECKING:
    from tui.verbs.frame import Shell

_STOP_SECONDS: Final = 30.0
_RUNS: Final = 100
"""More than the demo ever queues."""


def run_demo(shell: Shell, *, folder: Path | None, headless: bool, short: bool) -> None:
    """The demo from an empty folder to its summary.

    `headless` stops the daemon at the end; without it daemon and API stay, and on a terminal the UI opens. After a
    failure (or Ctrl-C) nothing stays but the folder, and the Failure says where the logs are. `short` ends in May.
    """
    began = time.monotonic()
    target = (shell.folder / folder).resolve() if folder else Path(tempfile.mkdtemp(prefix="trainshed-demo-"))
    show = Show(console(sys.stderr if shell.as_json else sys.stdout))
    copy_project(target)
    show.say(f"Project {target}")
    environ = {name: value for name, value in shell.environ.items() if name != "TRAINSHED_HOME"}
    with _everything_stops(target, keep=not headless) as running:
        running.api = FlightsApi.start(target, environ, until=story.FIRST_DAY_UNPUBLISHED)
        environ["FLIGHTS_API"] = running.api.url
        running.place = place_of(target, environ)
        time.sleep(story.until_a_quiet_moment(time.time()))
        start(running.place, environ)
        with Client(running.place.socket) as daemon:
            serving = story.tell(daemon, running.api, running.place, show)
            summer = None if short else tell_summer(daemon, running.api, running.place, environ, show)
            told = summary(daemon, serving, summer, seconds=time.monotonic() - began)
    if shell.interactive and not headless and not shell.as_json:
        _open_ui(shell, target, environ)
    shell.say(told, _farewell(told, target, running.api, headless=headless))


def _open_ui(shell: Shell, target: Path, environ: Mapping[str, str]) -> None:
    """The terminal UI on what was made, until it is left; the story stays in the terminal's history."""
    from tui.ui import open_ui

    sys.stdout.flush()
    open_ui(place_of(target, environ), environ)


def summary(
    daemon: Client, serving: Mapping[str, Any], summer: Mapping[str, Any] | None, *, seconds: float
) -> dict[str, Any]:
    """What the demo did, as `--json` prints it; `serving`: under traffic; `summer`: what was watched, if it came."""
    versions = daemon.versions(MODEL).items
    live = [alias.version for alias in daemon.status().production if alias.model == MODEL]
    return {
        "seconds": round(seconds, 1),
        "rows_ingested": story.rows_ingested(daemon),
        "datasets": [
            {"name": d.name, "kind": d.kind, "version": d.version, "rows": d.rows, "checks": d.checks}
            for d in daemon.datasets()
        ],
        "versions": [v.model_dump(mode="json") for v in sorted(versions, key=lambda v: v.version)],
        "production": live[0] if live else None,
        "serving": dict(serving),
        "summer": summer,
        "events": [e.model_dump(mode="json") for e in reversed(daemon.events(limit=200).items)],
    }


class _Running:
    """What has to be stopped."""

    api: FlightsApi | None = None
    place: Place | None = None


@contextmanager
def _everything_stops(target: Path, *, keep: bool) -> Iterator[_Running]:
    """Stops API and daemon at the end, unless `keep`; always after a failure, which then says where the logs are."""
    running = _Running()
    # An end by SIGTERM is an end like any other: it must not leave processes behind.
    before = signal.signal(signal.SIGTERM, _as_interrupt)
    try:
        yield running
    except BaseException as error:
        _stop(running)
        if isinstance(error, Failure):
            error.remedy += (
                f"\n  Everything is stopped. Logs: {target / '.trainshed' / 'daemon.log'} and runs/ beside it."
            )
        raise
    else:
        if not keep:
            _stop(running)
        elif running.api is not None:
            running.api.leave()
    finally:
        signal.signal(signal.SIGTERM, before)


def _as_interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def _stop(running: _Running) -> None:
    if running.place is not None:
        _stop_daemon(running.place)
    if running.api is not None:
        running.api.stop()


def _stop_daemon(place: Place) -> None:
    """Cancels what runs and ends what serves, since both outlive their daemon; then ends the daemon."""
    try:
        with Client(place.socket) as daemon:
            pid = daemon.status().pid
            # As the project file has it: off.
            daemon.switch_endpoints(None)
            at_work = [run for run in daemon.runs(limit=_RUNS).items if run.state not in ENDED]
            for run in at_work:
                # Refused when it ended just now, or with the run that it waited for.
                with suppress(ClientError):
                    daemon.cancel(run.id)
            for run in at_work:
                daemon.wait_for(run.id)
            _wait_until(lambda: not daemon.endpoints().running)
            daemon.shutdown()
    except NoDaemon:
        # It never came up, or is gone already.
        return
    if not _wait_until(lambda: not Path(f"/proc/{pid}").exists()):
        os.kill(pid, signal.SIGKILL)


def _wait_until(so: Callable[[], bool]) -> bool:
    """Whether it became so in good time."""
    last = time.monotonic() + _STOP_SECONDS
    while not so():
        if time.monotonic() > last:
            return False
        time.sleep(0.05)
    return True


def _farewell(told: Mapping[str, Any], target: Path, api: FlightsApi | None, *, headless: bool) -> str:
    """The last words: figures, and what to try next."""
    parts = [part for part in (told["serving"], told["summer"]) if part is not None]
    answered = sum(part["requests"] - part["failed"] for part in parts)
    waiting = max(version["version"] for version in told["versions"])
    lines = [
        "",
        f"{told['rows_ingested']:,} rows came in, {len(told['versions'])} versions were trained, "
        f"{answered:,} requests were answered, v{told['production']} is live, "
        f"in {told['seconds']} s.",
    ]
    if headless:
        lines += ["The daemon and the endpoints are stopped. To look around: "]
        lines += [f"  cd {target} && trainshed up --detach && trainshed status"]
        return "\n".join(lines)
    lines += [f"The daemon and the endpoints go on. In {target} try:"]
    lines += [
        f"  trainshed                       (the terminal UI: version {waiting} waits there for you, P promotes it)"
    ]
    lines += [f"  trainshed {verb}" for verb in (f"plan {MODEL} {waiting}", f"promote {MODEL} {waiting}", *_TRY)]
    lines += [_end_of_all(api)]
    return "\n".join(lines)


def _end_of_all(api: FlightsApi | None) -> str:
    """The command that leaves no process."""
    kill = "" if api is None else f" && kill {api.child.pid}"
    return f"  trainshed endpoints stop && trainshed down{kill}    (all of it, the airline's API too)"


_TRY: Final = (
    "data list",
    "data history flights_raw",
    "versions late show 2",
    "monitors show late",
    "alerts",
    "endpoints",
    "predictions late --last 5 --labels",
    "labels late",
    "events",
    "schedules resume new_data",
)
