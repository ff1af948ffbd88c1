"""Rooms, ramps and routes: whoever has a treatment keeps it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.traffic.hashing import HashName
from pipeline.traffic.route import assigned, route
from pipeline.traffic.split import Shadow, Split, Treatment, laid_out, ramped, withdrawn
from store.errors import Conflict

UNITS = [f"user-{number}" for number in range(200_000)]


def canary(share: float = 0.0, name: HashName = "blake2b") -> Split:
    return ramped(laid_out("late-canary", 1, {2: 1.0}, name=name), 2, share)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "count"), [("blake2b", 200_000), ("growthbook", 20_000)])
def test_a_ramp_over_two_hundred_thousand_units_never_moves_a_treated_one_back(name: HashName, count: int) -> None:
    split, units, treated = canary(0.0, name), UNITS[:count], set[str]()
    for share in (0.01, 0.05, 0.1, 0.25, 0.5, 1.0):
        split = ramped(split, 2, share)
        now = {unit for unit in units if assigned(split, unit) == 2}
        assert treated <= now
        assert abs(len(now) / len(units) - share) <= 4 * (share * (1 - share) / len(units)) ** 0.5
        treated = now
    assert len(treated) == len(units)


shares = st.floats(0, 1)


@pytest.mark.slow
@given(
    st.lists(st.floats(0.01, 1), min_size=1, max_size=4), st.lists(st.tuples(st.integers(0, 3), shares), max_size=12)
)
def test_whatever_ramps_follow_each_other_a_treated_unit_stays_where_it_is(
    rooms: list[float], steps: list[tuple[int, float]]
) -> None:
    total = sum(rooms)
    versions = range(2, 2 + len(rooms))
    split = laid_out("salt", 1, {v: room / total for v, room in zip(versions, rooms, strict=True)})
    units = UNITS[:200]
    for which, fraction in steps:
        one = split.treatments[which % len(rooms)]
        before = [assigned(split, unit) for unit in units]
        split = ramped(split, one.version, max(one.share, fraction * (one.room - one.low)))
        after = [assigned(split, unit) for unit in units]
        assert all(
            new in {old, one.version} if old == 1 else new == old for old, new in zip(before, after, strict=True)
        )
        assert sum(split.shares.values()) == pytest.approx(1.0)


@pytest.mark.slow
def test_several_treatments_take_about_what_is_planned_and_control_the_rest() -> None:
    split = laid_out("three", 1, {2: 0.3, 3: 0.3, 4: 0.4})
    for version, share in ((2, 0.1), (3, 0.2), (4, 0.4)):
        split = ramped(split, version, share)
    assert split.shares == {1: 0.3, 2: 0.1, 3: 0.2, 4: 0.4}
    found = [assigned(split, unit) for unit in UNITS]
    for version, share in split.shares.items():
        assert found.count(version) / len(UNITS) == pytest.approx(share, abs=0.005)


@given(st.lists(st.one_of(st.integers(1, 100), st.floats(0.01, 1)), min_size=1, max_size=6), st.integers(50, 100))
def test_rooms_that_fill_all_there_is_can_be_laid_out_and_filled(parts: list[float], percent: int) -> None:
    """The last edge of 16, 2, 10 and 23 parts was rounded to 1.000000000001, and no such weights could be set."""
    shares = {version: part / sum(parts) for version, part in enumerate(parts, 2)}
    split = laid_out("salt", 1, shares)
    for fraction in (percent / 100, percent / 100, 1.0, 1.0):  # the same again is no way back
        for version, share in shares.items():
            split = ramped(split, version, share * fraction)
    assert split.shares == pytest.approx({1: 0.0, **shares}, abs=1e-9)
    assert all(0.0 <= one.low <= one.high <= one.room <= 1.0 for one in split.treatments)


def test_edges_are_those_of_growthbooks_buckets() -> None:
    split = laid_out("s", 1, {2: 0.1, 3: 0.2, 4: 0.7})
    assert [one.low for one in split.treatments] == [0.0, 0.1, 0.3]  # not 0.30000000000000004
    assert ramped(split, 4, 0.7).treatments[-1].high == 1.0


def test_a_ramp_down_is_refused_and_says_what_to_do() -> None:
    with pytest.raises(Conflict, match="moved back to control\n  → end the comparison"):
        ramped(canary(0.5), 2, 0.1)


def test_a_ramp_beyond_its_room_or_of_a_stranger_is_refused() -> None:
    split = laid_out("s", 1, {2: 0.5, 3: 0.5})
    with pytest.raises(Conflict, match=r"version 2 has room for 0\.5 of the units, not for 0\.6"):
        ramped(split, 2, 0.6)
    with pytest.raises(Conflict, match="version 7 is no treatment here"):
        ramped(split, 7, 0.1)


def test_a_withdrawn_treatments_units_are_controls_and_others_keep_theirs() -> None:
    split = ramped(ramped(laid_out("s", 1, {2: 0.5, 3: 0.5}), 2, 0.5), 3, 0.5)
    left = withdrawn(split, 2)
    units = UNITS[:1000]
    assert {assigned(left, unit) for unit in units if assigned(split, unit) == 2} == {1}
    assert {assigned(left, unit) for unit in units if assigned(split, unit) == 3} == {3}


def test_a_split_that_says_nothing_sensible_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="a salt has 1 to 64 bytes"):
        Split(salt="", control=1)
    with pytest.raises(ValueError, match=r"a salt has 1 to 64 bytes, and .* has 66"):
        Split(salt="ä" * 33, control=1)
    with pytest.raises(ValueError, match="different versions"):
        laid_out("s", 1, {1: 0.5})
    two = Treatment(version=2, low=0.0, high=0.1, room=0.5)
    with pytest.raises(ValueError, match="rooms of versions 2 and 3 overlap"):
        Split(salt="s", control=1, treatments=(two, replace(two, version=3, low=0.1)))
    with pytest.raises(ValueError, match="does not hold"):
        laid_out("s", 1, {2: 0.7, 3: 0.7})
    with pytest.raises(ValueError, match="more than 0 and at most 1"):
        Shadow(version=3, share=0.0)


def test_a_request_without_a_unit_gets_control_and_is_not_exposed() -> None:
    for unit in (None, ""):
        found = route(canary(1.0), unit=unit, request="r-1")
        assert (found.version, found.why, found.exposed) == (1, "no unit", False)


def test_a_pin_is_obeyed_and_kept_out_of_the_comparison_and_of_the_shadow() -> None:
    split = replace(canary(0.0), shadow=Shadow(version=3))
    found = route(split, unit="user-1", request="r-1", pin=2)
    assert (found.version, found.why, found.exposed, found.shadow) == (2, "pinned", False, None)


def test_a_unit_gets_the_same_version_with_every_request() -> None:
    split = canary(0.5)
    for unit in UNITS[:500]:
        versions = {route(split, unit=unit, request=f"r-{n}").version for n in range(5)}
        assert versions == {assigned(split, unit)}


def test_a_shadow_copies_its_share_of_requests_whoever_asks() -> None:
    every = replace(canary(0.5), shadow=Shadow(version=3))
    assert route(every, unit="u", request="r").shadow == 3
    some = replace(canary(0.5), shadow=Shadow(version=3, share=0.2))
    copied = [route(some, unit=None, request=f"r-{n}").shadow for n in range(20_000)]
    assert copied.count(3) / len(copied) == pytest.approx(0.2, abs=0.012)
    assert set(copied) == {None, 3}
