"""The lineage of a version as a tree: up to the sources of its rows, and down to where it is live."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tui.rows.words import clock, count
from tui.table.column import Cell, Frame
from tui.text import Line, heading, line, pairs

if TYPE_CHECKING:
    from store.wire import LineageNode, LineageView, VersionDetail


@dataclass(frozen=True)
class Origin:
    """A version of a table, and what it was made from."""

    node: LineageNode
    run: int | None = None
    """Which made it."""
    tables: tuple[Origin, ...] = ()
    sources: tuple[str, ...] = ()


def origins(view: LineageView) -> tuple[Origin, ...]:
    """The tables that a version of a model was made from, each with what it was made from itself."""
    nodes = {node.id: node for node in view.nodes}
    before: dict[str, list[LineageNode]] = {}
    for edge in view.edges:
        if edge.start in nodes:
            before.setdefault(edge.end, []).append(nodes[edge.start])
    return _tables(view.root, before)


def _tables(name: str, before: Mapping[str, Sequence[LineageNode]]) -> tuple[Origin, ...]:
    """A training set is passed over: it has a line of its own."""
    found: list[Origin] = []
    for node in before.get(name, ()):
        if node.kind == "training set":
            found += _tables(node.id, before)
        elif node.kind in ("dataset", "feature view"):
            nearest = before.get(node.id, ())
            run = next((one.number for one in nearest if one.kind == "run"), None)
            sources = tuple(one.name for one in nearest if one.kind == "source")
            found.append(Origin(node, run, _tables(node.id, before), sources))
    return tuple(found)


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


def branches(origins: Sequence[Origin], indent: str, frame: Frame, drawn: set[str]) -> list[Line]:
    """Depth first; a table that was drawn already is named, and its branch not drawn again."""
    lines: list[Line] = []
    for number, origin in enumerate(origins):
        last = number == len(origins) - 1
        fork, below = ("└─ ", "   ") if last else ("├─ ", "│  ")
        known = origin.node.id in drawn
        drawn.add(origin.node.id)
        lines.append(line((indent + fork, "dim"), (origin.node.id, "strong"), (_told(origin, frame, known), "dim")))
        if known:
            continue
        lines += branches(origin.tables, indent + below, frame, drawn)
        for place, source in enumerate(origin.sources):
            end = "└─ " if place == len(origin.sources) - 1 else "├─ "
            lines.append(line((indent + below + end, "dim"), ("source ", "dim"), (source, "key")))
    return lines


def _told(origin: Origin, frame: Frame, known: bool) -> str:
    if known:
        return "  as above"
    node = origin.node
    kind = "" if node.kind == "dataset" else f"  {node.kind}"
    run = "" if origin.run is None else f", run {origin.run}"
    return f"{kind}  {node.detail}, {clock(node.at, frame)}{run}"


def _made(detail: VersionDetail, frame: Frame) -> str:
    return f"made {clock(detail.version.created_at, frame)}"


def _rows(facts: Mapping[str, Any]) -> str:
    rows: Mapping[str, int] = facts.get("rows", {})
    return ", ".join(f"{name} {count(number)}" for name, number in rows.items())
