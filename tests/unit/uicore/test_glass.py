"""What is sent to the terminal: the same picture as Textual's, in fewer bytes. The witness is pyte's terminal."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from tests.unit.emulator import Emulator
from tui.glass.glass import SYNC_OFF, SYNC_ON, Glass
from tui.glass.looks import PLAIN, Look, change, turned

STYLES = ["", "1", "1;4", "7", "31", "38;5;9", "38;2;1;2;3", "48;2;9;9;9", "1;38;2;1;2;3;48;2;9;9;9", "3;94;104"]
PIECES = ["ab", "a ", " b", "  ", "──", "漢", "é.", "e\u0301.", "漢\u0302"]
"""Two cells each, at even places: Textual never draws over half of a wide character."""
WIDTH, HEIGHT = 36, 5


def segment(text: str, style: str) -> str:
    """As Rich writes it."""
    return f"\x1b[{style}m{text}\x1b[0m" if style else text


@st.composite
def frames(draw: st.DrawFn) -> str:
    """Some lines drawn over, as Textual does it: a place, then segments; at the end the cursor's place."""
    parts = []
    for _ in range(draw(st.integers(1, 4))):
        x, y = 2 * draw(st.integers(0, 7)), draw(st.integers(0, HEIGHT - 2))
        parts.append(f"\x1b[{y + 1};{x + 1}H")
        for _ in range(draw(st.integers(1, 3))):
            text = "".join(draw(st.lists(st.sampled_from(PIECES), min_size=1, max_size=3)))
            parts.append(segment(text, draw(st.sampled_from(STYLES))))
        if draw(st.booleans()):
            parts.append("\n")
    return "".join(parts) + f"\x1b[{draw(st.integers(1, HEIGHT))};{draw(st.integers(1, WIDTH))}H"


@pytest.mark.slow
@given(st.lists(frames(), min_size=1, max_size=6))
def test_the_terminal_shows_what_it_would_have_shown(drawn: list[str]) -> None:
    plain, spared, glass = Emulator(WIDTH, HEIGHT), Emulator(WIDTH, HEIGHT), Glass()
    for frame in drawn:
        plain.write(frame)
        spared.write(glass.write(frame))
        assert spared.picture == plain.picture
        assert spared.cursor == plain.cursor


@pytest.mark.slow
@given(frames())
def test_what_is_there_already_is_not_sent_again(frame: str) -> None:
    glass, shown = Glass(), Emulator(WIDTH, HEIGHT)
    shown.write(glass.write(frame))
    again = glass.write(frame)
    before = shown.picture
    shown.write(again)
    assert shown.picture == before
    assert glass.write(frame) == ""


@given(st.sampled_from(STYLES), st.sampled_from(STYLES))
def test_the_pen_comes_from_any_look_to_any_other(one: str, other: str) -> None:
    """Read back by the same reader that knows no off-codes: so the terminal is asked."""
    before, after = turned(PLAIN, one), turned(PLAIN, other)
    changed, fresh = Emulator(2, 1), Emulator(2, 1)
    changed.write(change(PLAIN, before) + change(before, after) + "x")
    fresh.write(segment("x", other))
    assert changed.picture == fresh.picture


def test_only_the_cells_that_differ_are_sent_and_one_reset_ends_them() -> None:
    glass = Glass()
    glass.write("\x1b[3;5H" + segment("auc 0.71  ", "38;2;1;2;3;48;2;4;5;6") + "\x1b[1;1H")
    sent = glass.write("\x1b[3;5H" + segment("auc 0.72  ", "38;2;1;2;3;48;2;4;5;6") + "\x1b[1;1H")
    assert sent == "\x1b[3;12H\x1b[38;2;1;2;3;48;2;4;5;6m2\x1b[m\x1b[1;1H"


def test_a_space_needs_no_other_ink_and_a_style_change_says_only_what_changes() -> None:
    sent = Glass().write(
        "\x1b[1;1H" + segment("run", "1;31;44") + segment("   ", "32;44") + segment("ok", "32;44") + "\x1b[1;1H"
    )
    assert sent == "\x1b[1;1H\x1b[1;31;44mrun   \x1b[22;32mok\x1b[m\x1b[1;1H"


def test_small_gaps_are_sent_again_and_wide_ones_stepped_over() -> None:
    glass = Glass()
    glass.write("\x1b[1;1H" + "." * 30 + "\x1b[1;1H")
    sent = glass.write("\x1b[1;1H" + "x..x" + "." * 20 + "x" + "\x1b[1;1H")
    assert sent == "\x1b[1;1Hx..x\x1b[20Cx\x1b[1;1H"


def test_a_picture_without_news_is_not_even_begun() -> None:
    glass = Glass()
    for expected in (True, False):
        sent = "".join(glass.write(part) for part in (SYNC_ON, "\x1b[1;1Hlate\x1b[1;1H", SYNC_OFF))
        assert bool(sent) is expected
        assert not sent or sent == f"{SYNC_ON}\x1b[1;1Hlate\x1b[1;1H{SYNC_OFF}"


def test_modes_questions_and_the_clipboard_go_through_and_change_nothing() -> None:
    glass = Glass()
    glass.write("\x1b[1;1Hlate\x1b[1;1H")
    for silent in ("\x1b[?1000h\x1b[?1003h", "\x1b[?2026$p", "\x1b]52;c;bGF0ZQ==\x1b\\", "\x1b[>9u", "\x07"):
        assert glass.write(silent) == silent
    assert glass.write("\x1b[1;1Hlate\x1b[1;1H") == ""


def test_a_picture_has_come_by_once_a_cell_was_drawn_understood_or_not() -> None:
    glass = Glass()
    for nothing in ("\x1b[?1049h", "\x1b[1;1H"):
        glass.write(nothing)
        assert not glass.drawn
    for picture in ("\x1b[1;1Hlate\x1b[1;1H", "\x1b[1;1H\N{BLACK TELEPHONE}\ufe0f\x1b[1;1H"):
        glass = Glass()
        glass.write(picture)
        assert glass.drawn


def test_another_screen_and_what_is_not_understood_leave_nothing_known() -> None:
    for unknown in (
        "\x1b[?1049h",
        "\x1b[2J",
        "Traceback: text without a place",
        "\x1b[1;1H\N{BLACK TELEPHONE}\ufe0f\x1b[1;1H",
    ):
        glass = Glass()
        glass.write("\x1b[1;1Hlate\x1b[1;1H")
        assert glass.write(unknown) == unknown
        assert "late" in glass.write("\x1b[1;1Hlate\x1b[1;1H")


def test_a_terminal_of_another_size_is_painted_anew() -> None:
    glass = Glass()
    glass.write("\x1b[1;1Hlate\x1b[1;1H")
    glass.forget()
    assert "late" in glass.write("\x1b[1;1Hlate\x1b[1;1H")


def test_looks_are_read_whatever_their_order() -> None:
    assert turned(PLAIN, "1;38;2;1;2;3;48;5;7") == Look("38;2;1;2;3", "48;5;7", frozenset("1"))
    assert turned(Look("31", "44", frozenset("1")), "0;39") == PLAIN


def test_a_mark_that_is_put_on_a_letter_is_sent_with_it_alone() -> None:
    glass = Glass()
    glass.write("\x1b[1;1Hcafe\u0301 au lait\x1b[1;1H")
    sent = glass.write("\x1b[1;1Hcafe\u0300 au lait\x1b[1;1H")
    assert sent == "\x1b[1;4He\u0300\x1b[1;1H"
