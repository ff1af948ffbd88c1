"""`trainshedd`: the composition root, which builds the daemon of a project and serves it until it is told to stop.

Exit status: 0 stopped as asked, 1 failed, 2 wrong usage, 3 the home has its daemon already, 74 the home cannot be
used, 78 the project is wrong (sysexits.h).
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import json
import logging
import os
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from daemon.journal import open_journal
from store.errors import StorageError, TrainshedError
from store.home import Home
from store.release import RELEASE

if TYPE_CHECKING:
    from daemon.api.shed import Identity

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the command line said."""

    project: Path
    detach: bool
    as_json: bool
    listen: str | None
    token_file: Path | None
    ready_fd: int | None


def main(argv: Sequence[str] | None = None) -> int:
    settings = _parse(sys.argv[1:] if argv is None else argv)
    began = time.monotonic()
    try:
        return _detach(settings, began) if settings.detach else _serve(settings)
    except TrainshedError as error:
        return _fail(settings, error)
    finally:
        gc.enable()


def _parse(argv: Sequence[str]) -> Settings:
    parser = argparse.ArgumentParser("trainshedd", description="The daemon of one project: runs, records, answers.")
    parser.add_argument("--project", type=Path, default=Path(), metavar="DIR", help="the project's folder (default: .)")
    parser.add_argument("--detach", action="store_true", help="return when it is ready")
    parser.add_argument("--json", action="store_true", dest="as_json", help="with --detach: one JSON object on stdout")
    parser.add_argument("--listen", metavar="HOST:PORT", help="answer over TCP too, to those who show the token")
    parser.add_argument("--token-file", type=Path, metavar="FILE", help="holds the token for --listen")
    parser.add_argument("--ready-fd", type=int, help=argparse.SUPPRESS)
    settings = Settings(**vars(parser.parse_args(argv)))
    if (settings.listen is None) != (settings.token_file is None):
        parser.error("--listen and --token-file go together: nobody is let in over TCP without a token")
    return settings


def _fail(settings: Settings, error: TrainshedError) -> int:
    """Says why, to whoever waits: the parent by the pipe, a program by JSON, a person by standard error."""
    from daemon.detach import NotReady, say

    status = error.status if isinstance(error, NotReady) else error.exit_code
    fault = {"code": error.code, "what": error.what, "where": error.where, "remedy": error.remedy}
    if log.hasHandlers():
        log.error("the daemon cannot work: %s", error.what, extra={"action": "daemon_failed", "where": error.where})
    if settings.ready_fd is not None:
        say(settings.ready_fd, {"fault": fault, "exit": status})
    elif settings.as_json:
        print(json.dumps(fault))
    else:
        print(f"trainshedd: {error}", file=sys.stderr)
    return status


def _detach(settings: Settings, began: float) -> int:
    """Starts ourselves again behind the caller, and waits until that one is ready or says why not."""
    from daemon.detach import start_behind

    # Made absolute: what was meant is relative to the caller's folder, and faults should be named in full.
    arguments = ["--project", str(settings.project.resolve())]
    if settings.listen is not None and settings.token_file is not None:
        arguments += ["--listen", settings.listen, "--token-file", str(settings.token_file.resolve())]
    home = Home.of_project(settings.project)
    ready = start_behind(arguments, home.daemon_log)
    ready["seconds"] = round(time.monotonic() - began, 3)
    print(json.dumps(ready) if settings.as_json else f"the daemon is up: pid {ready['pid']}, socket {ready['socket']}")
    return 0


def _serve(settings: Settings) -> int:
    """Takes the home, builds everything, serves; what was taken is given back in the reverse order."""
    gc.disable()  # what is loaded now stays; to look through it again and again is a quarter of the start
    from daemon.service import DaemonLock, Owner, bind_socket, bind_tcp, prepare_home, utc_second
    from pipeline.config.load import load_project
    from store.times import system_clock

    folder = settings.project.resolve()
    project = load_project(folder)
    token = read_token(settings.token_file) if settings.token_file else None
    home = Home.of_project(folder)
    prepare_home(home)
    began, name = system_clock(), project.project.name
    lock = DaemonLock.take(home, Owner(pid=os.getpid(), since=utc_second(began), project=name, version=RELEASE))
    with contextlib.ExitStack() as taken:
        taken.callback(lock.release)
        taken.callback(open_journal(home.daemon_log).close)
        sockets = [bind_tcp(settings.listen)] if settings.listen else []
        sockets.append(bind_socket(home.socket))
        taken.callback(home.socket.unlink, missing_ok=True)

        # The libraries are imported here: a second daemon, or a broken project, is told within milliseconds.
        from daemon.api.shed import Identity
        from daemon.core import Daemon
        from daemon.serving import Serving

        daemon = Daemon(home, project, system_clock)
        identity = Identity(folder=folder, release=RELEASE, pid=os.getpid(), started_at=began)
        serving = Serving(daemon, identity, token, sockets)
        asyncio.run(serving.run(on_ready=lambda: _ready(settings, identity, home)))
    return 0


def _ready(settings: Settings, identity: Identity, home: Home) -> None:
    """Tells everybody who waits for it."""
    gc.freeze()
    gc.enable()
    from daemon.service import tell_service_manager

    about = {"pid": identity.pid, "socket": str(home.socket), "project": str(identity.folder), "home": str(home.root)}
    log.info("the daemon is ready", extra={"action": "daemon_ready", **about})
    tell_service_manager("READY=1", os.environ.get("NOTIFY_SOCKET"))
    if settings.ready_fd is not None:
        from daemon.detach import say

        say(settings.ready_fd, about)
    else:
        print(f"the daemon is up: pid {identity.pid}, socket {home.socket}; Ctrl-C stops it, runs go on", flush=True)


def read_token(file: Path) -> str:
    """The token for TCP. Raises StorageError when it is missing, short, or readable by others."""
    try:
        token = file.read_text(encoding="utf-8").strip()
        shared = file.stat().st_mode & 0o077
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError(
            f"the token cannot be read: {error}", where=str(file), remedy="name a file of one line as --token-file"
        ) from None
    if shared:
        raise StorageError(
            "others than its owner may read or write the token", where=str(file), remedy=f"chmod 600 {file}"
        )
    if len(token) < 16:
        raise StorageError(
            "the token is shorter than 16 characters", where=str(file), remedy=f"openssl rand -hex 32 > {file}"
        )
    return token


if __name__ == "__main__":
    sys.exit(main())
