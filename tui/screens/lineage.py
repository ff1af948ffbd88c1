"""`i` on a run: what it came after and what it made; Enter opens one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from tui.screens.actions import ListBox
from tui.table import Cell, Column, ListSource, Table

if TYPE_CHECKING:
    from store.wire import RunDetail


class Kin(NamedTuple):
    relation: str
    name: str
    opens: tuple[str, ...]
    """Kind and words of its screen."""


def kin_of(found: RunDetail) -> list[Kin]:
    """Runs before it, runs for whose sake it was, and what it left behind."""
    kin = [Kin("after", f"run {run}", ("run", str(run))) for run in found.depends_on]
    if found.run.group is not None:
        kin.append(Kin("asked for by", f"run {found.run.group}", ("run", str(found.run.group))))
    for name in found.produced:
        table, at, _ = name.partition("@")
        model, _, version = name.partition(" ")
        kin.append(Kin("made", name, ("dataset", table) if at else ("version", model, version)))
    return [*kin, Kin("of job", found.run.job, ("job", found.run.job))]


class LineageBox(ListBox):
    heading = "Where it comes from, and what it made — Enter opens"

    def __init__(self, found: RunDetail) -> None:
        super().__init__()
        self._kin = kin_of(found)

    def table(self) -> Table[Any]:
        columns: list[Column[Kin]] = [
            Column(key="relation", title="", width=14, draw=lambda kin, _: Cell(kin.relation, "dim")),
            Column(key="name", title="what", width=30, grows=True, draw=lambda kin, _: Cell(kin.name, "strong")),
        ]
        source = ListSource(columns, lambda kin: kin, lambda: self.shed.frame, self._kin)
        return Table(columns, source, empty="nothing is known of it")

    def on_table_opened(self, event: Table.Opened) -> None:
        event.stop()
        kin: Kin = event.row
        self.close()
        self.shed.open(*kin.opens)
