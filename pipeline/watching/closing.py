"""The windows of a table that are full, each with what says which rows it has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.config.monitors import MonitorSection
from pipeline.watching.tables import Content, Watched, token_of
from pipeline.watching.windows import Window, aligned, by_rows, closed, gathered, piece_of
from store.times import us


@dataclass(frozen=True)
class Full:
    """A window that is closed."""

    window: Window
    content: Content
    parts: Mapping[Window, str]
    """Pieces with rows, each with its token: the window itself, where it has no smaller ones."""


@dataclass(frozen=True)
class Closed:
    """Of one version, oldest first."""

    windows: list[Full]
    begun: Mapping[Window, str] = field(default_factory=dict)
    """Pieces that are full of a window that is not."""


def close(
    table: Watched,
    section: MonitorSection,
    known: Sequence[Window],
    *,
    since_us: int,
    before_us: int | None,
    until_us: int,
    most: int,
    whole_us: int = 0,
) -> Closed:
    """The newest `most`. `known`: those that were told before; those of so many rows go on from there.

    `since_us`: the window that this moment lies in is the first; `before_us`: the last one begins before it.
    `until_us`: all rows before that are there. `whole_us`: rows before that go as they grow old, so a window that
    begins before is told no more, for it has fewer of them each time.
    """
    if section.span is None:
        found = _by_rows(table, section.rows or 1, sorted(known), since_us, until_us)
    else:
        found = _by_time(table, us(section.span), since_us, until_us)
    wanted = [one for one in found.windows if one.window.start_us >= whole_us]
    wanted = [one for one in wanted if before_us is None or one.window.start_us < before_us]
    return Closed(wanted[-most:], found.begun if before_us is None else {})


def _by_time(table: Watched, span_us: int, since_us: int, until_us: int) -> Closed:
    piece_us = piece_of(span_us)
    contents = table.pieces(piece_us, aligned(since_us, span_us).start_us)
    parts = _parted(contents, piece_us, span_us)
    full = closed(gathered({start: one.rows for start, one in contents.items()}, span_us), until_us)
    begun = {part: one.token for window in parts.keys() - full for part, one in parts[window].items()}
    return Closed(
        [
            Full(window, _together(parts[window]), {part: one.token for part, one in parts[window].items()})
            for window in full
        ],
        {part: token for part, token in sorted(begun.items()) if part.end_us <= until_us},
    )


def _parted(contents: Mapping[int, Content], piece_us: int, span_us: int) -> dict[Window, dict[Window, Content]]:
    """Window → its pieces."""
    parts: dict[Window, dict[Window, Content]] = {}
    for start, content in contents.items():
        parts.setdefault(aligned(start, span_us), {})[Window(start, start + piece_us)] = content
    return parts


def contents_of(table: Watched, section: MonitorSection, windows: Sequence[Window]) -> Mapping[Window, Content]:
    """What lies in these windows by now, as `close` would tell it; those without a row are left out."""
    if section.span is None or not windows:
        return table.contents(windows)
    span_us = us(section.span)
    piece_us = piece_of(span_us)
    parts = _parted(table.pieces(piece_us, min(windows).start_us), piece_us, span_us)
    return {window: _together(parts[window]) for window in windows if window in parts}


def _by_rows(table: Watched, size: int, known: Sequence[Window], since_us: int, until_us: int) -> Closed:
    start = max((one.end_us for one in known), default=since_us)
    windows = [*known, *by_rows(table.times(start), size, start, until_us)]
    contents = table.contents(windows)
    return Closed([Full(one, contents[one], {one: contents[one].token}) for one in windows if one in contents])


def _together(parts: Mapping[Window, Content]) -> Content:
    if len(parts) == 1:
        return next(iter(parts.values()))
    return Content(
        sum(one.rows for one in parts.values()), token_of((part.start_us, one.token) for part, one in parts.items())
    )
