"""Where something comes from and where it went, as a graph."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from store.wire.base import Wire

NodeKind = Literal["source", "dataset", "feature view", "training set", "run", "version", "alias"]


class LineageNode(Wire):
    id: str
    """`source flights`, `flights@3`, `run 12`, `training set 3fa9…`, `late 3`,
    `production of late 3`."""
    kind: NodeKind
    name: str
    """Of the noun: `flights`, `late`, a run's job."""
    number: int | None
    """A version's, or a run's."""
    detail: str
    at: datetime | None
    state: str
    """A run's state; of an alias `now` or `before`; else empty."""


class LineageEdge(Wire):
    """Data goes from `start` to `end`."""

    start: str
    end: str
    kind: Literal["read", "made", "points at"]
    """read: `end` was made from `start`; made: the run `start` made `end`; points at: the alias `end` shows `start`."""


class LineageView(Wire):
    root: str
    nodes: list[LineageNode]
    """What it comes from, itself, and what came of it, nearest first."""
    edges: list[LineageEdge]
    complete: bool
    """False: the graph is larger, and only its nearest part is here."""
