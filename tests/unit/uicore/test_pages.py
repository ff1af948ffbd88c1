"""Pages against a plain list: whatever is asked for in whatever order, a row that is here is the right one."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from tui.table.pages import KEPT, PAGE, Pages
from tui.table.source import Slice

Row = tuple[int, str]


def window(rows: Sequence[Row], number: int, total: int | None) -> Slice[Row]:
    return Slice(rows[number * PAGE : (number + 1) * PAGE], number * PAGE, total)


def pages_of(rows: Sequence[Row], numbers: Sequence[int]) -> Pages[Row]:
    pages: Pages[Row] = Pages(lambda row: row[0])
    pages.exact = False
    for number in numbers:
        pages.put(number, window(rows, number, len(rows)))
    return pages


@given(st.integers(0, 5000), st.lists(st.integers(0, 45), max_size=60), st.integers(0, 5000))
def test_a_row_that_is_here_is_the_row_at_that_position(size: int, numbers: list[int], index: int) -> None:
    rows = [(n, "") for n in range(size)]
    pages = pages_of(rows, numbers)
    found = pages[index]
    assert found is None or found == rows[index]
    if numbers:
        assert pages.total == size
        last = numbers[-1] * PAGE
        assert pages[last] == (rows[last] if last < size else None), "the page that came last is never thrown out"


@given(st.integers(0, 3000), st.integers(0, 2900), st.integers(1, 100))
def test_what_is_missing_for_a_view_is_exactly_what_makes_it_whole(size: int, first: int, height: int) -> None:
    rows = [(n, "") for n in range(size)]
    pages = pages_of(rows, [0])
    last = min(size, first + height) - 1
    for number in pages.missing(first, last):
        pages.put(number, window(rows, number, size))
    assert all(pages[index] == rows[index] for index in range(first, last + 1))
    assert pages.missing(first, last) == [] or size == 0


def test_the_total_is_learnt_from_the_last_page_where_nobody_counted() -> None:
    rows = [(n, "") for n in range(300)]
    pages: Pages[Row] = Pages(lambda row: row[0])
    pages.exact = False
    pages.put(0, window(rows, 0, None))
    assert (pages.total, pages.exact) == (PAGE + 1, False), "there is at least one more: the view can scroll to it"
    pages.put(2, window(rows, 2, None))
    assert (pages.total, pages.exact) == (300, True)


def test_memory_is_bounded_however_far_one_scrolls() -> None:
    rows = [(n, "") for n in range(100 * PAGE)]
    pages = pages_of(rows, range(100))
    assert sum(pages[index] is not None for index in range(len(rows))) == KEPT * PAGE


def test_news_replaces_rows_in_their_places_and_says_which() -> None:
    rows = [(n, "queued") for n in range(10)]
    pages = pages_of(rows, [0])
    assert pages.replace({3: (3, "running"), 4: (4, "queued"), 99: (99, "running")}) == [3]
    assert pages[3] == (3, "running")


def test_a_row_is_found_only_where_it_is_certain_to_be() -> None:
    rows = [(n, "") for n in range(10)]
    pages = pages_of(rows, [0])
    assert pages.find(7) == 7
    pages.age()
    assert pages.find(7) is None, "the page is out of date"
    assert pages[7] == (7, ""), "and shown meanwhile"
