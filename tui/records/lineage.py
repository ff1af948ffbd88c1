"""Where a version comes from: its run, its training set, the tables it was made of and theirs, down to the sources."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from tui.failure import ClientError
from tui.rows.lineage import Origin

if TYPE_CHECKING:
    from tui.client import Client

_VIEW = "features:"


def origins(daemon: Client, inputs: Mapping[str, int]) -> tuple[Origin, ...]:
    """The tables of these versions, each with what it was made from. Raises Failure where nobody answers."""
    seen: dict[tuple[str, int], Origin] = {}
    return tuple(_origin(daemon, name.removeprefix(_VIEW), version, seen) for name, version in inputs.items())


def _origin(daemon: Client, name: str, version: int, seen: dict[tuple[str, int], Origin]) -> Origin:
    """Each table version is asked for once; one that is not in the project any more ends its branch."""
    key = name, version
    if key not in seen:
        try:
            detail = daemon.dataset(name, version)
        except ClientError as gone:
            seen[key] = Origin(name, version, missing=gone.what)
            return seen[key]
        made = detail.latest
        inputs = {} if made is None else made.inputs
        tables = tuple(_origin(daemon, one.removeprefix(_VIEW), number, seen) for one, number in inputs.items())
        sources = () if tables else tuple(detail.dataset.made_from)
        seen[key] = Origin(name, version, made, detail.dataset.kind, tables, sources)
    return seen[key]
