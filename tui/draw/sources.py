"""Sources and quarantined rows as text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from rich.console import Group, RenderableType
from rich.text import Text

from store.wire import QuarantineView, SourceReadView, SourceView
from tui.render import Heads, Rows, ago, count, number_column, span, state, table, when, wide_column


def source_table(sources: Sequence[SourceView], now: datetime) -> RenderableType:
    """A line for each dataset that reads a source."""
    rows: Rows = [
        [source.name, source.kind, source.address, *_read(read, now)] for source in sources for read in _readers(source)
    ]
    heads: Heads = ["source", "kind", "address", "dataset", "last fetch", "when", number_column("took")]
    return table(
        [*heads, number_column("rows"), wide_column("next from")], rows, empty="the project defines no sources"
    )


def _readers(source: SourceView) -> Sequence[SourceReadView | None]:
    return source.datasets or [None]


def _read(read: SourceReadView | None, now: datetime) -> list[str | Text]:
    if read is None:
        return [Text("nobody reads it", style="dim"), "-", "-", "-", "-", "-"]
    name = read.dataset if read.version is None else f"{read.dataset}@{read.version}"
    if read.last is None:
        return [name, Text("never", style="dim"), "-", "-", "-", read.cursor or "-"]
    last = read.last
    return [name, state(last.state), ago(last.at, now), span(last.took_seconds), count(last.rows), read.cursor or "-"]


def quarantine(view: QuarantineView) -> RenderableType:
    if not view.rows:
        return Text(f"nothing of {view.dataset} is in quarantine", style="dim")
    names = list(dict.fromkeys(name for row in view.rows for name in row.values))
    rows: Rows = [
        [when(row.at), str(row.run), ", ".join(row.checks), *(_cell(row.values.get(name)) for name in names)]
        for row in view.rows
    ]
    shown = Text(f"{len(view.rows):,} of {view.total:,} rows, the newest first", style="dim")
    return Group(table(["at", number_column("run"), "thrown out by", *names], rows, empty=""), shown)


def _cell(value: object) -> str:
    return "-" if value is None else str(value)
