"""The lineage of a version as a tree: up to the sources of its rows, and down to where it is live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tui.rows.words import clock, count
from tui.table.column import Cell, Frame
from tui.text import Line, heading, line, pairs

if TYPE_CHECKING:
    from store.wire import DatasetVersionView, VersionDetail


@dataclass(frozen=True)
class Origin:
    """A version of a table, and what it was made from."""

    name: str
    version: int
    made: DatasetVersionView | None = None
    kind: str = "dataset"
    tables: tuple[Origin, ...] = ()
    sources: tuple[str, ...] = ()
    missing: str = ""
    """Why nothing is known of it."""


def lineage(detail: VersionDetail, origins: Sequence[Origin], frame: Frame) -> list[Line]:
    """From where it serves, over the version, to the source rows."""
    version, facts = detail.version, detail.lineage
    aliases = [line("  ", (f"● {alias}", "good"), f" of {version.model}") for alias in version.aliases]
    return [
        heading("where it is live"),
        *(aliases or [line(("  nowhere: no alias points at it", "dim"))]),
        line(),
        heading("where it comes from"),
        line((f"{version.model} v{version.version}", "strong"), (f"  bundle {version.digest[:12]}", "dim")),
        line(
            "└─ ",
            (f"run {version.run}", "strong"),
            (f"  attempt {facts.get('attempt', '-')}, {_made(detail, frame)}", "dim"),
        ),
        line(
            "   └─ ",
            ("training set ", ""),
            (str(facts.get("training_set", "-"))[:12], "strong"),
            (f"  {_rows(facts)}", "dim"),
        ),
        *branches(origins, "      ", frame, set()),
        line(),
        heading("with what it was made"),
        *pairs(made_with(facts)),
    ]


def made_with(facts: Mapping[str, Any]) -> list[tuple[str, str | Cell]]:
    """Device, network, seed, overrides and libraries: what decides whether it can be made again."""
    model = facts.get("model", {})
    network, training = model.get("network", {}), model.get("training", {})
    device = facts.get("device", {})
    found = {
        "device": f"{device.get('platform', '')} {device.get('kind', '')}".strip(),
        "network": ", ".join(f"{key} {value}" for key, value in network.items()),
        "seed": str(training.get("seed", "")),
        "optimizer": f"{training.get('optimizer', '')} {training.get('learning_rate', '')}".strip(),
        "overrides": ", ".join(f"{key}={value}" for key, value in facts.get("overrides", {}).items()),
        "parameters": count(facts.get("parameters")) if facts.get("parameters") else "",
        "resumed from": "" if facts.get("resumed_from") is None else f"step {facts['resumed_from']}",
        "libraries": ", ".join(f"{name} {number}" for name, number in facts.get("libraries", {}).items()),
    }
    return [(name, value) for name, value in found.items() if value]


def branches(origins: Sequence[Origin], indent: str, frame: Frame, drawn: set[tuple[str, int]]) -> list[Line]:
    """Depth first; a table that was drawn already is named, and its branch not drawn again."""
    lines: list[Line] = []
    for number, origin in enumerate(origins):
        last = number == len(origins) - 1
        fork, below = ("└─ ", "   ") if last else ("├─ ", "│  ")
        known = (origin.name, origin.version) in drawn
        drawn.add((origin.name, origin.version))
        lines.append(line((indent + fork, "dim"), *_origin(origin, frame, known)))
        if known:
            continue
        lines += branches(origin.tables, indent + below, frame, drawn)
        for place, source in enumerate(origin.sources):
            end = "└─ " if place == len(origin.sources) - 1 else "├─ "
            lines.append(line((indent + below + end, "dim"), ("source ", "dim"), (source, "key")))
    return lines


def _origin(origin: Origin, frame: Frame, known: bool) -> list[Cell]:
    name = Cell(f"{origin.name}@{origin.version}", "strong")
    if origin.missing:
        return [name, Cell(f"  ? {origin.missing}", "warn")]
    if known:
        return [name, Cell("  as above", "dim")]
    made = origin.made
    kind = "" if origin.kind == "dataset" else f"  {origin.kind}"
    return [
        name,
        Cell(
            "" if made is None else f"{kind}  {count(made.rows)} rows, {clock(made.at, frame)}, run {made.run}", "dim"
        ),
    ]


def _made(detail: VersionDetail, frame: Frame) -> str:
    return f"made {clock(detail.version.created_at, frame)}"


def _rows(facts: Mapping[str, Any]) -> str:
    rows: Mapping[str, int] = facts.get("rows", {})
    return ", ".join(f"{name} {count(number)}" for name, number in rows.items())
