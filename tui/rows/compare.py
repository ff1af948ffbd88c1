"""Runs side by side: rows of metrics and parameters, a column a run, the baseline first. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from tui.rows.run import value_of
from tui.rows.words import STATES, figure
from tui.table.column import Cell, Column, Frame

if TYPE_CHECKING:
    from store.wire import CompareView, RunView

_LOWER: Final = ("loss", "error", "rmse", "mae", "mse", "brier", "_ms", "_s", "seconds")
_HIGHER: Final = ("auc", "accuracy", "f1", "r2", "precision", "recall", "score", "goodput")
_WIDTH: Final = 21
Best = Mapping[int, tuple[float, float]]
"""Run → lowest and highest value of the metric that is drawn."""


@dataclass(frozen=True)
class Row:
    """One metric or parameter; a value a run, the baseline's first."""

    name: str
    values: tuple[Any, ...]
    metric: bool
    better: int = 0
    """-1: less is better, 1: more is, 0: nobody can say."""

    @property
    def same(self) -> bool:
        return all(value == self.values[0] for value in self.values)


def better(name: str) -> int:
    """-1 for a metric of which less is better, 1 for one of which more is, 0 for one whose name does not tell."""
    last = name.rpartition("/")[2].lower()
    return -1 if last.endswith(_LOWER) else 1 if last.endswith(_HIGHER) else 0


def ordered(found: CompareView, baseline: int, metric: str) -> list[int]:
    """Runs: the baseline, then the best in a metric first; as they were chosen where nobody can say what is better."""
    way, values = better(metric), found.metrics.get(metric, [])

    def rank(pair: tuple[RunView, float | None]) -> tuple[bool, bool, float]:
        run, value = pair
        return run.id != baseline, value is None, 0.0 if value is None else -way * value

    pairs = zip(found.runs, values or [None] * len(found.runs), strict=True)
    return [run.id for run, _ in sorted(pairs, key=rank)]


def rows(found: CompareView, order: Sequence[int], drawn: str, best: Best, *, everything: bool) -> list[Row]:
    """The drawn metric's best and newest values first, then other metrics, how long each took, and parameters.

    `order`: runs by number, as their columns stand.
    """
    places = _places(found, order)
    way = better(drawn)
    made: list[Row] = []
    if drawn in found.metrics:
        ends = [best.get(found.runs[place].id) for place in places]
        values = tuple(None if end is None else end[0 if way < 0 else 1] for end in ends)
        made.append(Row(f"{drawn}, best", values, True, way))
    for name in sorted(found.metrics, key=lambda name: (name != drawn, name.startswith("time/"), name)):
        values = tuple(found.metrics[name][place] for place in places)
        made.append(Row(f"{name}, newest" if name == drawn else name, values, True, better(name)))
    took = tuple(_took(found.runs[place]) for place in places)
    made.append(Row("took, seconds", took, True, -1))
    made += [Row(name, tuple(values[place] for place in places), False) for name, values in found.params.items()]
    return [row for row in made if everything or not row.same]


def columns(found: CompareView, order: Sequence[int]) -> list[Column[Row]]:
    made: list[Column[Row]] = [
        Column(key="name", title="", width=28, draw=lambda row, _: Cell(row.name, "" if row.metric else "dim"))
    ]
    for number, place in enumerate(_places(found, order)):
        run = found.runs[place]
        glyph = STATES[run.state].text[0]
        title = f"★ run {run.id} {glyph}" if number == 0 else f"run {run.id} {glyph}"
        made.append(Column(key=f"run{run.id}", title=title, width=_WIDTH, draw=_drawer(number), value=_valuer(number)))
    return made


def cell(row: Row, number: int) -> Cell:
    """A value, and for a metric its difference to the baseline's."""
    value, base = row.values[number], row.values[0]
    if not row.metric:
        text = "-" if value is None else value_of(value)
        return Cell(text, "mark" if number and value != base else "")
    shown = figure(value)
    if not number or value is None or base is None:
        return Cell(shown, "strong" if not number else "")
    difference = value - base
    gain = difference * row.better
    return Cell(f"{shown:<9} {difference:+.3g}", "good" if gain > 0 else "warn" if gain < 0 else "")


def _places(found: CompareView, order: Sequence[int]) -> list[int]:
    """Where the runs stand in what was found."""
    places = {run.id: place for place, run in enumerate(found.runs)}
    return [places[run] for run in order]


def _drawer(number: int) -> Any:
    def draw(row: Row, _: Frame) -> Cell:
        return cell(row, number)

    return draw


def _valuer(number: int) -> Any:
    def value(row: Row) -> str | float | None:
        found = row.values[number]
        return found if isinstance(found, int | float | None) else str(found)

    return value


def _took(run: RunView) -> float | None:
    if run.started_at is None or run.ended_at is None:
        return None
    return (run.ended_at - run.started_at).total_seconds()
