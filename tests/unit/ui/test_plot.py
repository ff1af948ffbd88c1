"""Charts as text: whatever the numbers, the picture is whole and inside; what counts is seen."""

from __future__ import annotations

import itertools
import math
import re
from datetime import UTC, datetime

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from tui.charts.dots import buckets, draw
from tui.charts.plot import MOST, Look, Style, plot, prepared
from tui.charts.series import Curve, Series
from tui.charts.style import style_for
from tui.charts.ticks import (
    Scale,
    clock_labels,
    clock_step,
    date_labels,
    day_labels,
    labels,
    nice_step,
    scale_of,
    ticks,
)
from tui.text import plain

LONG = Series.of("loss", range(10_000), [0.5 + 0.1 * math.sin(n) + (9.0 if n == 6_001 else 0.0) for n in range(10_000)])
_values = st.one_of(st.none(), st.floats(allow_nan=True, allow_infinity=True))
_A_LABEL = re.compile(r"\d+d(?: \d+h)?|\d+h(?: \d+m)?|\d+m(?: \d+s)?|\S+")
_LOOKS_ALONG = [Look(), Look(by_time=True), Look(by_time=True, of_day=True), Look(values=True)]
_points = st.lists(st.tuples(st.integers(0, 10**9), _values), max_size=60)
_looks = st.builds(
    Look,
    log=st.booleans(),
    smooth=st.integers(0, 2),
    by_time=st.booleans(),
    cross=st.one_of(st.none(), st.floats(-1e9, 2e9)),
    style=st.sampled_from(["braille", "blocks", "ascii"]),
    until=st.one_of(st.none(), st.floats(0, 2e9)),
)


@given(st.lists(_points, max_size=10), st.integers(1, 120), st.integers(1, 40), _looks)
@example([[(5, 1.0)]], 80, 20, Look())
@example([[(5, 0.0), (6, 0.0)]], 80, 20, Look(log=True))
@example([[(5, 1e308), (6, -1e308)]], 80, 20, Look(smooth=2))
@example([[(5, 5e-324), (6, 1e308)]], 80, 20, Look(log=True))
def test_a_chart_is_never_larger_than_its_place(
    all_points: list[list[tuple[int, float | None]]], width: int, height: int, look: Look
) -> None:
    series = [Series.of(f"run {n}", [x for x, _ in p], [y for _, y in p]) for n, p in enumerate(all_points)]
    drawn = plot([prepared(one, look) for one in series], width, height, look)
    assert len(drawn.lines) <= height
    assert max((sum(len(cell.text) for cell in line) for line in drawn.lines), default=0) <= width


@pytest.mark.parametrize("style", ["braille", "blocks", "ascii"])
def test_a_peak_of_one_point_in_ten_thousand_is_seen(style: Style) -> None:
    drawn = plot([LONG], 80, 20, Look(style=style))
    upper = [line[1:] for line in drawn.lines[1:4]]
    assert any(cell.text.strip() for line in upper for cell in line)


def test_nothing_says_so() -> None:
    assert "no points yet" in plain(plot([Series.of("loss", [], [])], 60, 12, Look()).lines)
    assert "loss -" in plain(plot([Series.of("loss", [1], [math.nan])], 60, 12, Look()).lines)


def test_one_point_and_a_constant_are_drawn_in_the_middle() -> None:
    for series in (Series.of("a", [7], [3.0]), Series.of("a", [1, 2, 3], [3.0, 3.0, 3.0])):
        text = plain(plot([series], 60, 21, Look()).lines).splitlines()
        rows = [n for n, line in enumerate(text) if any("⠀" < glyph <= "⣿" for glyph in line)]
        assert rows in ([9], [10])


def test_a_value_that_is_no_number_is_a_gap_in_the_line() -> None:
    whole = Series.of("a", [0, 10], [1.0, 1.0])
    broken = Series.of("a", [0, 5, 10], [1.0, math.nan, 1.0])
    x, y = Scale(0.0, 10.0), Scale(0.0, 2.0)

    def cells(series: Series) -> int:
        return sum(map(bool, b"".join(draw(buckets(series, x, 40), series.breaks, y, 20, 4))))

    assert (cells(whole), cells(broken)) == (20, 2)


def test_each_of_several_series_has_its_own_mark_in_legend_and_curve() -> None:
    series = [Series.of(f"run {n}", range(50), [n + 0.1 * k for k in range(50)]) for n in range(3)]
    text = plain(plot(series, 80, 20, Look()).lines)
    assert all(text.count(glyph) >= 2 for glyph in "●▲■")


def test_more_series_than_can_be_told_apart_are_counted_instead() -> None:
    series = [Series.of(f"run {n}", [1, 2], [n, n]) for n in range(MOST + 3)]
    assert "+3 more" in plain(plot(series, 100, 20, Look()).lines)


