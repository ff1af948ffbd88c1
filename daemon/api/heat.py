"""`/v1/monitors/NAME/heat` and `/shape`: how near each column came to its limits, and what one looked like."""

from __future__ import annotations

import os
from typing import Annotated, Final

from fastapi import Query
from pydantic import AwareDatetime

from daemon.api.monitors import LONGEST_S, known_monitor
from daemon.api.part import part
from daemon.api.shed import Here, Name, Then
from daemon.program import ask_program
from daemon.watchfacts import watch_facts
from pipeline.serving.starting import computing_environment
from store.errors import NotFound, StorageError
from store.tables import WatchWindow
from store.times import from_us, to_us
from store.watchheat import heat as heat_of
from store.wire import HeatView, ShapeView

router = part("monitors")
_MOST: Final = 200
"""Windows."""


@router.get("/monitors/{name}/heat")
def heat(
    shed: Here,
    name: Name,
    windows: Annotated[int, Query(ge=1, le=_MOST, description="The newest so many.")] = 24,
    at: Then = None,
) -> HeatView:
    """The newest windows as parts of the limits, with the metric that decides; drifted columns first."""
    section = known_monitor(shed, name)
    until = None if at is None else to_us(at)
    with shed.daemon.record.read() as session:
        return heat_of(session, name, windows=windows, at_us=until, metric=section.performance.metric or "")


@router.get("/monitors/{name}/shape")
def shape(
    shed: Here,
    name: Name,
    column: Annotated[str, Query(max_length=500)],
    version: Annotated[int, Query(ge=0, description="That answered; 0 of a dataset.")],
    start: Annotated[AwareDatetime, Query(description="Of the window.")],
) -> ShapeView:
    """A column of a window beside what it is held against, in as many parts as can be drawn."""
    daemon = shed.daemon
    known_monitor(shed, name)
    with daemon.record.read() as session:
        facts = watch_facts(session, name, daemon.project)
        row = session.get(WatchWindow, (name, version, to_us(start)))
    if row is None or facts is None:
        raise NotFound(
            f"{name} has no window of version {version} that starts at {start:%Y-%m-%d %H:%M:%S}",
            where=f"monitor {name}",
            remedy=f"`trainshed monitors show {name}` lists them",
        )
    arguments = [str(daemon.home.root), str(daemon.project.root), name, f"--column={column}"]
    arguments += [f"--version={version}", f"--start={row.start_us}"]
    environ = computing_environment(os.environ)
    found = ask_program("pipeline.watching.shape", arguments, LONGEST_S, environ, facts.model_dump_json())
    if "fault" in found:
        raise StorageError(**found["fault"])
    times = {"start": from_us(row.start_us), "end": from_us(row.end_us)}
    return ShapeView(monitor=name, column=column, version=version, **times, **found)
