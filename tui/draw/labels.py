"""Labels as text: who has one."""

from __future__ import annotations

from rich.console import Group, RenderableType
from rich.text import Text

from store.wire import LabelsView
from tui.render import Heads, Rows, number_column, share, span, table, when


def coverage(view: LabelsView) -> RenderableType:
    """A line a version, then what else is known."""
    heads: Heads = ["version", *map(number_column, ("requests", "with a label", "share", "median delay"))]
    rows: Rows = [
        [
            f"v{one.version}",
            f"{one.requests:,}",
            f"{one.labelled:,}",
            _part(one.labelled, one.requests),
            span(one.delay_s),
        ]
        for one in view.versions
    ]
    if len(rows) > 1:
        rows = [*rows, ["all", f"{view.requests:,}", f"{view.labelled:,}", _part(view.labelled, view.requests), ""]]
    empty = f"nothing that {view.model} was asked is in the log yet"
    return Group(table(heads, rows, empty=empty), *_notes(view))


def _part(labelled: int, requests: int) -> str:
    return share(labelled / requests) if requests else "-"


def _notes(view: LabelsView) -> list[Text]:
    if not view.labels:
        how = f"`trainshed labels {view.model} add FILE`, or POST /v1/labels/{view.model} where it is served"
        notes = [Text(f"no {view.name} has come yet: {how}", style="dim")]
    else:
        said = f"{view.labels:,} stand, the newest came at {when(view.newest)}; {view.restated:,} were restated"
        notes = [Text(f"{said}, {view.repeated:,} came again as they were; all: {view.table}", style="dim")]
    if view.strays:
        notes.append(Text(f"! {view.strays:,} are of requests that are not in the log", style="yellow"))
    others = {name: count for name, count in view.names.items() if name != view.name}
    if others:
        listed = ", ".join(f"{name} ({count:,})" for name, count in others.items())
        notes.append(Text(f"other names: {listed}; --name shows one", style="dim"))
    if view.problem:
        notes.append(Text(f"! {view.problem}", style="yellow"))
    elif not view.current:
        notes.append(Text("… newer ones are still being read into the lake", style="cyan"))
    return notes
