"""Asking a terminal, over a real pseudo-terminal."""

from __future__ import annotations

import os
import pty
import termios
import threading
import time
from collections.abc import Iterator

import pytest

from tui.probe import PATIENCE_S, QUESTION, Terminal, ask_terminal, ground_is_dark


@pytest.fixture
def ends() -> Iterator[tuple[int, int]]:
    """The terminal's end and the program's."""
    ours, theirs = pty.openpty()
    yield ours, theirs
    os.close(ours)
    os.close(theirs)


def answering(end: int, answer: bytes, after: float) -> threading.Thread:
    """Something at the other end that reads the question and answers late."""

    def speak() -> None:
        heard = b""
        while QUESTION not in heard:
            heard += os.read(end, 1024)
        time.sleep(after)
        os.write(end, answer)

    thread = threading.Thread(target=speak)
    thread.start()
    return thread


def test_a_terminal_says_that_it_is_light_and_how_far_away_it_is(ends: tuple[int, int]) -> None:
    ours, theirs = ends
    before = termios.tcgetattr(theirs)
    speaker = answering(ours, b"\x1b]11;rgb:ffff/fbfb/f0f0\x1b\\\x1b[1;1R", after=0.2)
    found = ask_terminal(theirs, theirs)
    speaker.join()
    assert found.dark is False
    assert found.delay_s is not None
    assert 0.2 <= found.delay_s < PATIENCE_S
    assert found.slow
    assert termios.tcgetattr(theirs) == before, "the terminal is as it was"


def test_a_terminal_without_colours_still_says_how_far_away_it_is(ends: tuple[int, int]) -> None:
    ours, theirs = ends
    speaker = answering(ours, b"\x1b[24;80R", after=0)
    found = ask_terminal(theirs, theirs)
    speaker.join()
    assert found.dark is None
    assert not found.slow


@pytest.mark.slow
def test_a_terminal_that_says_nothing_costs_no_more_than_the_patience(ends: tuple[int, int]) -> None:
    began = time.monotonic()
    assert ask_terminal(ends[1], ends[1]) == Terminal()
    assert PATIENCE_S <= time.monotonic() - began < PATIENCE_S + 2


def test_what_is_no_terminal_is_not_asked() -> None:
    reading, writing = os.pipe()
    assert ask_terminal(reading, writing) == Terminal()
    os.close(writing)
    assert os.read(reading, 10) == b""
    os.close(reading)


@pytest.mark.parametrize(
    ("answer", "dark"),
    [
        (b"\x1b]11;rgb:0000/0000/0000\x07", True),
        (b"\x1b]11;rgb:ff/ff/ff\x1b\\", False),
        (b"\x1b]11;rgba:1c1c/1c1c/1c1c/ffff\x07", True),
        (b"\x1b]11;rgb:f/f/e\x07", False),
        (b"", None),
        (b"\x1b[1;1R", None),
    ],
)
def test_the_ground_is_read_in_every_width_that_terminals_use(answer: bytes, dark: bool | None) -> None:
    assert ground_is_dark(answer) is dark