def test_the_crosshair_shows_the_values_at_its_step() -> None:
    series = Series.of("loss", [0, 100, 200], [3.0, 2.0, 1.0])
    text = plain(plot([series], 80, 20, Look(cross=100.0)).lines)
    assert "step 100" in text
    assert "loss 2" in text
    assert "┊" in text.splitlines()[4]


def test_smoothing_starts_at_the_first_value_and_keeps_a_constant() -> None:
    assert Series.of("a", range(5), [2.0] * 5).smoothed(0.9).ys == pytest.approx([2.0] * 5)
    smooth = Series.of("a", range(3), [1.0, 0.0, 0.0]).smoothed(0.5).ys
    assert smooth == pytest.approx([1.0, 1 / 3, 1 / 7])


def test_on_a_log_scale_what_is_not_positive_is_a_gap() -> None:
    found = Series.of("a", [1, 2, 3], [1.0, 0.0, 10.0]).positive()
    assert (list(found.xs), list(found.breaks)) == ([1, 3], [2])


def test_a_step_computed_again_replaces_what_came_after_the_resume() -> None:
    curve = Curve("loss")
    for step, value in ((1, 3.0), (2, 2.0), (3, 9.0), (2, 2.1)):
        curve.add(step, step, value)
    assert (curve.steps, curve.values, curve.last_step) == ([1, 2], [3.0, 2.1], 2)


def test_ticks_are_round_and_inside() -> None:
    assert ticks(Scale(0.03, 0.98), 5) == pytest.approx([0.2, 0.4, 0.6, 0.8])
    assert ticks(Scale(0.5, 2_000.0, True), 5) == pytest.approx([1.0, 10.0, 100.0, 1_000.0])
    assert [nice_step(w, 5) for w in (1.0, 3.0, 7.0, 60.0)] == pytest.approx([0.2, 1.0, 2.0, 20.0])
    assert labels([0.2, 0.4]) == ["0.2", "0.4"]
    assert labels([0.0, 20_000.0]) == ["0", "20k"]
    assert clock_labels([0, 300, 3_600]) == ["0", "5m", "1h"]


_MOMENTS = st.floats(0.0, 10.0 * 366 * 86_400)
_SPANS = st.one_of(st.floats(1.0, 600.0), st.floats(1.0, 86_400.0), st.floats(1.0, 10.0 * 366 * 86_400))


@example(47_940.0, 180.0, 13)  # 13:19 to 13:22
@example(0.0, 2.0 * 366 * 86_400, 2)
@given(_MOMENTS, _SPANS, st.integers(1, 20))
def test_no_two_neighbours_of_a_time_axis_say_the_same(low: float, width: float, most: int) -> None:
    at = ticks(Scale(low, low + width), most, clock_step)
    for said in (date_labels(at, datetime(2026, 6, 13, tzinfo=UTC)), day_labels(at) if width < 86_400 else []):
        assert all(before != after for before, after in itertools.pairwise(said)), said


@example(0.1234561, 8e-7, 60, 12, Look())
@example(1e12, 5.0, 60, 12, Look())
@example(0.0, 172_800.0, 40, 12, Look(by_time=True, of_day=True))
@given(
    st.floats(-1e12, 1e15),
    st.floats(1e-6, 1e9),
    st.integers(12, 160),
    st.integers(6, 40),
    st.sampled_from(_LOOKS_ALONG),
)
def test_no_two_neighbours_of_any_axis_say_the_same(
    low: float, width: float, cells: int, rows: int, look: Look
) -> None:
    """Whatever the format cannot tell apart is said once."""
    drawn = plot([Series.of("a", [low, low + width], [low, low + width])], cells, rows, look)
    lines = plain(drawn.lines).split("\n")
    heights = [line[: drawn.left - 1].strip() for line in lines[1:-2] if "┤" in line]
    assert all(before != after for before, after in itertools.pairwise(filter(None, heights))), heights
    along = _A_LABEL.findall(lines[-1])
    assert all(before != after for before, after in itertools.pairwise(along)), along


@example([2.2e-311])
@example([0.0, 5e-324])
@given(st.lists(st.floats(-1e300, 1e300), max_size=5))
def test_every_value_is_inside_its_scale(values: list[float]) -> None:
    scale = scale_of(values)
    assert all(scale.low <= value <= scale.high for value in values)
    assert scale.low < scale.high
    assert all(0 <= scale.rows(40)(value) < 40 for value in values)


def test_a_terminal_without_utf_8_gets_ascii_and_a_slow_one_blocks() -> None:
    assert style_for({"LANG": "C"}, lite=False) == "ascii"
    assert style_for({"LANG": "de_DE.UTF-8", "TERM": "linux"}, lite=False) == "blocks"
    assert style_for({}, lite=True) == "blocks"
    assert style_for({"LC_ALL": "en_US.utf8"}, lite=False) == "braille"
    text = plain(plot([Series.of("a", [1, 2], [1, 2])], 40, 10, Look(style="ascii", cross=1.0)).lines)
    assert text.isascii()
