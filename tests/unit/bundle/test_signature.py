"""Columns to arrays and labels to classes: the same numbers whatever type or batch a value came in."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from pipeline.versions.encoding import encode, encode_labels, label_classes
from pipeline.versions.signature import InputColumn, Signature
from store.errors import SchemaChanged, Unlearnable

VOCABULARY = ["AA", "UA", "true", "7"]
SIGNATURE = Signature(
    inputs=[
        InputColumn(name="word", kind="categorical", vocabulary=VOCABULARY),
        InputColumn(name="number", kind="numeric"),
    ],
    task="binary",
    label="late",
    classes=["false", "true"],
)


def encoded(words: Any, numbers: Any) -> tuple[list[int], list[float]]:
    numeric, categorical = encode(pa.table({"word": words, "number": numbers}), SIGNATURE)
    assert numeric.dtype == np.dtype(np.float32)
    assert categorical.dtype == np.dtype(np.int32)
    return categorical[:, 0].tolist(), numeric[:, 0].tolist()


@pytest.mark.slow
@given(st.lists(st.one_of(st.none(), st.sampled_from(VOCABULARY), st.text(max_size=3)), min_size=1))
def test_words_become_their_place_in_the_vocabulary_and_all_others_one_number(words: list[str | None]) -> None:
    expected = [0 if w is None else VOCABULARY.index(w) + 2 if w in VOCABULARY else 1 for w in words]
    numbers = pa.array([0.0] * len(words))
    assert encoded(pa.array(words, pa.string()), numbers)[0] == expected
    assert encoded(pa.array(words, pa.string()).dictionary_encode(), numbers)[0] == expected


@pytest.mark.slow
@given(st.lists(st.one_of(st.none(), st.floats(width=32, allow_infinity=False)), min_size=1))
def test_numbers_stay_and_nothing_becomes_nan(numbers: list[float | None]) -> None:
    found = encoded(pa.array(["AA"] * len(numbers)), pa.array(numbers, pa.float64()))[1]
    np.testing.assert_array_equal(found, [np.nan if n is None else n for n in numbers])


@pytest.mark.parametrize("value", [pa.array([7]), pa.array([7.0]), pa.array([7], pa.int8()), pa.array(["7"])])
def test_a_whole_number_is_the_same_word_in_every_type(value: pa.Array) -> None:
    assert encoded(value, pa.array([1.0]))[0] == [5]


def test_truth_values_are_words_and_numbers() -> None:
    assert encoded(pa.array([True, None]), pa.array([True, False])) == ([4, 0], [1.0, 0.0])


def test_nan_and_infinity_are_missing() -> None:
    assert encoded(pa.array([float("nan")]), pa.array([0.0]))[0] == [0]
    assert np.isnan(encoded(pa.array(["AA"] * 2), pa.array([np.inf, 1e300]))[1]).all()


def test_a_column_without_any_value_is_missing_everywhere() -> None:
    words, numbers = encoded(pa.nulls(2), pa.nulls(2))
    assert words == [0, 0]
    assert np.isnan(numbers).all()


def test_an_empty_table_has_empty_arrays() -> None:
    assert encoded(pa.array([], pa.string()), pa.array([], pa.float64())) == ([], [])


def test_text_where_a_number_should_be_is_refused_by_name() -> None:
    with pytest.raises(SchemaChanged, match="column number is a string, the model takes a number"):
        encoded(pa.array(["AA"]), pa.array(["1.5"]))


def test_classes_are_ordered_as_their_values_are() -> None:
    assert label_classes(pa.chunked_array([[10, 9, None, 10]])) == ["9", "10"]
    assert label_classes(pa.chunked_array([[True, False]])) == ["false", "true"]


def test_labels_become_class_numbers_and_an_unknown_one_is_refused() -> None:
    assert encode_labels(pa.chunked_array([[True, False]]), SIGNATURE).tolist() == [1, 0]
    with pytest.raises(Unlearnable, match="1 rows have no usable value of late"):
        encode_labels(pa.chunked_array([["true", "maybe"]]), SIGNATURE)
    with pytest.raises(Unlearnable, match="1 rows"):
        encode_labels(pa.chunked_array([[True, None]]), SIGNATURE)


def test_labels_of_a_regression_are_finite_numbers() -> None:
    price = Signature(inputs=SIGNATURE.inputs, task="regression", label="price")
    assert encode_labels(pa.chunked_array([[1, 2]]), price).tolist() == [1.0, 2.0]
    with pytest.raises(Unlearnable):
        encode_labels(pa.chunked_array([[1.0, None]]), price)


def test_a_binary_signature_has_two_classes() -> None:
    with pytest.raises(ValidationError, match="does not have 1 classes"):
        Signature(inputs=SIGNATURE.inputs, task="binary", label="late", classes=["true"])
