"""Widths of columns that the operator chose: the end of the settings file, under a line that says whose it is."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tui.failure import Usage

Widths = Mapping[str, Mapping[str, int]]
"""Table → column → cells."""
MARK: Final = "# What is below is written by the UI: widths of columns, as { and } left them."


def with_widths(text: str, widths: Widths) -> str:
    """The text of a settings file with these widths in the place of those that stood there. Pure."""
    own = text.partition(MARK)[0].rstrip()
    parts = [own, ""] if own else []
    parts.append(MARK)
    for table, columns in sorted(widths.items()):
        if columns:
            parts.append(f"[widths.{json.dumps(table)}]")
            parts += [f"{json.dumps(column)} = {cells}" for column, cells in sorted(columns.items())]
    return "\n".join(parts) + "\n"


def keep(file: Path, widths: Widths) -> None:
    """Writes them; all else in the file stays, to the letter. Raises OSError, and Usage where they stand above too."""
    import tomllib

    file = file.resolve()  # it may be a link into somebody's dotfiles
    before = file.read_text() if file.exists() else ""
    after = with_widths(before, widths)
    try:
        tomllib.loads(after)
    except tomllib.TOMLDecodeError as error:
        remedy = "take the widths out of it that stand above the line of the UI"
        raise Usage(f"widths of columns cannot be kept: {error}", where=str(file), remedy=remedy) from None
    file.parent.mkdir(parents=True, exist_ok=True)
    half = file.with_name(f".{file.name}.{os.getpid()}")
    half.write_text(after)
    half.replace(file)


def checked(found: Mapping[str, object], where: str) -> None:
    """Raises Usage where a table's widths are none."""
    for table, columns in found.items():
        if not isinstance(columns, dict) or not all(type(cells) is int and cells > 0 for cells in columns.values()):
            remedy = f'write them as [widths."{table}"] and a line `column = cells` each'
            raise Usage(f"the widths of {table} are {columns!r}", where=where, remedy=remedy)
