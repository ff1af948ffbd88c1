"""Packed bytes: opened whole or refused, wherever they are cut."""

from __future__ import annotations

import gzip
import io
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sources.bytestream import Allowance, ChunkFile, bounded, gunzipped
from store.errors import SourceMalformed, SourceTooLarge


def chunked(data: bytes, size: int) -> Iterator[bytes]:
    return (data[i : i + size] for i in range(0, len(data), size))


@given(st.lists(st.binary(max_size=2000), min_size=1, max_size=4), st.integers(1, 300))
def test_any_number_of_gzip_members_in_any_chunks_gives_the_same_bytes(members: list[bytes], size: int) -> None:
    packed = b"".join(gzip.compress(member) for member in members)
    assert b"".join(gunzipped(chunked(packed, size), "x")) == b"".join(members)


@given(st.binary(min_size=1, max_size=3000), st.integers(1, 300), st.data())
def test_gzip_cut_anywhere_is_refused(content: bytes, size: int, data: st.DataObject) -> None:
    packed = gzip.compress(content)
    cut = data.draw(st.integers(2, len(packed) - 1))
    with pytest.raises(SourceMalformed, match="cut off"):
        list(gunzipped(chunked(packed[:cut], size), "x"))


def test_damaged_gzip_is_refused() -> None:
    packed = bytearray(gzip.compress(b"some rows " * 100))
    packed[15] ^= 0xFF
    with pytest.raises(SourceMalformed, match="damaged"):
        list(gunzipped([bytes(packed)], "x"))


def test_what_is_not_gzip_goes_through_as_it_is() -> None:
    assert b"".join(gunzipped([b"i", b"", b"d\n1\n"], "x")) == b"id\n1\n"
    assert b"".join(gunzipped([], "x")) == b""


def test_the_bound_counts_what_came_and_what_is_declared() -> None:
    allowance = Allowance(limit=10, where="sources.x")
    assert list(bounded([b"12345"], allowance)) == [b"12345"]
    allowance.declare(5, "it")
    with pytest.raises(SourceTooLarge, match="it has 6 bytes, and 10 bytes are allowed"):
        allowance.declare(6, "it")
    with pytest.raises(SourceTooLarge, match="max_bytes"):
        list(bounded([b"123456"], allowance))


@given(st.lists(st.binary(max_size=50), max_size=20), st.integers(1, 64))
def test_chunks_read_as_a_file_are_the_same_bytes(chunks: list[bytes], buffer: int) -> None:
    assert io.BufferedReader(ChunkFile(iter(chunks)), buffer).read() == b"".join(chunks)
