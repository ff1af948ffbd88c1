"""Where something comes from and where it went, as a tree of text."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.console import Group, RenderableType
from rich.text import Text
from rich.tree import Tree

from store.wire import LineageEdge, LineageNode, LineageView

Way = Callable[[LineageEdge], tuple[str, str]]
"""An edge as (from here, to there), in the direction of a tree."""


def lineage(view: LineageView) -> RenderableType:
    nodes = {node.id: node for node in view.nodes}
    parts: list[RenderableType] = [_tree(view, nodes, "comes from", lambda edge: (edge.end, edge.start))]
    parts += [Text(""), _tree(view, nodes, "went into", lambda edge: (edge.start, edge.end))]
    if not view.complete:
        parts += [Text(""), Text("the graph is larger; this is its nearest part", style="yellow")]
    return Group(*parts)


def _tree(view: LineageView, nodes: dict[str, LineageNode], title: str, way: Way) -> Tree:
    root = nodes[view.root]
    tree = Tree(Text.assemble((root.id, "bold"), f"  {title}"), guide_style="dim")
    _grow(tree, root, nodes, [way(edge) for edge in view.edges], {root.id})
    return tree


def _grow(
    tree: Tree, node: LineageNode, nodes: dict[str, LineageNode], ways: Sequence[tuple[str, str]], shown: set[str]
) -> None:
    """What was shown already is named and not gone into again: the graph has meeting ways, a tree has none."""
    for here, there in ways:
        if here != node.id or there not in nodes:
            continue
        again = there in shown
        branch = tree.add(_label(nodes[there], again))
        if not again:
            shown.add(there)
            _grow(branch, nodes[there], nodes, ways, shown)


def _label(node: LineageNode, again: bool) -> Text:
    what = f"{node.id} {node.name}" if node.kind == "run" else node.id
    if again:
        return Text(f"{what} (above)", style="dim")
    state = f"  {node.state}" if node.state else ""
    return Text.assemble(what, (f"{state}  {node.detail}" if node.detail else state, "dim"))
