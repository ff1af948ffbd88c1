"""A label as it is sent: what it may be, and what its sender hears of one that it may not."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.labels.record import Label, from_line, read_label, to_line

_SCALARS = st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False, allow_infinity=False) | st.text()
_VALUES = _SCALARS | st.lists(_SCALARS, min_size=1, max_size=5)
_IDS = st.text(min_size=1, max_size=50)


def label(**given: Any) -> Label:
    return read_label(given, arrived_us=7)


@pytest.mark.slow
@given(_IDS, _VALUES, _IDS)
def test_a_line_says_what_was_sent(request: str, value: Any, name: str) -> None:
    sent = label(request=request, value=value, name=name)
    assert from_line(to_line(sent)) == sent


def test_a_label_is_of_a_request_or_of_a_unit_at_a_time() -> None:
    assert label(request="a", value=True) == Label("label", "a", None, None, "true", 7, "")
    later = label(unit="ann", at="1970-01-01T01:00:01+01:00", value=2.5, name="revenue")
    assert later == Label("revenue", None, "ann", 1_000_000, "2.5", 7, "")
    assert label(request=17, value="x").request == "17"


@pytest.mark.parametrize(("left", "right"), [(1, 1.0), (0, -0.0), ([1, "a"], [1.0, "a"])])
def test_equal_numbers_are_the_same_label_however_they_are_written(left: Any, right: Any) -> None:
    assert label(request="a", value=left).value == label(request="a", value=right).value


@pytest.mark.parametrize(("left", "right"), [(1, True), (0, "0"), ([1], 1)])
def test_a_number_a_truth_value_and_a_word_are_different_labels(left: Any, right: Any) -> None:
    assert label(request="a", value=left).value != label(request="a", value=right).value


def test_keys_tell_apart_whatever_could_be_mixed_up() -> None:
    keys = [
        label(request="a", value=1).key,
        label(request="a", value=1, name="b").key,
        label(unit="a", at="2026-01-01T00:00:00Z", value=1).key,
        label(unit="a", at="2026-01-02T00:00:00Z", value=1).key,
        label(request='a",1', value=1).key,
    ]
    assert len(set(keys)) == len(keys)
    assert label(request="a", value=1).key == label(request="a", value=2, at="2026-01-01T00:00:00Z").key


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ([1], "a label is an object"),
        ({"request": "a", "unit": "b", "at": "2026-01-01T00:00:00Z", "value": 1}, "and not both"),
        ({"value": 1}, "names the request that it is of"),
        ({"unit": "b", "value": 1}, "needs `at`"),
        ({"request": "a"}, "needs a value"),
        ({"request": "a", "value": None}, "a value is true, false"),
        ({"request": "a", "value": float("nan")}, "a value is true, false"),
        ({"request": "a", "value": float("inf")}, "a value is true, false"),
        ({"request": "a", "value": 2**70}, "a value is true, false"),
        ({"request": "a", "value": {"x": 1}}, "a value is true, false"),
        ({"request": "a", "value": []}, "has 1 to 10000 rows"),
        ({"request": "a", "value": "x" * 1001}, "a value is true, false"),
        ({"request": "", "value": 1}, "`request` is text of 1 to 1000 letters"),
        ({"request": True, "value": 1}, "`request` is text"),
        ({"request": "a", "value": 1, "at": "yesterday"}, "`at` is a time with its offset"),
        ({"request": "a", "value": 1, "at": "2026-01-01T00:00:00"}, "`at` is a time with its offset"),
        ({"request": "a", "value": 1, "at": 17}, "`at` is a time with its offset"),
        ({"request": "a", "lable": 1}, "a label has no 'lable'"),
    ],
)
def test_what_is_no_label_is_told_in_a_sentence(given: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_label(given, arrived_us=7)


@pytest.mark.parametrize("line", [b"x", b"{}", b"[]", b'{"name":1}', b"\xff"])
def test_a_line_of_somebody_else_is_none_of_ours(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"no line of labels|Expecting value|decode"):
        from_line(line)


def test_half_a_surrogate_pair_becomes_text_that_can_be_kept() -> None:
    assert label(request="\ud83d!", value="\ud83d").request == "?!"
