"""Windows told apart by a classifier, and by which columns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.versions.signature import FeatureKind
from pipeline.watching.classifier import apart_assessed, told_apart
from pipeline.watching.matrix import matrix, vocabulary
from tests.unit.watching.log import plain

KINDS: dict[str, FeatureKind] = {"a": "numeric", "b": "numeric", "noise": "numeric", "carrier": "categorical"}


def table(seed: int, rows: int = 1500, *, together: float = 0.9, carriers: str = "AA UA DL") -> pa.Table:
    """`a` and `b` have one distribution each, whatever their correlation is."""
    rng = np.random.default_rng(seed)
    a = rng.normal(size=rows)
    b = together * a + np.sqrt(1 - together**2) * rng.normal(size=rows)
    columns: dict[str, Any] = {"a": a, "b": b, "noise": rng.normal(size=rows)}
    return pa.table(
        {
            **{name: pa.array(one, pa.float32()) for name, one in columns.items()},
            "carrier": rng.choice(carriers.split(), rows),
        }
    )


@pytest.mark.slow
def test_what_no_column_shows_is_told_with_the_columns_that_show_it() -> None:
    found = told_apart(table(1), table(2, together=0.0), KINDS, np.random.default_rng(0))
    assert found is not None
    assert found.auc > 0.7
    assert {name for name, _ in found.columns[:2]} == {"a", "b"}
    told = apart_assessed(found)
    assert (told.kind, told.subject, told.answer) == ("drift", "rows", "found")
    assert "where 0.6 counts; by " in told.reason
    plain(told.document())
    assert told_apart(table(1), table(2, together=0.0), KINDS, np.random.default_rng(0)) == found


@pytest.mark.slow
def test_new_words_are_told_and_rows_of_one_kind_are_not() -> None:
    new = told_apart(table(1), table(2, carriers="AA UA ZZ"), KINDS, np.random.default_rng(0))
    assert new is not None
    assert new.columns[0][0] == "carrier"
    same = told_apart(table(1), table(2), KINDS, np.random.default_rng(0))
    assert same is not None
    assert (apart_assessed(same).answer, same.columns) == ("clear", ())


@pytest.mark.slow
def test_of_few_rows_chance_sets_the_limit_and_of_fewer_nothing_is_said() -> None:
    few = told_apart(table(1, 60), table(2, 60), KINDS, np.random.default_rng(0))
    assert few is not None
    assert few.limit == pytest.approx(0.5 + 3.9 * np.sqrt(121 / (12 * 60 * 60)))
    assert apart_assessed(few).reason == "60 rows on a side, and at least 500 are needed"
    assert told_apart(table(1, 5), table(2), KINDS, np.random.default_rng(0)) is None
    assert apart_assessed(None).answer == "not yet"


def test_words_have_numbers_by_how_common_they_are_and_missing_none() -> None:
    rows = pa.table({"w": ["b", "a", "b", None, "c"], "x": pa.array([1.0, None, np.inf, 2.0, 3.0], pa.float32())})
    kinds: dict[str, FeatureKind] = {"w": "categorical", "x": "numeric"}
    words = vocabulary([rows], kinds, most=2)
    assert words == {"w": ["b", "a"]}
    expected = np.array([[1, 1], [2, np.nan], [1, np.nan], [np.nan, 2], [0, 3]])
    assert np.array_equal(matrix(rows, kinds, words), expected, equal_nan=True)
