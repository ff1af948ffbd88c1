"""`up`, `down`, `status`."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from tui.failure import Failure
from tui.verbs.child import program
from tui.verbs.frame import Shell, verb

_STOP_SECONDS: Final = 10.0
"""A daemon that was told to stop has gone after 3 s; after this it hangs."""


def add_to(app: typer.Typer) -> None:
    verb(app, "up", example="trainshed up --detach")(up)
    verb(app, "down", example="trainshed down --drain")(down)
    verb(app, "reload", example="trainshed reload")(reload)
    verb(app, "status", example="trainshed status --json")(status)


def up(
    shell: Shell,
    detach: Annotated[bool, typer.Option("--detach", help="Return when the daemon is ready.")] = False,
    listen: Annotated[
        str | None, typer.Option(metavar="HOST:PORT", help="Answer over TCP too, to those who show the token.")
    ] = None,
    token_file: Annotated[Path | None, typer.Option(metavar="FILE", help="Holds the token for --listen.")] = None,
) -> None:
    """Start the daemon of this project, in the foreground (what systemd runs) or with --detach behind it."""
    from tui.launch import start

    arguments = ["--project", str(shell.place.project)]
    arguments += ["--listen", listen] if listen else []
    arguments += ["--token-file", str(token_file)] if token_file else []
    if not detach:
        sys.stdout.flush()
        # Becoming the daemon, not its parent: signals and the exit status are its own.
        os.execve(sys.executable, program("daemon.main", *arguments), dict(shell.environ))
    ready = start(shell.place, shell.environ, arguments)
    shell.say(ready, f"the daemon is up: pid {ready['pid']}, log {shell.place.daemon_log}")


def down(
    shell: Shell,
    drain: Annotated[bool, typer.Option("--drain", help="First let the runs end; start no new ones.")] = False,
) -> None:
    """Stop the daemon. Runs and endpoints go on without it, and are taken up again by the next one."""
    with shell.daemon() as daemon:
        pid = daemon.pid()
        answer = daemon.shutdown(drain=drain)
    if drain and not shell.as_json:
        shell.note(answer.message)
    _wait_for_end(pid, None if drain else _STOP_SECONDS)
    shell.say({"message": "the daemon has stopped", "pid": pid}, "the daemon has stopped")
    if shell.place.serving_socket.exists() and not shell.as_json:
        shell.note("endpoints go on answering; `trainshed endpoints stop`, said to a daemon, ends them")


def reload(shell: Shell) -> None:
    """Read trainshed.toml again, without a restart. A broken one is refused; the one before stays in force."""
    with shell.daemon() as daemon:
        answer = daemon.reload()
    shell.say(answer, answer.message)


def status(shell: Shell) -> None:
    """What needs you, what is live, what runs, what comes next."""
    with shell.daemon() as daemon:
        view = daemon.status()

    def draw() -> Any:
        from tui.draw.status import status as drawn

        return drawn(view, shell.now)

    shell.show(view, draw)


def _wait_for_end(pid: int, seconds: float | None) -> None:
    last = None if seconds is None else time.monotonic() + seconds
    while _lives(pid):
        if last is not None and time.monotonic() > last:
            raise Failure(f"the daemon (pid {pid}) does not stop", remedy=f"end it with `kill -9 {pid}`; runs go on")
        time.sleep(0.05)


def _lives(pid: int) -> bool:
    """A process that has ended and that its parent does not collect (PID 1 of many containers) lives no more."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return False
    return stat.rpartition(")")[2].split()[0] not in ("Z", "X")
