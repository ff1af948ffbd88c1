"""Labels from files as people have them."""

from __future__ import annotations

import pytest

from store.wire import Problem
from tui.failure import ClientError, Usage
from tui.labelfile import MOST_BYTES, parts, read
from tui.verbs.labels import refused

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


@pytest.mark.parametrize("word", ["007", "-01", "1_000", "nan", "Infinity", "0x1f", "1,5"])
def test_what_is_written_as_no_number_is_stays_the_word_that_it_is(word: str) -> None:
    """A class may be called 01: as the number 1 it is none of the model's."""
    assert [one["value"] for one in read(["request,value\n", f'a,"{word}"\n'])] == [word]


@pytest.mark.parametrize(("text", "number"), [("0", 0), ("-3", -3), ("0.5", 0.5), ("1e3", 1000.0), ("-0.25", -0.25)])
def test_what_is_written_as_a_number_is_one(text: str, number: float) -> None:
    assert [one["value"] for one in read(["request,value\n", f"a,{text}\n"])] == [number]


def test_of_a_file_in_several_requests_it_is_said_which_of_them_was_refused_and_that_those_before_are_kept() -> None:
    problem = Problem(
        title="no",
        status=422,
        detail="a label needs a value",
        code="DataError",
        where="labels[2]",
        remedy="correct it; none of them was kept",
    )
    first = refused(ClientError(problem), "labels.csv", kept=0)
    assert str(first) == "labels.csv, label 3: a label needs a value\n  → correct it; none of them was kept"
    later = refused(ClientError(problem), "labels.csv", kept=2000)
    assert later.where == "labels.csv, label 2,003"
    assert later.remedy == "correct it; then add the file again: the first 2,000 are kept, and change nothing"
    other = refused(ClientError(problem.model_copy(update={"where": "late", "remedy": "free space"})), "-", kept=5)
    assert other.where == "late"
    assert other.remedy == "free space; then add the file again: the first 5 are kept, and change nothing"


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
