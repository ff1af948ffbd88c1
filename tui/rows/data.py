"""Sources, datasets and feature views as rows of one list, and one in short."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final

from tui.rows.words import STATES, clock, count, size, span, stamp
from tui.table.column import Cell, Column, Frame
from tui.text import Line, heading, line, pairs
from tui.themes import Tone

if TYPE_CHECKING:
    from store.wire import DatasetView, FeatureViewView, SourceReadView, SourceView

FAULTS: Final = "state=fault"
_GLYPHS: Final[Mapping[str, tuple[str, Tone]]] = {"fail": ("✘", "bad"), "warn": ("!", "warn"), "pass": ("✔", "good")}


@dataclass(frozen=True)
class Store:
    """One line of the list: where rows come from, or where they are."""

    name: str
    kind: str
    """`source`, `dataset` or `feature view`."""
    data: DatasetView | None = None
    source: SourceView | None = None
    view: FeatureViewView | None = None

    @property
    def faulty(self) -> bool:
        """Something about it wants a look."""
        if self.data is not None:
            fresh = self.data.freshness
            return bool(self.data.checks.get("fail")) or (fresh is not None and fresh.stale)
        return any(read.last is not None and read.last.state in {"failed", "lost"} for read in _reads(self))


def stores(
    sources: Sequence[SourceView], datasets: Sequence[DatasetView], views: Sequence[FeatureViewView]
) -> list[Store]:
    """In the way the data goes: sources, datasets, feature views."""
    by_name = {view.name: view for view in views}
    return [
        *(Store(source.name, "source", source=source) for source in sources),
        *(Store(data.name, data.kind, data=data, view=by_name.get(data.name)) for data in datasets),
    ]


def columns() -> list[Column[Store]]:
    return [
        Column(key="name", title="name", width=16, grows=True, draw=lambda s, _: name(s)),
        Column(key="kind", title="kind", width=12, draw=lambda s, _: Cell(s.kind, "dim")),
        Column(key="rows", title="rows", width=11, right=True, draw=lambda s, _: rows(s), value=_rows),
        Column(key="newest", title="newest, fetch", width=14, draw=newest, value=_newest),
        Column(key="checks", title="checks", width=17, draw=lambda s, _: checks(s)),
        Column(key="updated", title="made", width=12, draw=lambda s, f: Cell(clock(_at(s), f), "dim"), value=_updated),
        Column(
            key="bytes", title="size", width=8, right=True, draw=lambda s, _: Cell(size(_bytes(s)), "dim"), value=_bytes
        ),
        Column(key="from", title="made from", width=24, draw=lambda s, _: Cell(", ".join(made_from(s)), "dim")),
        Column(key="state", title="state", width=8, extra=True, draw=lambda s, _: state(s)),
    ]


def name(store: Store) -> Cell:
    """With the newest version."""
    version = None if store.data is None else store.data.version
    return Cell(store.name if version is None else f"{store.name}@{version}", "strong")


def rows(store: Store) -> Cell:
    return Cell("" if store.data is None else count(store.data.rows))


def newest(store: Store, frame: Frame) -> Cell:
    """The newest row, marked where it is older than was promised; of a source, how the last fetch ended."""
    if store.source is not None:
        return _fetch(store)
    assert store.data is not None
    fresh = store.data.freshness
    text = clock(store.data.newest, frame)
    return Cell(f"! {text}" if fresh is not None and fresh.stale else text, "warn" if fresh and fresh.stale else "")


def checks(store: Store) -> Cell:
    """`✘ 1 ! 2 ✔ 4`: the worst first, and it gives the tone."""
    if store.data is None:
        return Cell("")
    found = [
        (outcome, store.data.checks[outcome]) for outcome in ("fail", "warn", "pass") if store.data.checks.get(outcome)
    ]
    if not found:
        return Cell("none", "dim")
    text = " ".join(f"{_GLYPHS[outcome][0]} {number} {outcome}" for outcome, number in found)
    return Cell(text, _GLYPHS[found[0][0]][1])


def state(store: Store) -> Cell:
    return Cell("fault", "bad") if store.faulty else Cell("good", "good")


def made_from(store: Store) -> list[str]:
    return store.data.made_from if store.data is not None else [store.source.address] if store.source else []


def used_by(store: Store, all_: Sequence[Store]) -> list[str]:
    """The tables that are made from it. A source and a dataset may have one name: who reads the source is known."""
    if store.source is not None:
        return [read.dataset for read in store.source.datasets]
    fetched = {read.dataset for other in all_ for read in _reads(other)}
    made = [other for other in all_ if other.data is not None and store.name in other.data.made_from]
    return [other.name for other in made if other.name not in fetched]


def facts(store: Store, all_: Sequence[Store], frame: Frame) -> list[Line]:
    """One line of the list in full, for the pane beside it."""
    lines = [line(name(store), ("  " + store.kind, "dim")), line()]
    lines += _source_facts(store, frame) if store.source is not None else _data_facts(store, frame)
    users = used_by(store, all_)
    return [
        *lines,
        line(),
        *pairs([("made from", ", ".join(made_from(store)) or "-"), ("used by", ", ".join(users) or "-")]),
    ]


def _data_facts(store: Store, frame: Frame) -> list[Line]:
    data = store.data
    assert data is not None
    if data.version is None:
        job = f"{'features' if data.kind == 'feature view' else 'etl'}:{data.name}"
        return [line(("it was never made", "warn")), line(f"→ `trainshed run {job}` makes it (Jobs, 7)")]
    found: list[tuple[str, str | Cell]] = [
        ("version", str(data.version)),
        ("rows", count(data.rows)),
        ("size", size(data.bytes)),
        ("made", stamp(data.updated_at, frame)),
        ("newest row", stamp(data.newest, frame)),
        ("checks", checks(store)),
    ]
    if data.freshness is not None:
        fresh = Cell("! stale", "warn") if data.freshness.stale else Cell("✔ fresh", "good")
        found.append(("freshness", fresh))
    lines = pairs(found)
    if data.freshness is not None:
        lines.append(line((f"  {data.freshness.reason}", "dim")))
    return [*lines, *_view_facts(store)]


def _view_facts(store: Store) -> list[Line]:
    view = store.view
    if view is None:
        return []
    return [
        line(),
        heading("feature view"),
        *pairs(
            [
                ("entity", ", ".join(view.entity)),
                ("time", view.time),
                ("valid for", "always" if view.ttl_seconds is None else span(view.ttl_seconds)),
                ("features", ", ".join(view.columns) or "-"),
            ]
        ),
    ]


def _source_facts(store: Store, frame: Frame) -> list[Line]:
    source = store.source
    assert source is not None
    lines = pairs(
        [
            ("kind", source.kind),
            ("address", source.address),
            ("fetches", f"what is new by {source.incremental}" if source.incremental else "everything, each time"),
        ]
    )
    for read in source.datasets:
        lines += [line(), heading(f"into {read.dataset}")]
        if read.last is None:
            lines.append(line(("it was never fetched", "dim")))
            continue
        last = read.last
        lines += pairs(
            [
                ("last fetch", STATES[last.state]),
                ("at", f"{stamp(last.at, frame)}, run {last.run}"),
                ("took", span(last.took_seconds)),
                ("rows", count(last.rows)),
                ("goes on at", read.cursor or "-"),
            ]
        )
        lines += [line((last.reason, "warn"))] if last.reason else []
    return lines


def _fetch(store: Store) -> Cell:
    last = [read.last for read in _reads(store) if read.last is not None]
    if not last:
        return Cell("never fetched", "dim")
    return STATES[max(last, key=lambda one: one.at).state]


def _reads(store: Store) -> Sequence[SourceReadView]:
    return [] if store.source is None else store.source.datasets


def _rows(store: Store) -> int | None:
    return None if store.data is None else store.data.rows


def _bytes(store: Store) -> int | None:
    return None if store.data is None else store.data.bytes


def _newest(store: Store) -> float | None:
    return None if store.data is None or store.data.newest is None else store.data.newest.timestamp()


def _at(store: Store) -> datetime | None:
    if store.data is not None:
        return store.data.updated_at
    return max((read.last.at for read in _reads(store) if read.last is not None), default=None)


def _updated(store: Store) -> float | None:
    at = _at(store)
    return None if at is None else at.timestamp()
