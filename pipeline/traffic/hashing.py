"""From a unit's id and an experiment's salt to a place in [0, 1): the same for ever, everywhere, without state."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final, Literal

HashName = Literal["blake2b", "growthbook"]
"""`growthbook`: version 2 of GrowthBook's hash, for products that assign the same units by its SDKs."""
SALT_BYTES: Final = 64
"""A salt is BLAKE2b's key, and no longer than one can be (RFC 7693)."""

_FNV_OFFSET: Final = 0x811C9DC5
_FNV_PRIME: Final = 0x01000193
_BUCKETS: Final = 10_000


def position(unit: str, salt: str, name: HashName = "blake2b") -> float:
    """The unit's place in [0, 1). Units spread evenly, and their places under two salts are independent.

    `salt`: 1 to 64 bytes of UTF-8 for `blake2b`, anything for `growthbook`.
    """
    return growthbook(unit, salt) if name == "growthbook" else keyed(unit, salt)


def keyed(unit: str, salt: str, purpose: bytes = b"") -> float:
    """BLAKE2b (RFC 7693) of the unit, keyed by the salt: its first 53 bits, so that the quotient is exact and below 1.

    All 64 bits would not do: (2⁶⁴ - 1) / 2⁶⁴ rounds to 1. `purpose`: up to 16 bytes, each giving a draw of its own.
    """
    digest = blake2b(_bytes(unit), digest_size=8, key=_bytes(salt), person=purpose).digest()
    return (int.from_bytes(digest, "big") >> 11) / 9007199254740992  # 2**53


def _bytes(text: str) -> bytes:
    """UTF-8, and something for a lone surrogate, which JSON may bring: no unit's id fails a request."""
    return text.encode(errors="surrogatepass")


def growthbook(unit: str, seed: str) -> float:
    """fnv1a32(decimal digits of fnv1a32(seed + unit)) mod 10,000 / 10,000: GrowthBook's hash, version 2.

    Over UTF-16 code units, as its JavaScript SDK reads text; its SDKs differ in what lies beyond them.
    """
    return _fnv1a32(str(_fnv1a32(seed + unit))) % _BUCKETS / _BUCKETS


def _fnv1a32(text: str) -> int:
    """Fowler, Noll & Vo, 32 bits, variant 1a."""
    value = _FNV_OFFSET
    wide = memoryview(text.encode("utf-16-le", "surrogatepass")).cast("H")
    for code in wide:
        value = (value ^ code) * _FNV_PRIME & 0xFFFFFFFF
    return value
