"""Rows outside of what a version learned from."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.versions.signature import FeatureKind
from pipeline.watching.numbers import NumberCells, NumberProfile
from pipeline.watching.profile import Profiles, cells_of, fit, profile
from pipeline.watching.support import beyond, support, support_assessed
from pipeline.watching.words import WordCells, WordProfile
from tests.examples import examples
from tests.unit.watching.log import plain

KINDS: dict[str, FeatureKind] = {"x": "numeric", "carrier": "categorical"}


def table(x: Any, carrier: Any) -> pa.Table:
    return pa.table({"x": pa.array(x, pa.float32()), "carrier": pa.array(carrier, pa.string())})


def learned(rows: pa.Table) -> Profiles:
    return profile(fit(rows, KINDS), rows.to_batches())


REFERENCE = learned(table(np.linspace(0, 1, 2000), ["AA", "UA"] * 1000))


def test_rows_count_once_and_columns_each() -> None:
    rows = table([0.5, -1.0, 2.0, None, math.inf, 3.0], ["AA", "UA", "AA", None, "AA", "ZZ"])
    found = support(REFERENCE, rows)
    assert (found.rows, found.outside) == (6, 3)
    assert [(one.column, one.below, one.above, one.new) for one in found.columns] == [
        ("x", 1, 2, 0),
        ("carrier", 0, 0, 1),
    ]
    assert found.share == 0.5
    plain(found.document())


@settings(max_examples=examples(50), deadline=None)
@given(
    st.lists(st.one_of(st.none(), st.floats(width=32)), min_size=1, max_size=40),
    st.lists(st.floats(-100, 100, width=32), min_size=1, max_size=30),
)
def test_row_by_row_and_from_profiles_it_is_the_same(window: list[float | None], reference: list[float]) -> None:
    cells = NumberCells.fit(reference)
    before, now = (NumberProfile.of(cells, pa.array(one, pa.float32())) for one in (reference, window))
    one, rows = beyond("x", before, now), pa.table({"x": pa.array(window, pa.float32())})
    found = support({"x": before}, rows)
    low, high = min(reference), max(reference)
    finite = [value for value in window if value is not None and math.isfinite(value)]
    assert (one.below, one.above) == (sum(v < low for v in finite), sum(v > high for v in finite))
    assert found.outside == one.below + one.above
    assert one.expected == 0.0


def test_words_are_counted_the_same_from_profiles() -> None:
    cells = WordCells.fit(pa.array(["a", "a", "b", "b", "c"]))
    before, now = (WordProfile.of(cells, pa.array(one)) for one in (["a", "a", "b", "b", "c"], ["a", "c", "d", None]))
    found = beyond("w", before, now)
    assert (found.new, found.share, found.expected) == (2, 0.5, 0.2)
    with pytest.raises(ValueError, match="cannot be compared"):
        beyond("w", before, REFERENCE["x"])


def test_a_reference_without_a_number_knows_none_and_empty_windows_have_no_share() -> None:
    nothing = NumberProfile.of(NumberCells.fit([]), pa.array([None] * 5, pa.float32()))
    assert support({"x": nothing}, pa.table({"x": pa.array([1.0, None], pa.float32())})).outside == 1
    assert support(REFERENCE, table([], [])).share is None
    assert cells_of(REFERENCE).keys() == KINDS.keys()


def test_it_is_judged_against_rows_like_those_it_learned_from() -> None:
    rng = np.random.default_rng(1)
    trained = table(rng.normal(size=3000), rng.choice(["AA", "UA"], 3000))
    reference = learned(trained)
    before = support(reference, table(rng.normal(size=2000), rng.choice(["AA", "UA"], 2000)))
    same = support(reference, table(rng.normal(size=2000), rng.choice(["AA", "UA"], 2000)))
    other = support(reference, table(rng.normal(2.5, 1, 2000), rng.choice(["AA", "ZZ"], 2000)))
    assert support_assessed(same, before).answer == "clear"
    told = support_assessed(other, before)
    assert (told.answer, told.subject) == ("found", "support")
    assert "of 2,000 rows lie outside" in told.reason
    assert "(carrier 49.5%, x 10.2%)" in told.reason
    plain(told.document())
    few = support_assessed(support(reference, table([1.0], ["AA"])), before)
    assert (few.answer, few.reason) == ("not yet", "1 rows, and at least 500 are needed")
