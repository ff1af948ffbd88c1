"""The shape of a column beside what it is held against: shares that add up, from profiles that are kept."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.watching.numbers import NumberCells, NumberProfile
from pipeline.watching.shape import STRETCHES, of_numbers, of_words, shape
from pipeline.watching.words import WordCells, WordProfile
from store.errors import NotFound
from tests.unit.watching.monitored import HOUR, START, Monitored, flights


def numbers(cells: NumberCells, values: Any) -> NumberProfile:
    return NumberProfile.of(cells, pa.array(values, pa.float64()))


def test_numbers_lie_in_stretches_of_equal_length_and_shares_add_up_to_what_has_a_value() -> None:
    rng = np.random.default_rng(0)
    before = rng.normal(10.0, 2.0, 20_000)
    cells = NumberCells.fit(before)
    found = of_numbers(numbers(cells, before), numbers(cells, [*rng.normal(12.0, 2.0, 900), *[None] * 100]))
    parts = found["parts"]
    assert len(parts) == STRETCHES
    lengths = {round(part["high"] - part["low"], 9) for part in parts}
    assert len(lengths) == 1
    assert sum(part["reference"] for part in parts) == pytest.approx(1.0)
    assert sum(part["current"] for part in parts) == pytest.approx(0.9)
    assert found["missing"] == pytest.approx(0.1)
    means = [sum((p["low"] + p["high"]) / 2 * p[side] for p in parts) for side in ("reference", "current")]
    assert means[0] == pytest.approx(10.0, abs=0.1)
    assert means[1] / 0.9 == pytest.approx(12.0, abs=0.15)


def test_few_values_have_a_part_each_and_what_is_beyond_lies_with_the_nearest() -> None:
    cells = NumberCells.fit([1.0, 2.0, 2.0, 3.0])
    found = of_numbers(numbers(cells, [1.0, 2.0, 2.0, 3.0]), numbers(cells, [0.0, 2.0, 9.0, np.inf]))
    assert [(part["label"], part["reference"], part["current"]) for part in found["parts"]] == [
        ("1", 0.25, 0.25),
        ("2", 0.5, 0.25),
        ("3", 0.25, 0.25),
    ]
    assert found["others"] == 0.25


def test_words_are_the_commonest_of_both_and_what_the_reference_hardly_knew_is_apart() -> None:
    cells = WordCells.fit(pa.array(["a"] * 6 + ["b"] * 4))
    before = WordProfile.of(cells, pa.array(["a"] * 6 + ["b"] * 4))
    now = WordProfile.of(cells, pa.array(["b"] * 7 + ["z", None, None]))
    found = of_words(before, now)
    assert [(part["label"], part["reference"], part["current"]) for part in found["parts"]] == [
        ("b", 0.4, 0.7),
        ("a", 0.6, 0.0),
    ]
    assert (found["others"], found["missing"]) == (0.1, 0.2)


def test_without_values_there_is_nothing_to_draw_and_all_is_missing() -> None:
    cells = NumberCells.fit([])
    found = of_numbers(numbers(cells, [None]), numbers(cells, [None, None]))
    assert found["missing"] == 1.0
    assert all(part["current"] == 0.0 for part in found["parts"])


@pytest.mark.slow
def test_a_window_that_was_told_is_read_from_its_profile(tmp_path: Path) -> None:
    section = {"dataset": "flights", "time": "at", "window": "1h", "trailing": 3, "least_rows": 300}
    one = Monitored(tmp_path, dict(section))
    for hour in range(6):
        one.put(flights(START + hour * HOUR, 600, seed=hour, shift=80.0 if hour == 4 else 0.0))
    one.now = START + 6 * HOUR
    told = one.run().windows
    facts = one.facts().monitor
    assert facts is not None
    wanted = one.project.monitors["watch"]

    def asked(place: int, column: str) -> dict[str, Any]:
        start = told[place]["start_us"]
        return shape(one.home, "watch", wanted, facts, column, version=0, start_us=start)

    found = asked(4, "distance")
    assert (found["kind"], found["rows"], found["reference_rows"]) == ("numeric", 600, 1_800)
    means = [sum((p["low"] + p["high"]) / 2 * p[side] for p in found["parts"]) for side in ("reference", "current")]
    assert means[1] - means[0] == pytest.approx(80.0, abs=10.0)
    assert {part["label"] for part in asked(4, "carrier")["parts"]} == {"AA", "UA", "DL"}
    with pytest.raises(NotFound, match="did you mean 'carrier'"):
        asked(4, "carier")
    with pytest.raises(NotFound, match="nothing that it could be held against"):
        asked(0, "distance")
    with pytest.raises(NotFound, match="no such window"):
        shape(one.home, "watch", wanted, facts, "distance", version=0, start_us=1)
