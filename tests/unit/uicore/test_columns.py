"""Columns: fixed widths, exact cells, nothing measured."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from tui.table.column import GAP, GUTTER, Cell, Column, fit, place

COLUMNS: list[Column[int]] = [
    Column(key="id", title="id", width=6, draw=lambda row, _: Cell(str(row))),
    Column(key="text", title="text", width=10, grows=True, draw=lambda row, _: Cell("x" * row)),
    Column(key="more", title="more", width=8, extra=True, draw=lambda row, _: Cell("")),
]


@given(st.text(), st.integers(0, 30), st.booleans())
def test_a_fitted_text_fills_its_cells_exactly_whatever_it_holds(text: str, width: int, right: bool) -> None:
    fitted = fit(text, width, right=right)
    assert cell_len(fitted) == width
    assert fitted.isprintable(), "nothing that a terminal would obey"


def test_what_a_run_prints_cannot_command_the_terminal() -> None:
    assert fit("\x1b]52;c;eA==\x07done\n\x9b2J", 20) == "�]52;c;eA==�done �2J"


def test_a_long_text_ends_with_an_ellipsis_and_a_number_stands_to_the_right() -> None:
    assert fit("upstream_failed", 8) == "upstrea…"
    assert fit("12", 5, right=True) == "   12"
    assert fit("日本語テキスト", 6) == "日本 …"


def test_a_column_that_was_given_a_width_keeps_it_and_the_others_share_the_rest() -> None:
    placed = place(COLUMNS, 80, given={"id": 10})
    assert [one.width for one in placed] == [10, 80 - GUTTER - 10 - GAP]
    assert [one.width for one in place(COLUMNS, 80, given={"text": 12})] == [6, 12]


@given(st.integers(1, 300), st.booleans())
def test_columns_never_overlap_and_the_growing_one_takes_the_rest(width: int, extra: bool) -> None:
    placed = place(COLUMNS, width, extra=extra)
    assert placed[0].x == GUTTER
    for left, right in pairwise(placed):
        assert right.x == left.end + GAP
    least = GUTTER + sum(one.column.width + GAP for one in placed) - GAP
    assert placed[-1].end == max(width, least)


def test_extra_columns_are_there_when_asked_for() -> None:
    assert [one.column.key for one in place(COLUMNS, 80)] == ["id", "text"]
    assert [one.column.key for one in place(COLUMNS, 80, extra=True)] == ["id", "text", "more"]
