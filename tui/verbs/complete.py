"""Names for the shell to complete, asked of the daemon. Without one there is nothing to offer, and nothing to say."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tui.failure import Failure
from tui.place import find_place

if TYPE_CHECKING:
    from tui.client import Client


def jobs(incomplete: str) -> list[str]:
    return _names(incomplete, lambda daemon: [job.name for job in daemon.jobs()])


def runs(incomplete: str) -> list[str]:
    return _names(incomplete, lambda daemon: [str(run.id) for run in daemon.runs().items])


def datasets(incomplete: str) -> list[str]:
    return _names(incomplete, lambda daemon: [dataset.name for dataset in daemon.datasets()])


def models(incomplete: str) -> list[str]:
    return _names(incomplete, lambda daemon: [model.name for model in daemon.models()])


def schedules(incomplete: str) -> list[str]:
    return _names(incomplete, lambda daemon: [schedule.name for schedule in daemon.schedules()])


def monitors(incomplete: str) -> list[str]:
    return _names(incomplete, lambda daemon: [monitor.name for monitor in daemon.monitors()])


def _names(incomplete: str, ask: Callable[[Client], list[str]]) -> list[str]:
    from tui.client import Client

    try:
        with Client(find_place(None, Path.cwd(), os.environ).socket) as daemon:
            return [name for name in ask(daemon) if name.startswith(incomplete)]
    except Failure:
        return []
