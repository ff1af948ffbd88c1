"""Both hashes against published or independently made values, and their spread over [0, 1)."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chisquare, kstest

from pipeline.traffic.hashing import HashName, keyed, position

HASHES: list[HashName] = ["blake2b", "growthbook"]

PUBLISHED = [
    ("seed", "a", 0.0505),
    ("seed", "b", 0.2696),
    ("foo", "ab", 0.2575),
    ("foo", "def", 0.2019),
    ("89123klj", "8952klfjas09ujkasdf", 0.124),
    ("90850943850283058242805", "123", 0.7516),
    ("()**(%$##$%#$#", '___)((*":&', 0.0128),
    # Not published: made with the JavaScript of its SDK, whose text is UTF-16.
    ("late-canary-1", "user-1", 0.5254),
    ("grüße", "Zoë 🚲", 0.9184),
]
"""All rows of version 2 of `hash` in GrowthBook's cases.json, specVersion 0.7.1 (growthbook/growthbook-python, MIT)."""

DIGESTS = [
    ("late-canary-1", "user-1", 0x534257B99EA59BC8),
    ("late-canary-1", "user-2", 0x210211E1C469978F),
    ("s", "", 0x2EED9F30B5756DAB),
    ("grüße", "Zoë 🚲", 0x3454C16540F0849D),
]
"""By `openssl mac -macopt hexkey:SALT -macopt size:8 BLAKE2BMAC`, OpenSSL 3.0."""


@pytest.mark.parametrize(("seed", "unit", "place"), PUBLISHED)
def test_growthbooks_hash_gives_its_published_values(seed: str, unit: str, place: float) -> None:
    assert position(unit, seed, "growthbook") == place


@pytest.mark.parametrize(("salt", "unit", "digest"), DIGESTS)
def test_ours_is_the_keyed_blake2b_of_openssl(salt: str, unit: str, digest: int) -> None:
    assert position(unit, salt) == (digest >> 11) / 2**53


@given(st.text(), st.text(min_size=1, max_size=16), st.sampled_from(HASHES))
def test_every_unit_has_one_place_below_one(unit: str, salt: str, name: HashName) -> None:
    place = position(unit, salt, name)
    assert 0.0 <= place < 1.0
    assert place == position(unit, salt, name)


@pytest.mark.parametrize("name", HASHES)
def test_half_of_a_surrogate_pair_in_an_id_fails_nothing(name: HashName) -> None:
    assert 0.0 <= position("\ud83d", "salt", name) < 1.0


def places(salt: str, count: int, name: HashName) -> npt.NDArray[np.float64]:
    return np.array([position(f"user-{number}", salt, name) for number in range(count)])


@pytest.mark.slow
@pytest.mark.parametrize(("name", "salts"), [("blake2b", 1000), ("growthbook", 300)])
def test_places_are_even_under_many_salts(name: HashName, salts: int) -> None:
    counts = np.array([np.histogram(places(f"salt-{s}", 1000, name), 20, (0, 1))[0] for s in range(salts)])
    p_values = chisquare(counts, axis=1).pvalue
    assert 0.001 < chisquare(counts.sum(axis=0)).pvalue < 0.999
    assert kstest(p_values, "uniform").pvalue > 0.001  # neither too uneven nor too even


@pytest.mark.slow
@pytest.mark.parametrize("name", HASHES)
def test_places_under_two_salts_have_nothing_to_do_with_each_other(name: HashName) -> None:
    drawn = [places(salt, 100_000, name) for salt in ("late-1", "late-2", "late-3", "other")]
    assert max(abs(np.corrcoef(one, two)[0, 1]) for one, two in combinations(drawn, 2)) < 0.01


def test_two_purposes_are_two_draws() -> None:
    units = [f"user-{number}" for number in range(50_000)]
    one, two = [keyed(u, "s") for u in units], [keyed(u, "s", b"shadow") for u in units]
    assert abs(np.corrcoef(one, two)[0, 1]) < 0.02
