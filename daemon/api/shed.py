"""What every route is given: the running daemon, who asks, and names that are safe to put into a path."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path as FilePath
from typing import Annotated, Final

from fastapi import Depends, Path, Query, Request
from pydantic import AwareDatetime

from daemon.api.door import actor_of
from daemon.core import Daemon
from store.times import to_us

NAME_PATTERN: Final = r"^[a-z][a-z0-9_]{0,62}$"
"""Of datasets, views, models and schedules, as in the project file: nothing that could leave a folder."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Which daemon this is."""

    folder: FilePath
    """The project's."""
    release: str
    pid: int
    started_at: datetime


@dataclass(frozen=True)
class Shed:
    """The daemon as the routes see it."""

    daemon: Daemon
    identity: Identity
    ask_to_stop: Callable[[bool], None]
    """Begins the end of the process, after the runs if `drain` is true; returns at once. For the event loop only."""

    @property
    def now(self) -> int:
        """Microseconds since 1970 UTC."""
        return to_us(self.daemon.clock())


def shed_of(request: Request) -> Shed:
    shed: Shed = request.app.state.shed
    return shed


Here = Annotated[Shed, Depends(shed_of)]
Actor = Annotated[str, Depends(actor_of)]
Name = Annotated[str, Path(pattern=NAME_PATTERN)]
RunId = Annotated[int, Path(ge=1)]
Number = Annotated[int, Path(ge=0, description="A version's number.")]
Limit = Annotated[int, Query(ge=1, le=500, description="Items on one page.")]
Then = Annotated[AwareDatetime | None, Query(description="As it was at this time, with its offset.")]
After = Annotated[str | None, Query(max_length=500, description="`next` of the page before.")]
