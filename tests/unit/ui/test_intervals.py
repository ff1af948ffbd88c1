"""Intervals over time as lines: where zero is, which ends are seen, and what is said of times."""

from __future__ import annotations

from datetime import UTC, timedelta

import pytest

from store.wire import IntervalView
from tests.unit.ui import trying
from tests.unit.ui.moments import NOW
from tui.charts.intervals import Bar, intervals
from tui.rows import experiments as rows
from tui.table.column import Frame
from tui.text import plain

FRAME = Frame(NOW, UTC)


def names(values: object) -> list[str]:
    return ["t" for _ in values]  # type: ignore[attr-defined]


def drawn(*bars: Bar, width: int = 60, height: int = 14) -> list[str]:
    return plain(intervals(bars, width, height, names)).split("\n")


def test_a_few_looks_are_bars_about_the_line_of_no_difference() -> None:
    lines = drawn(Bar(0.0, 0.02, -0.01, 0.05), Bar(50.0, 0.02, -0.02, 0.05), Bar(100.0, 0.03, 0.01, 0.05))
    zero = next(one for one in lines if one.lstrip().startswith("0┤"))
    assert "─" * 20 in zero
    assert zero[10] == "┼"  # the first interval holds no difference
    assert zero[-1] != "┼"  # the last one does not
    first, last = ("".join(one[x] if len(one) > x else " " for one in lines[:-2]).strip() for x in (10, 59))
    assert (first[0], first[-1]) == ("┬", "┴")
    assert (last[0], last.rstrip("─ ")[-1]) == ("┬", "┴")
    assert first.count("●") == last.count("●") == 1


def test_a_value_without_an_interval_is_a_dot_alone() -> None:
    lines = drawn(Bar(0.0, 0.02, None, None), Bar(100.0, 0.01, -0.02, 0.04))
    column = "".join(one[10] for one in lines[:-2])
    assert column.count("●") == 1
    assert "│" not in column


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_an_end_close_to_zero_is_drawn_on_its_own_side(sign: float) -> None:
    ends = sorted((sign * 0.0001, sign * 0.1))
    lines = drawn(*(Bar(float(x), sign * 0.05, ends[0], ends[1]) for x in range(60)))
    zero = next(n for n, one in enumerate(lines) if one.lstrip().startswith("0┤"))
    edge = "▁" if sign > 0 else "▔"
    at = next(n for n, one in enumerate(lines) if edge in one)
    assert at < zero if sign > 0 else at > zero
    assert set(lines[zero][10:]) == {"─"}


def test_where_the_first_intervals_go_beyond_the_picture_arrows_say_so() -> None:
    bars = [Bar(float(x), 0.01, 0.01 - 1.0 / (x + 1), 0.01 + 1.0 / (x + 1)) for x in range(60)]
    lines = drawn(*bars)
    assert "↑" in lines[0]
    assert "↓" in "".join(lines[:-2])
    assert "▔" in "".join(lines)


@pytest.mark.parametrize("size", [(9, 14), (17, 14), (60, 4), (0, 0)])
def test_without_room_nothing_is_drawn(size: tuple[int, int]) -> None:
    assert intervals([Bar(0.0, 0.1, 0.0, 0.2)], *size, names) == []


@pytest.mark.parametrize("width", range(20, 100, 7))
@pytest.mark.parametrize("height", [5, 9, 30])
def test_no_line_is_ever_wider_or_lower_than_the_room(width: int, height: int) -> None:
    for view in (trying.OPEN, trying.WON, trying.LOST, trying.FEW, trying.NEW):
        for ascii in (False, True):
            text = plain(rows.over_time(view, FRAME, width, height, ascii=ascii))
            assert len(text.split("\n")) <= height
            chart = text.split("\n")[2:] if "room" not in text and "few" not in text else []
            assert all(len(one) <= width for one in chart)
            assert text.isascii() or not ascii


@pytest.mark.parametrize(
    ("low", "high", "better", "tone"),
    [
        (0.1, 0.2, "higher", "good"),
        (-0.2, -0.1, "higher", "bad"),
        (0.1, 0.2, "lower", "bad"),
        (-0.2, -0.1, "lower", "good"),
        (-0.1, 0.2, "higher", "live"),
    ],
)
def test_what_is_better_depends_on_the_metric(low: float, high: float, better: str, tone: str) -> None:
    assert rows.tone_of(IntervalView(value=0.0, low=low, high=high), better) == tone


def test_in_the_past_only_the_looks_until_then_are_there() -> None:
    view = rows.then(trying.OPEN, NOW - timedelta(days=7))
    assert 40 < len(view.looks) < 50
    assert view.report is None
    assert rows.then(trying.OPEN, None) is trying.OPEN


def test_where_it_stands_begins_with_the_decision() -> None:
    lines = plain(rows.standing(trying.WON, FRAME)).split("\n")
    assert lines[0].startswith("✔ promote")
    assert "P plans it" in lines[0]
    assert any("X says that it was seen" in one for one in plain(rows.standing(trying.LOST, FRAME)).split("\n"))
