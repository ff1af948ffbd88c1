"""Columns of vectors: what is read of them, when they have moved, and what chance alone gives."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest

from pipeline.stats.measured import Floats
from pipeline.stats.mmd import mmd
from pipeline.watching.assessed import Assessed
from pipeline.watching.assessment import Assessment
from pipeline.watching.vectors import Vectors, as_vectors, chance, vector_column, vector_columns, vectors_assessed
from tests.unit.watching.log import plain

Array = npt.NDArray[Any]


def cloud(seed: int, rows: int = 1000, numbers: int = 16, shift: float = 0.0) -> Vectors:
    return Vectors(np.random.default_rng(seed).normal(shift, 1, (rows, numbers)), 0)


def told(before: Vectors, now: Vectors, **other: Any) -> Assessed:
    return vectors_assessed("text", before, now, np.random.default_rng(0), limit=0.1, **other)


def column(*rows: Any, kind: pa.DataType | None = None) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array(list(rows), kind or pa.list_(pa.float32()))])


def test_lists_of_numbers_are_vectors_and_lists_of_words_are_none() -> None:
    schema = pa.schema(
        {
            "fixed": pa.list_(pa.float32(), 4),
            "free": pa.list_(pa.float64()),
            "large": pa.large_list(pa.int16()),
            "words": pa.list_(pa.string()),
            "number": pa.float64(),
        }
    )
    assert vector_columns(schema) == ["fixed", "free", "large"]


def test_rows_of_the_commonest_length_are_read_and_others_are_counted() -> None:
    found = as_vectors(column([1, 2], None, [3, 4], [5], [], [6, math.nan], [None, 7]))
    assert found.rows.tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert found.left_out == 5
    fixed = as_vectors(column([1, 2], None, [3, 4], kind=pa.list_(pa.float32(), 2)))
    assert (fixed.rows.tolist(), fixed.left_out) == ([[1.0, 2.0], [3.0, 4.0]], 1)
    assert as_vectors(column([1], [1, 2])).rows.tolist() == [[1.0, 2.0]]
    for none in (column(), column(None, None), column([], [])):
        assert len(as_vectors(none).rows) == 0


@pytest.mark.slow
def test_a_cloud_that_moved_is_found_and_one_that_did_not_is_clear() -> None:
    same, moved = told(cloud(1), cloud(2)), told(cloud(1), cloud(2, shift=0.3))
    assert (same.answer, moved.answer) == ("clear", "found")
    assert moved.evidence["mmd"] > 0.15
    assert moved.reason == f"maximum mean discrepancy {moved.evidence['mmd']:.3f} where 0.1 counts, of 1,000 vectors"
    plain(moved.document())
    assert told(cloud(1), cloud(2, shift=0.3)) == moved


def test_how_numbers_go_together_is_seen_where_no_single_one_moves() -> None:
    rng = np.random.default_rng(3)
    first = rng.normal(size=(1000, 1))
    together = Vectors(np.hstack([first, first + 0.1 * rng.normal(size=(1000, 1))]), 0)
    apart = Vectors(np.hstack([first, rng.permutation(together.rows[:, 1:])]), 0)
    assert told(together, apart).answer == "found"


def test_of_vectors_of_another_length_nothing_else_needs_to_be_said() -> None:
    found = told(cloud(1), cloud(2, numbers=8))
    assert (found.answer, found.reason) == ("found", "its vectors have 8 numbers, and those of the reference 16")


def test_few_rows_one_row_and_none_are_not_judged() -> None:
    assert told(cloud(1), cloud(2, rows=499)).reason == "499 rows of a side have a vector, and 500 are needed"
    assert told(cloud(1), cloud(2, rows=1), least_rows=1).answer == "not yet"
    assert told(cloud(1), as_vectors(column())).answer == "not yet"


def test_constant_vectors_are_as_before_until_they_are_others() -> None:
    def constant(value: float) -> Vectors:
        return Vectors(np.full((800, 5), value), 0)

    assert told(constant(0.1), constant(0.1)).evidence["mmd"] == 0.0
    assert told(constant(0.1), constant(0.2)).answer == "found"


def test_vectors_that_are_missing_are_told() -> None:
    assert told(cloud(1), Vectors(cloud(2).rows, 250)).reason.endswith("; 250 rows have none that could be compared")


@pytest.mark.slow
def test_chance_is_known_from_halves_of_the_reference() -> None:
    def squares(n: int, m: int) -> Floats:
        draw = np.random.default_rng(n + m)
        found = [mmd(draw.normal(size=(n, 4)), draw.normal(size=(m, 4)), draw) for _ in range(150)]
        return np.array([one.squared for one in found if one is not None])

    for n, m in ((400, 400), (400, 100)):
        draw = np.random.default_rng(n)
        one = mmd(draw.normal(size=(n, 4)), draw.normal(size=(m, 4)), draw, halves=64)
        assert one is not None
        found = squares(n, m)
        assert one.noise == pytest.approx(found.std(), rel=0.4)
        assert chance(one.noise) > math.sqrt(found.max())


@pytest.mark.slow
def test_it_drifts_by_the_rule_of_all_columns() -> None:
    def windows(*shifts: float) -> list[Assessment]:
        clouds = [cloud(10 + place, shift=one) for place, one in enumerate(shifts)]
        return [Assessment(verdicts=[told(cloud(1), one).document()]) for one in clouds]

    steady = vector_column("text", windows(0.0, 0.0, 0.4), 3, 2)
    assert (steady["state"], steady["kind"], steady["measures"][0]["reached"]) == ("steady", "vector", 1)
    drifted = vector_column("text", windows(0.0, 0.4, 0.4), 3, 2)
    assert drifted["state"] == "drifted"
    assert drifted["reason"].endswith("; 2 of 3 windows reach it")
    assert vector_column("text", windows(0.4), 3, 2)["state"] == "not yet"
