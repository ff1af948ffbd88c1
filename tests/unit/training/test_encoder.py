"""What the train part alone says about inputs and target."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.training.batches import Rows
from pipeline.training.encoder import MAX_VOCABULARY, encode_rows, fit_signature
from pipeline.training.figures import prepare, target_scale
from pipeline.trainingset import Feature
from pipeline.versions.signature import FIRST_WORD, MISSING, UNSEEN, FeatureKind, InputColumn, Signature
from store.errors import Unlearnable
from tests.examples import examples


def table(**columns: list[object]) -> pa.Table:
    return pa.table({"late": [0, 1, 1, 0][: len(next(iter(columns.values())))], **columns})


def features(**kinds: FeatureKind) -> list[Feature]:
    return [Feature(name, kind) for name, kind in kinds.items()]


def prepared(values: np.ndarray, bins: int) -> np.ndarray:
    rows = Rows(values.astype(np.float32), np.zeros((len(values), 0), np.int32), np.zeros(len(values), np.float32))
    signature = fit_signature(table(x=[1.0, 2.0]), features(x="numeric"), "late", "binary")
    return prepare(rows, signature, bins, seed=0).edges


def test_words_are_numbered_by_frequency_then_alphabet() -> None:
    train = table(word=["b", "a", "c", "b"])
    signature = fit_signature(train, features(word="categorical"), "late", "binary")
    assert signature.inputs[0].vocabulary == ["b", "a", "c"]
    rows = encode_rows(table(word=["c", None, "new", "b"]), signature)
    assert np.asarray(rows.categorical)[:, 0].tolist() == [FIRST_WORD + 2, MISSING, UNSEEN, FIRST_WORD]


def test_a_vocabulary_is_bounded() -> None:
    count = MAX_VOCABULARY + 10
    train = pa.table({"late": [0, 1] * (count // 2), "word": [f"w{i:05d}" for i in range(count)]})
    signature = fit_signature(train, features(word="categorical"), "late", "binary")
    assert len(signature.inputs[0].vocabulary) == MAX_VOCABULARY


def test_targets_have_the_type_of_their_task() -> None:
    words = pa.table({"kind": ["x", "z", "y", "z"], "n": [1.0, 2.0, 3.0, 4.0]})
    many = fit_signature(words, features(n="numeric"), "kind", "multiclass")
    target = np.asarray(encode_rows(words, many).target)
    assert target.dtype == np.int32
    assert target.tolist() == [0, 2, 1, 2]
    two = fit_signature(table(n=[1.0] * 4), features(n="numeric"), "late", "binary")
    assert np.asarray(encode_rows(table(n=[1.0] * 4), two).target).dtype == np.float32
    number = fit_signature(words, features(n="numeric"), "n", "regression")
    assert np.asarray(encode_rows(words, number).target).tolist() == [1.0, 2.0, 3.0, 4.0]


def test_a_label_that_training_never_saw_is_refused() -> None:
    signature = fit_signature(table(n=[1.0] * 4), features(n="numeric"), "late", "binary")
    with pytest.raises(Unlearnable):
        encode_rows(pa.table({"late": [0, 2], "n": [1.0, 2.0]}), signature)


@pytest.mark.slow
@settings(max_examples=examples(60))
@given(
    values=st.lists(st.floats(-1e6, 1e6, width=32) | st.just(float("nan")), min_size=1, max_size=80),
    bins=st.integers(2, 16),
)
def test_edges_ascend_from_the_smallest_to_the_largest_value(values: list[float], bins: int) -> None:
    edges = prepared(np.array(values)[:, None], bins)[0]
    assert edges.shape == (bins + 1,)
    assert (np.diff(edges) >= 0).all()
    known = [value for value in values if value == value]
    if known:
        assert edges[0] == pytest.approx(min(known))
        assert edges[-1] == pytest.approx(max(known))


def test_few_distinct_values_are_edges_themselves() -> None:
    """A flag that is 1 in one row of a thousand must not vanish between quantiles."""
    values = np.zeros((1000, 1))
    values[7] = 1.0
    assert set(prepared(values, 8)[0]) == {0.0, 1.0}


def test_edges_of_many_values_are_quantiles() -> None:
    values = np.random.default_rng(0).exponential(size=(5000, 1))
    np.testing.assert_allclose(prepared(values, 4)[0], np.quantile(values, [0, 0.25, 0.5, 0.75, 1]), rtol=1e-5)


def test_figures_leave_out_what_is_missing_and_survive_columns_without_values() -> None:
    rows = Rows(
        np.array([[1.0, np.nan, 7.0], [3.0, np.nan, 7.0]], np.float32),
        np.zeros((2, 0), np.int32),
        np.array([0.0, 1.0], np.float32),
    )
    columns: dict[str, FeatureKind] = {"a": "numeric", "b": "numeric", "c": "numeric"}
    signature = Signature(
        inputs=[InputColumn(name=name, kind=kind) for name, kind in columns.items()],
        task="binary",
        label="late",
        classes=["0", "1"],
    )
    found = prepare(rows, signature, 4, seed=0)
    assert found.mean.tolist() == [2.0, 0.0, 7.0]
    assert found.deviation.tolist() == [1.0, 1.0, 1.0]
    assert np.isfinite(found.edges).all()


def test_a_constant_target_does_not_divide_by_zero() -> None:
    rows = Rows(np.zeros((3, 1), np.float32), np.zeros((3, 0), np.int32), np.full(3, 5.0, np.float32))
    assert target_scale(rows) == (5.0, 1.0)
