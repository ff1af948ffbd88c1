"""Labels from files as people have them."""

from __future__ import annotations

import pytest

from tui.failure import Usage
from tui.labelfile import MOST_BYTES, parts, read

WANTED = [{"request": "a", "value": True}, {"request": "b", "value": 2}]


@pytest.mark.parametrize(
    "text",
    [
        '{"request": "a", "value": true}\n\n{"request": "b", "value": 2}\n',
        '\n[{"request": "a", "value": true},\n {"request": "b", "value": 2}]',
        "request,value\na,true\nb,2\n",
        "request,unit,value\na,,TRUE\nb,,2\n",
    ],
)
def test_json_lines_an_array_and_csv_say_the_same(text: str) -> None:
    assert list(read(text.splitlines(keepends=True))) == WANTED


def test_a_cell_is_a_number_where_it_can_be_one_and_else_a_word() -> None:
    found = read(["unit,at,name,value\n", "7,2026-01-01T00:00:00Z,revenue,2.5\n", "8,x,y,two\n"])
    assert [one["value"] for one in found] == [2.5, "two"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"request": "a", "value": 1}\nrubbish\n', "line 2 is not JSON"),
        ('[{"request": ', "the labels are not JSON"),
        ("request,label\na,1\n", "there is no column `value`: the header is request, label"),
        ("request,value\na,1,2\n", "line 2 has more cells than the header"),
    ],
)
def test_what_cannot_be_read_says_where(text: str, said: str) -> None:
    with pytest.raises(Usage, match=said):
        list(read(text.splitlines(keepends=True)))


def test_parts_are_small_enough_for_a_request_and_lose_nothing() -> None:
    labels = [{"request": str(number), "value": "x" * 900} for number in range(2000)]
    found = list(parts(labels, 1000))
    assert [one for part in found for one in part] == labels
    assert max(map(len, found)) < MOST_BYTES / 900
    assert list(parts(labels[:3], 2)) == [labels[:2], labels[2:3]]
    assert list(parts([], 2)) == []
