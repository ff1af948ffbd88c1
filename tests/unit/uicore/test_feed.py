"""The stream of news: what goes wrong in it is told, and it goes on."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from datetime import UTC, datetime
from queue import Queue
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from textual.message import Message

from tui.client import Client
from tui.connection import problem_of
from tui.feed import POLL_SECONDS, Feed
from tui.messages import Cut, Linked

NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)


class Daemon:
    """Answers once, and then as it is told to."""

    def __init__(self, then: Exception) -> None:
        self.then = then
        self.patience: list[float] = []

    def status(self) -> Any:
        return SimpleNamespace(rev=1)

    def changes(self, since: int, *, wait: float, patience: float = 30.0) -> Any:
        self.patience.append(patience)
        raise self.then


def follow(daemon: Daemon) -> tuple[Feed, Queue[Message]]:
    told: Queue[Message] = Queue()

    def connect() -> Client:
        return cast("Client", cast(AbstractContextManager[Any], nullcontext(daemon)))

    feed = Feed(connect, told.put, lambda: NOW, pace=0.0)
    feed.start()
    return feed, told


def test_a_fault_of_our_own_is_told_and_the_stream_goes_on() -> None:
    """Its thread died in silence: what was on screen stood there as live for ever."""
    daemon = Daemon(ZeroDivisionError("of ours"))
    feed, told = follow(daemon)
    assert isinstance(told.get(timeout=10), Linked)
    cut = told.get(timeout=10)
    assert isinstance(cut, Cut)
    assert cut.failure.what == "the news cannot be read: ZeroDivisionError: of ours"
    assert isinstance(told.get(timeout=10), Linked), "it is tried again"
    feed.stop()
    feed.join(10)
    assert not feed.is_alive()


def test_a_daemon_that_hangs_is_not_waited_for_as_long_as_one_that_computes() -> None:
    daemon = Daemon(ZeroDivisionError())
    feed, told = follow(daemon)
    told.get(timeout=10)
    told.get(timeout=10)
    feed.stop()
    assert daemon.patience[0] <= 2 * POLL_SECONDS


@pytest.mark.parametrize("content", [b"{}", b"not JSON"])
def test_a_refusal_of_another_release_is_a_refusal_too(content: bytes) -> None:
    """It raised what nobody expects: it ended the stream of news, and the UI from any screen."""
    answer = httpx.Response(409, headers={"content-type": "application/problem+json"}, content=content)
    assert "another release" in problem_of(answer).remedy
