"""What a run printed reaches the terminal as printable characters only, and a log of any size as a bounded piece."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from tui.log.piece import KEPT, LONGEST, Chunk, Piece
from tui.log.plain import cells, harmless, wrapped
from tui.printable import coloured
from tui.table.column import Cell


@given(st.text(st.characters(), max_size=80))
def test_whatever_was_printed_only_printable_characters_come_out(raw: str) -> None:
    assert all(part.text.isprintable() for part in cells(raw.replace("\n", "")))


def test_an_escape_sequence_is_shown_instead_of_sent() -> None:
    assert harmless("\x1b]0;pwned\x07") == "␛]0;pwned␇"
    assert harmless("\x1b]52;c;aGk=\x07") == "␛]52;c;aGk=␇"
    assert harmless("\x1b[2J\x1b[1;1H") == "␛[2J␛[1;1H"
    assert harmless("\x9b31m\u202eevil") == "<9B>31m<U+202E>evil"
    assert harmless("\x7f\x00") == "␡␀"


def test_colours_become_tones() -> None:
    assert cells("\x1b[33mWARNING\x1b[0m ok") == (Cell("WARNING", "warn"), Cell(" ok", ""))
    assert cells("\x1b[1;31mERROR") == (Cell("ERROR", "bad"),)
    assert cells("\x1b[38;5;31mx\x1b[38;2;31;32;33my") == (Cell("x", ""), Cell("y", ""))


def test_a_line_written_over_and_over_is_shown_as_it_stands_last() -> None:
    assert harmless("10 %\r50 %\r100 %\r") == "100 %"


def test_a_log_that_a_command_prints_sends_a_terminal_nothing_but_colours_and_takes_them_back() -> None:
    pieces = ["\x1b[31mERR", "OR\x1b", "[0m\tx\r\n", "\x1b]52;c;aGk=\x07\x1b[2J", "\x1b["]
    assert "".join(coloured(pieces)) == "\x1b[31mERROR\x1b[0m\tx\r\n␛]52;c;aGk=␇␛[2J␛[\x1b[0m"
    assert "".join(coloured(["plain ", "text\n"])) == "plain text\n"


@given(st.lists(st.text(st.sampled_from("\x1b[]0;31m\x9b\x07a\n"), max_size=9)))
def test_where_a_log_is_cut_into_pieces_makes_no_difference(pieces: list[str]) -> None:
    told = "".join(coloured(pieces))
    assert told == "".join(coloured(["".join(pieces)]))
    assert re.sub(r"\x1b\[[\d;:]*m", "", told).replace("\n", "").isprintable()


def test_tabs_go_to_the_next_eighth_column() -> None:
    assert harmless("a\tb") == "a       b"


@given(st.text(max_size=60), st.integers(2, 20))
def test_wrapping_loses_nothing(raw: str, width: int) -> None:
    line = cells(raw.replace("\n", " "))
    assert "".join(c.text for row in wrapped(line, width) for c in row) == "".join(c.text for c in line)


def _chunk(log: str, start: int, end: int) -> Chunk:
    data = log.encode()
    return Chunk(data[start:end].decode(), start, min(end, len(data)), len(data), 0)


def _texts(piece: Piece) -> list[str]:
    return ["".join(cell.text for cell in line) for line in piece.lines]


LOG = "".join(f"line {n}\n" for n in range(100))


def test_a_place_in_the_middle_begins_with_a_whole_line() -> None:
    piece = Piece()
    piece.put(_chunk(LOG, 10, 40))
    assert _texts(piece)[0] == "line 2"
    assert LOG.encode()[piece.start :].startswith(b"line 2\n")
    assert not piece.at_start
    assert not piece.at_end


def test_pieces_before_and_behind_join_without_a_seam() -> None:
    piece = Piece()
    piece.put(_chunk(LOG, 300, 405))
    piece.append(_chunk(LOG, 405, len(LOG)))
    piece.prepend(_chunk(LOG, 0, piece.start))
    assert _texts(piece) == LOG.splitlines()
    assert piece.at_start
    assert piece.at_end
    assert [LOG.encode()[start : start + 4] for start in piece.starts] == [b"line"] * 100


def test_a_line_without_its_end_grows() -> None:
    piece = Piece()
    piece.put(Chunk("one\ntw", 0, 6, 6, 0))
    piece.append(Chunk("o\nthree", 6, 13, 13, 0))
    assert _texts(piece) == ["one", "two", "three"]
    assert piece.starts == [0, 4, 8]


def test_the_far_end_is_let_go_in_either_direction() -> None:
    log = "".join(f"{n:06}\n" for n in range(3 * KEPT))
    piece = Piece()
    piece.put(_chunk(log, 0, 7 * KEPT))
    assert piece.append(_chunk(log, 7 * KEPT, 14 * KEPT)) == KEPT
    assert (len(piece.lines), piece.start, piece.at_end) == (KEPT, 7 * KEPT, False)
    assert piece.prepend(_chunk(log, 0, 7 * KEPT)) == KEPT
    assert (len(piece.lines), piece.end) == (KEPT, 7 * KEPT)


def test_a_line_without_end_is_cut() -> None:
    piece = Piece()
    piece.put(Chunk("x" * (2 * LONGEST + 5), 0, 2 * LONGEST + 5, 2 * LONGEST + 5, 0))
    assert [len(text) for text in _texts(piece)] == [LONGEST, LONGEST, 5]


def test_the_line_of_a_byte_is_found() -> None:
    piece = Piece()
    piece.put(Chunk("äh\nbeh\n", 0, 8, 8, 0))
    assert [piece.line_at(n) for n in (0, 3, 4, 7, 8)] == [0, 0, 1, 1, None]
