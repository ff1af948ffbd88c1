"""The profile of a window: found where it is kept, put together from its pieces, or made from its rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping

from pipeline.watching.profile import add, empty
from pipeline.watching.stored import Shelf, WindowProfile, joined
from pipeline.watching.tables import Watched
from pipeline.watching.windows import Window


def window_profile(
    shelf: Shelf,
    table: Watched,
    version: int,
    window: Window,
    parts: Mapping[Window, str],
    token: str,
    between: Callable[[], None] = lambda: None,
) -> WindowProfile:
    """`parts`: those with rows, each with its token. `between` is called before each part that is read: it may raise.

    What is made is kept; pieces that are together now are not.
    """
    if list(parts) == [window]:
        return _part(shelf, table, version, window, token, between)
    kept = shelf.get(version, window, token)
    if kept is not None:
        return kept
    found = joined((_part(shelf, table, version, part, said, between) for part, said in parts.items()), token)
    shelf.put(version, window, found)
    shelf.drop(version, parts)
    return found


def keep_part(
    shelf: Shelf, table: Watched, version: int, part: Window, token: str, between: Callable[[], None]
) -> None:
    """Of a window that is not full yet: what is full of it is read once."""
    _part(shelf, table, version, part, token, between)


def _part(
    shelf: Shelf, table: Watched, version: int, part: Window, token: str, between: Callable[[], None]
) -> WindowProfile:
    kept = shelf.get(version, part, token)
    if kept is None:
        between()
        kept = _read(shelf, table, part, token)
        shelf.put(version, part, kept)
    return kept


def _read(shelf: Shelf, table: Watched, window: Window, token: str) -> WindowProfile:
    columns, rows, named = empty(shelf.cells), 0, Counter(dict.fromkeys(shelf.cells, 0))
    for batch in table.batches(window):
        columns = add(columns, batch.rows)
        rows += batch.rows.num_rows
        named.update(batch.named)
    return WindowProfile(token, rows, dict(named), columns)
