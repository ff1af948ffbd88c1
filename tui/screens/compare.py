"""Runs side by side: their curves over each other, and a table of what is different, against a baseline."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Final

from textual.binding import BindingType
from textual.containers import Vertical
from textual.widget import Widget

from tui.charts.plot import MOST
from tui.charts.series import Curve
from tui.charts.widget import Curves, named
from tui.keybindings import bindings
from tui.rows import compare as rows
from tui.rows.past import COMPARE
from tui.screens.base import ShedScreen, Subject
from tui.screens.run import first_choice
from tui.table import ListSource, Table

if TYPE_CHECKING:
    from store.wire import ChangesView, CompareView, LatestMetric, MetricSeries
    from tui.client import Client

_POINTS: Final = 2_000
_ENDS: Final = 8
"""Points of a curve that is not drawn: its lowest and highest are among them."""


class Compare(ShedScreen):
    BINDINGS: ClassVar[list[BindingType]] = bindings("compare")
    TITLE_HERE = "Compare"

    def __init__(self, runs: Sequence[int], pinned: Hashable | None = None) -> None:
        super().__init__()
        self.runs = list(runs)
        self.baseline = pinned if isinstance(pinned, int) else self.runs[0]
        if self.baseline not in self.runs:
            self.runs.insert(0, self.baseline)
        self.found: CompareView | None = None
        self.metric = ""
        self.order = sorted(self.runs, key=lambda run: run != self.baseline)
        """As they stand on the screen; it stays while they go on."""
        self.everything = False
        self._curves: dict[int, Curve] = {}
        self._ends: dict[int, tuple[float, float]] = {}

    @property
    def subject(self) -> Subject | None:
        words = " ".join(map(str, self.order))
        return Subject(f"runs {words}", f"trainshed runs compare {words}", self.found)

    def body(self) -> Iterable[Widget]:
        source: ListSource[rows.Row] = ListSource([], lambda row: row.name, lambda: self.shed.frame)
        with Vertical():
            yield Curves(empty="asking for their curves", id="overlay")
            yield Table([], source, empty="they are the same in everything that was recorded", id="differences")

    # ---- reading -----------------------------------------------------------------------------------------------------

    def read(self) -> None:
        self.tell_of_the_past(COMPARE)
        self.ask("compare", lambda daemon: daemon.compare(self.runs), self._show)

    def news(self, changes: ChangesView) -> None:
        if any(run.id in self.runs for run in changes.runs):
            self.read()

    def _show(self, found: CompareView) -> None:
        self.found = found
        if not self.metric:
            shared = [name for name, values in found.metrics.items() if sum(v is not None for v in values) > 1]
            self.metric = next(iter(first_choice(shared or list(found.metrics))), "")
            self._arrange()
        self._table()
        self._read_curves()

    def _read_curves(self) -> None:
        """The drawn ones grow; of the others only the ends are read, which no thinning loses."""
        found, metric = self.found, self.metric
        if found is None or not metric:
            self.query_one("#overlay", Curves).show([], empty="they have no metric in common")
            return
        have = [run.id for run, value in zip(found.runs, found.metrics[metric], strict=True) if value is not None]
        order = [run for run in self.order if run in have]
        wanted = [
            (run, _POINTS if place < MOST else _ENDS, self._curves[run].last_step if run in self._curves else None)
            for place, run in enumerate(order)
        ]
        self.ask("curves", lambda daemon: _curves(daemon, metric, wanted), self._grow)

    def _grow(self, found: list[MetricSeries]) -> None:
        began = {run.id: run.started_at for run in self.found.runs} if self.found is not None else {}
        for series in found:
            if series.name != self.metric:
                return
            curve = self._curves.setdefault(series.run, Curve(named(f"run {series.run}")))
            for point in series.points:
                start = began.get(series.run) or point.at
                curve.add(point.step, (point.at - start).total_seconds(), point.value)
            numbers = [value for value in curve.values if value is not None]
            if numbers:
                self._ends[series.run] = (min(numbers), max(numbers))
        drawn = [self._curves[run] for run in self.order if run in self._curves]
        self.query_one("#overlay", Curves).show(drawn)
        self._table()

    # ---- showing -----------------------------------------------------------------------------------------------------

    def _arrange(self) -> None:
        """The baseline, then the best in what is drawn: of many runs the first ones have a curve."""
        if self.found is not None:
            self.order = rows.ordered(self.found, self.baseline, self.metric)

    def _table(self) -> None:
        found = self.found
        if found is None:
            return
        table: Table[Any] = self.query_one("#differences", Table)
        made = rows.rows(found, self.order, self.metric, self._ends, everything=self.everything)
        table.reshape(rows.columns(found, self.order))
        table.show(made)

    # ---- keys --------------------------------------------------------------------------------------------------------

    def action_pin(self) -> None:
        self.baseline = self.runs[(self.runs.index(self.baseline) + 1) % len(self.runs)]
        self._arrange()
        self._table()
        self._grow([])
        self._read_curves()
        self.say(f"compared with run {self.baseline}")

    def action_everything(self) -> None:
        self.everything = not self.everything
        self._table()

    def on_curves_asked(self, _: Curves.Asked) -> None:
        from tui.screens.series import SeriesBox

        if self.found is not None:
            self.shed.open_box(SeriesBox(self._metrics(), [self.metric], self._choose, most=1))

    def _metrics(self) -> list[LatestMetric]:
        """Those of the runs, with the baseline's newest values."""
        from store.wire import LatestMetric

        found = self.found
        assert found is not None
        place = next(n for n, run in enumerate(found.runs) if run.id == self.baseline)
        return [
            LatestMetric(name=name, step=0, value=values[place], at=found.runs[place].created_at)
            for name, values in found.metrics.items()
        ]

    def _choose(self, names: Sequence[str]) -> None:
        if names and names[0] != self.metric:
            self.metric = names[0]
            self._arrange()
            self._curves.clear()
            self._ends.clear()
            self.query_one("#overlay", Curves).show([], empty="asking for their curves")
            self._table()
            self._read_curves()

    def on_table_opened(self, event: Table.Opened) -> None:
        """A metric's row draws it."""
        name = event.row.name.removesuffix(", best").removesuffix(", newest")
        if self.found is not None and name in self.found.metrics:
            self._choose([name])


def _curves(daemon: Client, metric: str, wanted: Sequence[tuple[int, int, int | None]]) -> list[MetricSeries]:
    """Called in a thread."""
    return [daemon.metric(run, metric, points=points, since_step=since) for run, points, since in wanted]
