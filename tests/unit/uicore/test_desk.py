"""Questions in the background: the newest of a kind counts, and none of them starves."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from queue import Queue
from typing import Any, cast

import pytest

from tui.client import Client
from tui.desk import Desk


class Heard(Desk):
    """A desk whose UI is the thread of the test."""

    def __init__(self) -> None:
        self.waiting: Queue[Callable[[], None]] = Queue()
        super().__init__(lambda: cast("Client", _Nobody()), self.waiting.put)
        self.open()

    def next(self) -> None:
        self.waiting.get(timeout=10)()


def _answers(what: Any) -> Callable[[Client], Any]:
    return lambda _: what


class _Nobody:
    def close(self) -> None:
        """Nothing is open."""


@pytest.fixture
def desk() -> Iterator[Heard]:
    made = Heard()
    yield made
    made.close()


def test_of_questions_that_wait_only_the_newest_is_put(desk: Heard) -> None:
    told: list[Any] = []
    free = threading.Event()
    desk.ask("filter", lambda _: free.wait(10), lambda _: told.append("l"), told.append)
    for typed in ("la", "lat", "late"):
        desk.ask("filter", _answers(typed), told.append, told.append)
    free.set()
    desk.next()
    desk.next()
    assert told == ["late"]
    assert desk.idle


def test_where_news_come_faster_than_answers_some_are_told_all_the_same(desk: Heard) -> None:
    """Each answer was overtaken by the next question: the screen stood still under `● live` while the box was busy."""
    told: list[int] = []
    for number in range(12):
        desk.ask("runs", _answers(number), told.append, lambda _: None)
        desk.ask("runs", _answers(number), told.append, lambda _: None)
        desk.next()
    assert 3 <= len(told) <= 4
    assert told == sorted(told)


def test_what_is_asked_again_by_an_answer_waits_for_the_one_under_way(desk: Heard) -> None:
    told: list[str] = []

    def answered(found: str) -> None:
        told.append(found)
        if len(told) < 3:
            desk.ask("status", lambda _: f"again {len(told)}", answered, lambda _: None)

    desk.ask("status", _answers("first"), answered, lambda _: None)
    for _ in range(3):
        desk.next()
    assert told == ["first", "again 1", "again 2"]
