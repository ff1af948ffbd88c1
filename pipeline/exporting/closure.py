"""The modules of ours that a program needs: whatever it imports, and what that imports, read from the sources.

Pure but for reading files. What stands under `if TYPE_CHECKING:` is never imported and does not count; what a function
imports when it is called does.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

OURS: Final = frozenset({"pipeline", "store", "daemon", "tui", "assets"})


@dataclass(frozen=True)
class Closure:
    modules: frozenset[str]
    foreign: frozenset[str]
    """Top-level names of what others wrote; the standard library is among them."""

    def files(self, root: Path) -> list[Path]:
        """Their sources, relative to `root`."""
        return sorted(file.relative_to(root) for name in self.modules if (file := source_of(root, name)) is not None)


def closure_of(root: Path, modules: Sequence[str]) -> Closure:
    """`root`: the folder in which our packages lie."""
    found: set[str] = set()
    foreign: set[str] = set()
    ahead = list(modules)
    while ahead:
        name = ahead.pop()
        file = source_of(root, name)
        if name in found or file is None:
            continue
        found.add(name)
        ahead += [name.rpartition(".")[0]] if "." in name else []
        for imported in imports(ast.parse(file.read_bytes(), str(file))):
            top = imported.partition(".")[0]
            if top in OURS:
                ahead.append(imported)
            else:
                foreign.add(top)
    return Closure(frozenset(found), frozenset(foreign))


def imports(tree: ast.AST) -> Iterator[str]:
    """Dotted names; of `from a import b` both a and a.b, since b may be a module."""
    for node in _reached(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def source_of(root: Path, module: str) -> Path | None:
    """None if it is no module of ours."""
    place = root.joinpath(*module.split("."))
    candidates = (place / "__init__.py", place.with_suffix(".py"))
    return next((file for file in candidates if file.is_file()), None)


def _reached(tree: ast.AST) -> Iterator[ast.AST]:
    ahead: list[ast.AST] = [tree]
    while ahead:
        node = ahead.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            ahead += node.orelse
            continue
        yield node
        ahead += ast.iter_child_nodes(node)
