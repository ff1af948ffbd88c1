"""Performance by slice: the worst first, each against itself in the evidence."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from scipy.stats import norm

from pipeline.judging.evaluate import slice_facts
from pipeline.judging.evidence import SliceFacts
from pipeline.stats.auc import auc
from pipeline.watching.numbers import NumberCells, NumberProfile
from pipeline.watching.slices import edges_of, grouped, judged_slices, slices


def world(seed: int, rows: int = 4000, blind: str = "") -> tuple[Any, Any, Any]:
    """Labels, scores and carriers; of `blind` the scores say nothing."""
    rng = np.random.default_rng(seed)
    carriers = rng.choice(["AA", "UA", "DL", "ZZ"], rows, p=[0.5, 0.3, 0.19, 0.01])
    logits = rng.normal(size=rows)
    labels = (rng.random(rows) < 1 / (1 + np.exp(-1.5 * logits))).astype(np.int32)
    scores = 1 / (1 + np.exp(-np.where(carriers == blind, rng.normal(size=rows), 1.5 * logits)))
    return labels, scores, carriers


def test_the_slice_that_got_worse_comes_first_and_small_ones_are_left_out() -> None:
    labels, scores, carriers = world(1, blind="DL")
    found = slices("auc", labels, scores, {"carrier": carriers})
    assert found[0].value == "DL"
    assert {one.value for one in found} == {"AA", "UA", "DL"}  # ZZ has 40 rows
    chosen = carriers == "DL"
    assert found[0].now == pytest.approx(auc(labels[chosen] == 1, scores[chosen]))
    assert found[0].adjusted is not None
    assert found[0].adjusted < 1e-6
    json.dumps([one.document() for one in found], allow_nan=False)


def test_the_numbers_are_those_of_the_evidence_of_the_same_rows() -> None:
    labels, scores, carriers = world(2, blind="UA")
    theirs = {one.value: one for one in slice_facts("auc", labels, scores, {"carrier": carriers}) if one.rows >= 100}
    ours = {one.value: one for one in slices("auc", labels, scores, {"carrier": carriers})}
    assert ours.keys() == theirs.keys()
    for value, one in ours.items():
        assert (one.rows, one.now, one.drop) == pytest.approx(
            (theirs[value].rows, theirs[value].objective, theirs[value].drop)
        )


def test_a_slice_is_judged_against_itself_when_the_version_was_made() -> None:
    before = slice_facts("auc", *world(3, 20_000)[:2], {"carrier": world(3, 20_000)[2]})
    labels, scores, carriers = world(4, blind="DL")
    told, *others = judged_slices(slices("auc", labels, scores, {"carrier": carriers}, before), 0.02)
    assert {one.answer for one in others} == {"clear"}
    assert (told.answer, told.subject) == ("found", "auc where carrier = DL")
    assert told.evidence["before_rows"] > 3000
    json.dumps(told.document(), allow_nan=False)
    same = slices("auc", *world(5)[:2], {"carrier": world(5)[2]}, before)
    assert {one.answer for one in judged_slices(same, 0.02)} == {"clear"}


def test_slices_that_the_evidence_does_not_know_raise_nothing() -> None:
    labels, scores, carriers = world(6, blind="AA")
    assert judged_slices(slices("auc", labels, scores, {"carrier": carriers}), 0.0) == []
    strange = [SliceFacts(column="carrier", value="QQ", rows=10, objective=0.9, drop=0.0, p_value=None, adjusted=None)]
    assert judged_slices(slices("auc", labels, scores, {"carrier": carriers}, strange), 0.0) == []


@pytest.mark.slow
def test_without_a_change_one_of_twenty_windows_has_a_slice_that_is_found() -> None:
    """At a limit of 0; every limit that matters makes it rarer."""
    rng = np.random.default_rng(7)
    hits = rng.random((600, 8000)) < 0.7
    carriers = rng.choice(["AA", "UA", "DL", "BB"], 8000)
    alarms = 0
    for first, second in zip(hits[::2], hits[1::2], strict=True):
        labels, scores = np.ones(8000, np.int32), np.where(first, 0.9, 0.1)
        before = slice_facts("accuracy", labels, scores, {"carrier": carriers})
        now = slices("accuracy", labels, np.where(second, 0.9, 0.1), {"carrier": carriers}, before)
        alarms += any(one.answer == "found" for one in judged_slices(now, 0.0))
    assert alarms <= 30


def test_no_rows_have_no_slices_and_a_single_value_has_no_p_value() -> None:
    assert slices("accuracy", np.zeros(0), np.zeros(0), {"a": np.zeros(0, np.str_)}) == []
    labels, scores, _ = world(8, 500)
    (only,) = slices("accuracy", labels, scores, {"a": np.full(500, "x")})
    assert (only.drop, only.adjusted) == (0.0, None)


def test_numbers_are_grouped_by_the_references_quarters_and_words_by_themselves() -> None:
    reference = norm.ppf((np.arange(20_000) + 0.5) / 20_000)
    cells = NumberCells.fit(reference)
    edges = edges_of(NumberProfile.of(cells, pa.array(reference)))
    assert edges == pytest.approx(norm.ppf([0.25, 0.5, 0.75]), abs=0.01)
    rows = pa.chunked_array([pa.array([-9.0, edges[0], 0.5, None, 99.0])])
    assert grouped(rows, edges).tolist() == [
        f"up to {edges[0]:.4g}",
        f"up to {edges[0]:.4g}",
        f"{edges[1]:.4g} to {edges[2]:.4g}",
        "(missing)",
        f"above {edges[2]:.4g}",
    ]
    assert grouped(pa.chunked_array([pa.array(["a", None])])).tolist() == ["a", "(missing)"]
    constant = NumberProfile.of(NumberCells.fit([3.0]), pa.array([3.0] * 10))
    assert len(set(grouped(pa.chunked_array([pa.array([3.0, 3.0])]), edges_of(constant)).tolist())) == 1
    assert edges_of(NumberProfile.empty(NumberCells.fit([]))).tolist() == []
