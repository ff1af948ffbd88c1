"""Lines there and back."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from pipeline.predictions.record import COLUMNS, Dropped, Prediction, from_line, to_line

plain: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
ids = st.text()
predictions = st.builds(
    Prediction,
    request=ids,
    at_us=st.integers(0, 2**53),
    model=ids,
    version=st.integers(1, 99),
    why=st.sampled_from(["assigned", "no unit", "pinned"]),
    unit=st.none() | ids,
    epoch=st.integers(0, 9),
    latency_us=st.integers(0, 10**9),
    status=st.sampled_from([200, 400, 500, 503]),
    inputs=plain,
    outputs=plain,
)


@pytest.mark.slow
@given(predictions)
def test_a_prediction_is_one_line_and_comes_back_as_it_was(one: Prediction) -> None:
    line = to_line(one)
    assert line.count(b"\n") == 1
    assert line.endswith(b"\n")
    assert from_line(line) == one


def test_a_notice_comes_back() -> None:
    assert from_line(to_line(Dropped(17, 5))) == Dropped(17, 5)


SAMPLE = Prediction("r-1", 1, "late", 2, "assigned", "u-1", 3, 250, 200, {"x": [1.0]}, [0.5])


def test_arrays_come_back_as_lists_and_nan_as_nan() -> None:
    found = from_line(to_line(SAMPLE._replace(inputs={"x": np.arange(3)}, outputs=np.array([np.nan]))))
    assert isinstance(found, Prediction)
    assert found.inputs == {"x": [0, 1, 2]}
    assert math.isnan(found.outputs[0])


@pytest.mark.slow
@given(
    hnp.arrays(
        st.sampled_from(["<f4", "<f8", "<f2", ">f4", "<i8", "<u2", "?"]),
        hnp.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=4),
    )
)
def test_an_array_comes_back_as_its_numbers(array: npt.NDArray[Any]) -> None:
    found = from_line(to_line(SAMPLE._replace(inputs={"x": array})))
    assert isinstance(found, Prediction)
    assert np.array_equal(np.array(found.inputs["x"], array.dtype).reshape(array.shape), array, equal_nan=True)


def test_a_column_of_that_name_is_left_alone() -> None:
    for value in (5, ["<f4"], ["<f4", [9], "AAAA"], ["no type", [1], "AAAA"]):
        one = SAMPLE._replace(inputs={"$array": value})
        assert from_line(to_line(one)) == one


def test_numbers_in_a_list_that_are_not_finite_are_missing() -> None:
    found = from_line(to_line(SAMPLE._replace(inputs={"x": [math.nan, math.inf, 1.0]})))
    assert isinstance(found, Prediction)
    assert found.inputs == {"x": [None, None, 1.0]}


def test_texts_are_written_as_texts() -> None:
    found = from_line(to_line(SAMPLE._replace(inputs=np.array(["a", "b"]))))
    assert isinstance(found, Prediction)
    assert found.inputs == ["a", "b"]


def test_what_is_no_json_is_refused() -> None:
    with pytest.raises(TypeError, match="object is no JSON"):
        to_line(SAMPLE._replace(inputs=object()))


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"\n",
        b"5\n",
        b"[1]\n",
        b"{}\n",
        b'{"dropped":"x","at_us":1}\n',
        to_line(SAMPLE)[:40],
        b"\xff\xfe\n",
        to_line(SAMPLE).replace(b'"version":2', b'"version":"two"'),
        to_line(SAMPLE).replace(b'"model"', b'"modal"'),
    ],
)
def test_a_line_that_is_none_of_ours_is_refused(line: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        from_line(line)


def test_many_columns_in_one_array_come_back_as_a_list_each_and_a_column_of_that_name_stays() -> None:
    numbers = np.array([[1.0, 2.0], [3.0, 4.0]], np.float32)
    line = Prediction("r", 1, "late", 2, "no unit", None, 1, 250, 200, None, None)
    together = line._replace(inputs=lambda: {COLUMNS: [("a", "b"), numbers], "c": ["x", "y"]})
    found = from_line(to_line(together))
    assert isinstance(found, Prediction)
    assert found.inputs == {"a": [1.0, 3.0], "b": [2.0, 4.0], "c": ["x", "y"]}
    for own in ({COLUMNS: [1, 2, 3]}, {COLUMNS: [["a"], [[1, 2]]]}, {COLUMNS: None}):
        found = from_line(to_line(line._replace(inputs=own)))
        assert isinstance(found, Prediction)
        assert found.inputs == own
