"""Capped logs: bounded on disk, and read by offsets that stay true when the oldest part is dropped."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.logs import read_log
from pipeline.process.cappedlog import CappedLog


def write(log: Path, pieces: list[bytes], cap: int) -> CappedLog:
    capped = CappedLog(str(log), cap)
    for piece in pieces:
        capped.write(piece)
    capped.close()
    return capped


@pytest.mark.slow
@given(pieces=st.lists(st.binary(max_size=40), max_size=20), cap=st.integers(2, 60), step=st.integers(1, 30))
def test_what_is_kept_is_the_end_of_what_was_written(pieces: list[bytes], cap: int, step: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "stdout.log"
        ascii_only = [bytes(b & 0x7F for b in piece) for piece in pieces]
        capped = write(log, ascii_only, cap)
        everything = b"".join(ascii_only).decode()
        assert sum(file.stat().st_size for file in Path(folder).iterdir()) <= cap
        chunk = read_log(log, 0)
        assert (chunk.size, chunk.dropped) == (len(everything), capped.dropped)
        assert chunk.text == everything[chunk.dropped :]
        text, offset = "", chunk.dropped
        while offset < chunk.size:
            part = read_log(log, offset, step)
            text, offset = text + part.text, part.offset
        assert text == everything[chunk.dropped :]


@pytest.mark.slow
@given(text=st.text(max_size=60), limit=st.integers(4, 20))
def test_a_character_is_never_cut(text: str, limit: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "stdout.log"
        write(log, [text.encode()], 10_000)
        got, offset = "", 0
        while offset < len(text.encode()):
            chunk = read_log(log, offset, limit)
            got, offset = got + chunk.text, chunk.offset
        assert got == text


def test_bytes_that_are_no_text_are_shown_as_replaced(tmp_path: Path) -> None:
    log = tmp_path / "stdout.log"
    write(log, [b"a\xff\xfe\xff\xfe\xffb"], 100)
    assert read_log(log).text == "a\ufffd\ufffd\ufffd\ufffd\ufffdb"


def test_the_end_of_a_log_is_asked_for_by_a_negative_offset(tmp_path: Path) -> None:
    log = tmp_path / "stdout.log"
    write(log, [b"0123456789"], 100)
    assert read_log(log, -3).text == "789"


def test_an_offset_that_was_dropped_gives_the_oldest_that_is_there(tmp_path: Path) -> None:
    log = tmp_path / "stdout.log"
    write(log, [b"0123456789"], 4)
    assert read_log(log, 1).text == "6789"


def test_a_log_that_does_not_exist_is_empty(tmp_path: Path) -> None:
    assert read_log(tmp_path / "none" / "stdout.log").size == 0
