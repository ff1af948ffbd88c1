"""What counts as drift: effects, not chance; lasting, not once; and never on a handful of rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from pipeline.stats.measured import Floats
from pipeline.watching.measures import Measures, measures
from pipeline.watching.numbers import NumberCells, NumberProfile
from pipeline.watching.verdict import Limits, Rules, decided
from pipeline.watching.words import WordCells, WordProfile


def window(rows: int = 1000, **known: float) -> Measures:
    return Measures(**{"rows": rows, "reference_rows": 100_000, "psi": 0.0, **known})  # type: ignore[arg-type]


def test_a_measure_that_reaches_its_limit_in_two_of_three_windows_is_drift() -> None:
    found = decided([window(psi=0.5), window(psi=0.1), window(psi=0.41, ks=0.02)], Rules())
    assert found.answer == "drifted"
    assert found.reason == "PSI 0.410 where 0.2 counts; 2 of 3 windows reach it"
    assert [one.measure for one in found.findings] == ["psi", "ks"]


def test_a_value_that_the_newest_window_has_below_the_limit_is_said_to_be_its() -> None:
    """`0.140 where 0.2 counts` was the reason why a column had drifted."""
    found = decided([window(psi=0.5), window(psi=0.41), window(psi=0.14)], Rules())
    assert found.answer == "drifted"
    assert found.reason == "PSI 0.140 in the newest window where 0.2 counts; 2 of 3 windows reach it"


def test_one_window_out_of_line_is_no_drift_and_neither_is_what_was_long_ago() -> None:
    assert decided([window(), window(), window(psi=3.0)], Rules()).answer == "steady"
    old = [window(psi=3.0)] * 5 + [window()] * 3
    assert decided(old, Rules()).answer == "steady"


def test_two_measures_once_each_are_not_one_measure_twice() -> None:
    assert decided([window(psi=0.5), window(ks=0.5), window()], Rules()).answer == "steady"


def test_small_windows_say_nothing_and_are_told() -> None:
    found = decided([window(499, psi=9.0)] * 5 + [window(psi=9.0)], Rules())
    assert (found.answer, found.reason) == ("not yet", "1 window of at least 500 rows so far, and 2 are needed")
    assert decided([], Rules()).answer == "not yet"


def test_a_small_reference_says_nothing() -> None:
    found = decided([Measures(rows=900, reference_rows=40, psi=9.0)] * 3, Rules())
    assert (found.answer, found.reason) == ("not yet", "the reference has 40 rows, and at least 500 are needed")


def test_a_column_without_any_value_on_either_side_has_nothing_to_compare() -> None:
    empty = Measures(rows=900, reference_rows=900)
    assert decided([empty] * 3, Rules()).answer == "not yet"


def test_the_limit_is_never_below_chance() -> None:
    """D of two samples of 500 exceeds 0.1 in one of a hundred cases."""
    one = Measures(rows=500, reference_rows=500, ks=0.12)
    (finding,) = decided([one] * 3, Rules()).findings
    assert finding.limit == pytest.approx(0.141, abs=0.001)
    assert finding.reached == 0
    assert decided([one] * 3, Rules(limits=Limits(ks=0.3))).findings[0].limit == 0.3


def test_what_is_missing_and_what_is_new_is_told_in_shares() -> None:
    gone = window(missing=0.12, reference_missing=0.003, missing_effect=0.6)
    assert "12.0% have no value and 0.3% of the reference, an effect of 0.600" in decided([gone] * 2, Rules()).reason
    back = window(missing=0.0, reference_missing=0.3, missing_effect=-1.2)
    assert decided([back] * 2, Rules()).answer == "drifted"
    new = Measures(rows=800, reference_rows=9000, new=0.06, reference_new=0.0, new_effect=0.5, examples=("zz", "zy"))
    assert (
        "6.0% are words that the reference hardly has (zz, zy; 0.0% there), an effect of 0.5"
        in decided([new] * 2, Rules()).reason
    )
    fewer = Measures(rows=800, reference_rows=9000, new=0.0, reference_new=0.06, new_effect=-0.5)
    assert decided([fewer] * 2, Rules()).answer == "steady"


def test_rules_that_no_windows_can_fulfil_are_refused() -> None:
    with pytest.raises(ValueError, match="4 of 3 windows"):
        Rules(needed=4)


def draws(rng: np.random.Generator, rows: int) -> list[Floats]:
    """Columns as they come: bell, long tail, many zeros, few values, constant, a third missing."""
    missing = rng.normal(size=rows)
    missing[rng.random(rows) < 0.33] = np.nan
    few = rng.choice(5, rows, p=[0.5, 0.3, 0.1, 0.09, 0.01]).astype(np.float64)
    return [
        rng.normal(size=rows),
        rng.lognormal(0, 1, rows),
        np.maximum(0.0, rng.normal(size=rows)),
        few,
        np.ones(rows),
        missing,
    ]


@pytest.mark.slow
@pytest.mark.parametrize(("reference", "rows"), [(20_000, 500), (500, 500), (2000, 1000)])
def test_without_drift_a_thousand_windows_have_at_most_one_alarm(reference: int, rows: int) -> None:
    rng = np.random.default_rng(5)
    rules = Rules(windows=1, needed=1)
    alarms = looks = 0
    for _ in range(6):
        profiles = [
            NumberProfile.of(cells, pa.array(values))
            for values in draws(rng, reference)
            for cells in [NumberCells.fit(values)]
        ]
        for _ in range(60):
            for profile, values in zip(profiles, draws(rng, rows), strict=True):
                found = measures(profile, NumberProfile.of(profile.cells, pa.array(values)))
                alarms += decided([found], rules).answer == "drifted"
                looks += 1
    assert looks == 2160
    assert alarms <= 2


@pytest.mark.slow
def test_without_drift_words_raise_no_alarm() -> None:
    rng = np.random.default_rng(6)
    draw: dict[str, Callable[[int], Any]] = {
        "few": lambda rows: rng.choice(list("abcd"), rows, p=[0.7, 0.2, 0.09, 0.01]),
        "many": lambda rows: np.array([f"w{n}" for n in rng.integers(0, 300, rows)]),
        "names": lambda rows: np.array([f"w{n}" for n in rng.zipf(1.4, rows)]),
    }
    alarms = 0
    for one in draw.values():
        reference = pa.array(one(20_000), pa.string())
        profile = WordProfile.of(WordCells.fit(reference), reference)
        for _ in range(200):
            found = measures(profile, WordProfile.of(profile.cells, pa.array(one(500), pa.string())))
            alarms += decided([found], Rules(windows=1, needed=1)).answer == "drifted"
    assert alarms <= 1


@pytest.mark.slow
def test_a_shift_of_a_third_of_a_deviation_is_found_in_2000_rows() -> None:
    rng = np.random.default_rng(7)
    reference = rng.normal(size=20_000)
    cells = NumberCells.fit(reference)
    profile = NumberProfile.of(cells, pa.array(reference))
    found = [measures(profile, NumberProfile.of(cells, pa.array(rng.normal(0.3, 1, 2000)))) for _ in range(200)]
    told = sum(decided([one], Rules(windows=1, needed=1)).answer == "drifted" for one in found)
    assert told >= 190
