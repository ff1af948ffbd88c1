"""Strips, sentences and curves of monitors: from views to cells, without a terminal."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from store.wire import (
    HeatColumn,
    HeatView,
    HeatWindow,
    WatchWindowView,
    WindowColumn,
    WindowMetric,
    WindowPerformance,
    WindowSlice,
)
from tests.unit.ui import watching
from tests.unit.ui.moments import NOW
from tui.charts.plot import Look, plot
from tui.charts.series import Series
from tui.charts.ticks import date_labels, moment_label
from tui.rows import heat, watched
from tui.rows.proof import proof
from tui.rows.shape import overlay
from tui.rows.words import stretch
from tui.table.column import Frame
from tui.text import plain

FRAME = Frame(NOW, UTC)


def column(**changes: Any) -> HeatColumn:
    facts: dict[str, Any] = {
        "name": "amount",
        "subject": "feature",
        "state": "steady",
        "reason": "",
        "measure": "psi",
        "value": 0.1,
        "limit": 0.2,
        "levels": [0.5],
    }
    return HeatColumn(**{**facts, **changes})


def window(place: int, **changes: Any) -> WatchWindowView:
    facts: dict[str, Any] = {
        "monitor": "late",
        "version": 1,
        "start": NOW + timedelta(hours=place - 1),
        "end": NOW + timedelta(hours=place),
        "rows": 100,
        "labelled": 0,
        "columns": [],
        "performance": None,
        "estimate": None,
        "service": None,
        "report": None,
        "restated_at": None,
        "rev": 1,
    }
    return WatchWindowView(**{**facts, **changes})


@pytest.mark.parametrize(
    ("level", "sign"),
    [(None, "·"), (0.0, "▁"), (0.49, "▁"), (0.5, "▃"), (0.8, "▅"), (0.999, "▅"), (1.0, "█"), (40.0, "█"), (-0.1, "▁")],
)
def test_a_level_has_a_glyph_whose_height_says_what_its_colour_does(level: float | None, sign: str) -> None:
    assert heat.glyph(level) == sign
    assert sign in heat.GLYPHS


def test_the_newest_window_stands_at_the_right_of_a_strip_whatever_their_number() -> None:
    assert heat.strip([0.0, 1.0], 4).text == "  ▁█"
    assert heat.strip([0.0] * 30 + [1.0], 4).text == "▁▁▁█"


def test_a_monitor_is_as_near_to_its_limits_as_the_nearest_of_its_columns() -> None:
    moments = [HeatWindow(start=NOW, end=NOW, version=1, rows=1, labelled=0)] * 2
    view = HeatView(
        monitor="late",
        windows=moments,
        columns=[column(levels=[0.2, None]), column(levels=[0.9, None])],
        measured=None,
        coverage=None,
        estimated=None,
        report=None,
        state=None,
        reason="",
        at=None,
        run=None,
    )
    assert heat.worst(view) == [0.9, None]


def test_what_decides_is_written_with_its_limit_and_red_only_where_it_drifted() -> None:
    assert heat.deciding(column()) == ("psi 0.1 < 0.2", "dim")
    assert heat.deciding(column(value=0.3)) == ("psi 0.3 ≥ 0.2", "warn")
    assert heat.deciding(column(value=0.3, state="drifted")) == ("psi 0.3 ≥ 0.2", "bad")
    assert heat.deciding(column(measure=None)).text == "-"


def test_a_measure_that_a_window_lacks_leaves_a_gap_and_its_limit_a_line() -> None:
    told = WindowColumn(name="amount", subject="feature", reached=False, measures={"psi": 0.1}, limits={"psi": 0.2})
    windows = [window(0, columns=[told]), window(1), window(2, columns=[told])]
    measure, limit = watched.measure_curves(column(), "psi", windows, NOW)
    assert measure.values == [0.1, None, 0.1]
    assert limit.values == [0.2, 0.2]
    assert len(watched.measure_curves(column(), "mean", windows, NOW)) == 1


def test_slices_stand_with_the_worst_first_by_what_is_better_of_the_metric() -> None:
    def told(metric: str) -> str:
        def one(value: str, reached: float) -> WindowSlice:
            metrics = [WindowMetric(metric=metric, value=reached)]
            return WindowSlice(column="kind", value=value, rows=10, labelled=5, metrics=metrics)

        whole = [WindowMetric(metric=metric, value=0.5)]
        performance = WindowPerformance(coverage=0.5, metrics=whole, slices=[one("high", 0.9), one("low", 0.1)])
        return plain(watched.slices(metric, [window(0, performance=performance)], FRAME))

    assert told("auc").index("low") < told("auc").index("high")
    assert told("rmse").index("high") < told("rmse").index("low")
    assert "no window has slices" in plain(watched.slices("auc", [window(0)], FRAME))


def test_without_labels_and_estimates_it_is_said_that_nothing_is_known() -> None:
    assert "is not known" in plain(watched.accuracy_lines("", [window(0)], FRAME))


def test_shapes_of_numbers_and_of_words_fit_into_the_lines_that_they_get() -> None:
    one = WindowColumn(
        name="amount", subject="feature", reached=True, measures={"psi": 0.314, "mean": 24.9}, limits={"psi": 0.2}
    )
    for view in (watching.amounts(), watching.kinds()):
        for height in (8, 12, 30):
            lines = overlay(view, window(0, columns=[one]), 60, height, "braille", FRAME)
            assert len(lines) <= height
            assert all(len(line) <= 66 for line in plain(lines).split("\n"))
            assert plain(lines).split("\n")[1].strip() == "psi 0.31 ≥ 0.2"
    text = plain(overlay(watching.kinds(), window(0), 70, 12, "ascii", FRAME))
    assert "home" in text
    assert "44% of" in text
    assert "new words  3% before 0%" in text


def test_a_window_is_named_by_its_span_and_how_many_came_after_it() -> None:
    windows = [window(place) for place in range(3)]
    assert watched.named(windows, 2, FRAME) == "the newest window: Jun 15 13:00 to 14:00, 100 rows"
    assert watched.named(windows, 1, FRAME) == "1 window before the newest: Jun 15 12:00 to 13:00, 100 rows"
    assert watched.named(windows, 0, FRAME).startswith("2 windows before the newest")


@pytest.mark.parametrize(
    ("start", "end", "said"),
    [
        (datetime(2026, 6, 14, 22, tzinfo=UTC), datetime(2026, 6, 15, 0, tzinfo=UTC), "Jun 14 22:00 to Jun 15 00:00"),
        (
            datetime(2026, 6, 14, 22, tzinfo=UTC),
            datetime(2026, 6, 14, 22, 0, 7, tzinfo=UTC),
            "Jun 14 22:00:00 to 22:00:07",
        ),
        (datetime(2025, 6, 14, tzinfo=UTC), datetime(2025, 6, 21, tzinfo=UTC), "2025-06-14 00:00 to 2025-06-21 00:00"),
    ],
)
def test_a_span_says_as_much_as_tells_its_ends_apart(start: datetime, end: datetime, said: str) -> None:
    assert stretch(start, end, FRAME) == said


def test_days_stand_where_days_begin_and_times_between() -> None:
    since = datetime(2026, 6, 13, tzinfo=UTC)
    assert date_labels([0.0, 43_200.0, 86_400.0], since) == ["Jun 13", "12:00", "Jun 14"]
    assert date_labels([0.0, 3_600.0, 86_400.0, 86_430.0], since) == ["Jun 13", "01:00", "Jun 14", "00:00:30"]
    assert date_labels([0.0, 400 * 86_400.0], since) == ["2026-06-13", "2027-07-18"]
    assert moment_label(86_400.0 + 3_600.0, since) == "Jun 14 01:00"
    assert moment_label(86_400.0 + 3_601.0, since) == "Jun 14 01:00:01"


def test_what_happened_meanwhile_is_an_upright_line_with_words_in_the_legend() -> None:
    series = Series.of("psi", [0.0, 100.0], [0.1, 0.1])
    drawn = plain(plot([series], 40, 8, Look(by_time=True, marks=(50.0,), marked="v2 went live")).lines)
    assert "╎ v2 went live" in drawn
    assert drawn.count("╎") > 3
    assert ":" in plain(plot([series], 40, 8, Look(by_time=True, marks=(50.0,), marked="v2", style="ascii")).lines)
    outside = plain(plot([series], 40, 8, Look(by_time=True, marks=(500.0,), marked="v2 went live")).lines)
    assert outside.count("╎") == 1


def test_evidence_that_comes_in_rows_is_a_table_without_its_sentences_and_without_what_is_not_known() -> None:
    measures = [
        {"measure": "psi", "value": 0.3, "limit": 0.2, "reason": "psi 0.3 where 0.2 counts; 2 of 3 windows reach it"},
        {"measure": "ks", "value": 0.05, "limit": None},
    ]
    text = plain(proof({"mean": 24.5, "new": None, "limits": {"psi": 0.2}, "measures": measures, "seen": True}))
    assert text.split("\n") == [
        "",
        "evidence",
        "mean        24.5",
        "limits.psi  0.2",
        "seen        yes",
        "",
        "measures",
        "measure  value  limit",
        "psi        0.3    0.2",
        "ks        0.05      -",
    ]
    assert proof({}) == []
