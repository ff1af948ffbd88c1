"""Patterns in logs: what `re` finds in each line is found, wherever pieces are cut, in time that grows with the log."""

from __future__ import annotations

import re
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon import logpattern
from daemon.logpattern import pattern
from daemon.logsearch import find
from store.errors import Refused
from store.patience import Stopped

_PATTERNS = [r"a+b", r"^a", r"b$", r"^a.b$", r"a|bb", r"[^a]b", r"\bab\b", r"é.", r"\d{2}", r"(a(b))c?", r"a\s*b"]


def _all(log: Path, text: str, *, backward: bool = False) -> Iterator[tuple[int, str]]:
    """Every line that fits, as who presses n, or N, sees them."""
    wanted, start = pattern(text, ignore_case=False), None
    while (hit := find(log, wanted, start, backward=backward, stop=lambda: False)).offset is not None:
        assert hit.line_offset is not None
        yield hit.line_offset, hit.line
        start = hit.line_offset if backward else hit.next_line


@pytest.mark.slow
@given(st.lists(st.text("abcé 1\r", max_size=6), max_size=12), st.sampled_from(_PATTERNS), st.integers(16, 40))
def test_the_lines_that_fit_are_those_that_fit_by_themselves(lines: list[str], text: str, piece: int) -> None:
    expected, at = [], 0
    for line in lines:
        if re.search(text, line, re.ASCII):  # as RE2 understands \b
            expected.append((at, line.rstrip("\r")))
        at += len(line.encode()) + 1
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(logpattern, "PIECE", piece)  # longer than a line
        log = Path(folder) / "stdout.log"
        log.write_bytes(b"".join(line.encode() + b"\n" for line in lines))
        assert list(_all(log, text)) == expected
        assert list(_all(log, text, backward=True)) == expected[::-1]


def test_a_line_has_its_beginning_also_where_a_search_begins_within_it(tmp_path: Path) -> None:
    log = tmp_path / "stdout.log"
    log.write_text("abab\nab\n")
    found = find(log, pattern("^ab", ignore_case=False), 2, backward=False, stop=lambda: False)
    assert (found.offset, found.line) == (5, "ab")


def test_case_is_folded_where_it_is_asked_for(tmp_path: Path) -> None:
    log = tmp_path / "stdout.log"
    log.write_text("Höhe NaN\n")
    assert find(log, pattern("HÖHE nan", ignore_case=True), None, backward=False, stop=lambda: False).offset == 0
    assert find(log, pattern("HÖHE nan", ignore_case=False), None, backward=False, stop=lambda: False).offset is None


def test_bytes_that_are_no_text_hide_nothing(tmp_path: Path) -> None:
    log = tmp_path / "stdout.log"
    log.write_bytes(b"\xff\xfe loss \xff nan\n")
    assert find(log, pattern(r"nan$", ignore_case=False), None, backward=False, stop=lambda: False).offset == 10


def test_what_drives_others_mad_takes_its_time_by_the_text_only(tmp_path: Path) -> None:
    """`re` would take longer than the universe is old."""
    log = tmp_path / "stdout.log"
    log.write_text("a" * 2_000_000 + "\n")
    began = time.process_time()
    assert find(log, pattern(r"(a+a+)+b", ignore_case=False), None, backward=False, stop=lambda: False).offset is None
    assert time.process_time() - began < 5


def test_it_is_given_up_between_two_pieces(tmp_path: Path) -> None:
    log = tmp_path / "stdout.log"
    log.write_text("x\n")
    for backward in (False, True):
        with pytest.raises(Stopped):
            find(log, pattern("y", ignore_case=False), None, backward=backward, stop=lambda: True)


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("loss=(nan", r"loss=\(nan cannot be read: missing \)"),
        ("[a-", r"cannot be read: missing \]"),
        (r"(a)\1", "cannot be read: invalid escape sequence"),
        ("(?=a)", "cannot be read: invalid perl operator"),
        ("x{1000}{1000}", "cannot be read"),
        ("x*", "fits where nothing stands"),
        ("^", "fits where nothing stands"),
    ],
)
def test_what_is_no_pattern_is_refused_with_what_to_write(text: str, what: str) -> None:
    with pytest.raises(Refused, match=what) as refused:
        pattern(text, ignore_case=False)
    assert refused.value.where == "pattern"
    assert refused.value.remedy
