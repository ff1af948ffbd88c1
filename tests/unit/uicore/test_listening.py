"""Keys as they come from a terminal, through a pipe."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from queue import Queue
from typing import Final

import pytest
from textual import constants, events
from textual._xterm_parser import XTermParser
from textual.message import Message

from tui.glass.listening import listen

_PATIENCE_S: Final = 10.0


@contextmanager
def listening() -> Iterator[tuple[int, Queue[tuple[float, Message]]]]:
    """Where to type, and what was heard, with the time."""
    read_from, write_to = os.pipe()
    over = threading.Event()
    heard: Queue[tuple[float, Message]] = Queue()

    def tell(message: Message) -> None:
        heard.put((time.monotonic(), message))

    thread = threading.Thread(target=listen, args=(read_from, over, XTermParser(False), tell))
    thread.start()
    try:
        yield write_to, heard
    finally:
        over.set()
        thread.join(_PATIENCE_S)
        assert not thread.is_alive()
        os.close(read_from)
        os.close(write_to)


def test_escape_alone_is_told_when_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "ESCAPE_DELAY", 0.025)
    took = []
    with listening() as (write_to, heard):
        for _ in range(5):
            began = time.monotonic()
            os.write(write_to, b"\x1b")
            at, message = heard.get(timeout=_PATIENCE_S)
            assert isinstance(message, events.Key)
            assert message.key == "escape"
            took.append(at - began)
    assert 0.02 <= min(took) < 0.1


def test_a_sequence_that_comes_in_two_pieces_is_one_key() -> None:
    with listening() as (write_to, heard):
        os.write(write_to, b"\x1b")
        os.write(write_to, b"[A")
        _, message = heard.get(timeout=_PATIENCE_S)
        assert isinstance(message, events.Key)
        assert message.key == "up"


def test_a_letter_that_comes_in_two_pieces_is_one_key() -> None:
    with listening() as (write_to, heard):
        letter = "ä".encode()
        os.write(write_to, letter[:1])
        time.sleep(0.02)
        os.write(write_to, letter[1:])
        _, message = heard.get(timeout=_PATIENCE_S)
        assert isinstance(message, events.Key)
        assert message.character == "ä"
