"""A thread that goes its rounds: no fault ends it, a stop does at once, and nobody who wakes it is missed."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from daemon.roundsman import Roundsman
from store.errors import RecordBusy

SOON_S = 20.0
"""Longer than anything here takes, also on a box with other work."""


class Walker(Roundsman):
    """Its n-th round does the n-th of what it is given, and the last of them ever after."""

    def __init__(self, *does: Callable[[], float | None], first_s: float = 0.0, patience_s: float | None = 2.0) -> None:
        super().__init__(
            "walkers", trouble="nobody walks", action="walk", again_s=0.0, first_s=first_s, patience_s=patience_s
        )
        self._does = does
        self.rounds = 0
        self.began = threading.Semaphore(0)

    def _round(self) -> float | None:
        self.rounds += 1
        self.began.release()
        return self._does[min(self.rounds, len(self._does)) - 1]()

    def has_begun(self) -> bool:
        """Waits for one more round."""
        return self.began.acquire(timeout=SOON_S)


@pytest.fixture
def walkers() -> Iterator[list[Walker]]:
    """Stopped at the end."""
    walking: list[Walker] = []
    yield walking
    for walker in walking:
        walker.stop()


def walk(walkers: list[Walker], walker: Walker) -> Walker:
    walkers.append(walker)
    walker.start()
    return walker


def busy() -> float:
    raise RecordBusy("another process holds the lock", where="trainshed.db", remedy="wait")


def fault() -> float:
    raise KeyError("no such section")


def until_woken() -> None:
    return None


def test_a_round_that_could_not_be_gone_is_told_and_gone_again(
    walkers: list[Walker], caplog: pytest.LogCaptureFixture
) -> None:
    walker = walk(walkers, Walker(busy, fault, busy, until_woken))
    assert all(walker.has_begun() for _ in range(4))
    told = [(one.levelname, one.getMessage().splitlines()[0], vars(one)["action"]) for one in caplog.records]
    nobody = ("WARNING", "nobody walks: trainshed.db: another process holds the lock", "walk")
    assert told == [nobody, ("ERROR", "the thread of the walkers stumbled", "walk"), nobody]


def test_it_has_stumbled_until_a_round_is_gone_whole(walkers: list[Walker]) -> None:
    seen: list[str | None] = []

    def busy_again() -> float:
        seen.append(walker.stumbled)
        return busy()

    def at_last() -> None:
        seen.append(walker.stumbled)

    walker = Walker(fault, busy_again, at_last, until_woken)
    walk(walkers, walker)
    assert all(walker.has_begun() for _ in range(3))
    walker.wake()
    assert walker.has_begun()
    assert seen == ["KeyError: 'no such section'"] * 2
    assert walker.stumbled is None


def test_without_a_pause_it_waits_until_it_is_woken(walkers: list[Walker]) -> None:
    walker = walk(walkers, Walker(until_woken))
    assert walker.has_begun()
    time.sleep(0.05)
    assert walker.rounds == 1
    walker.wake()
    assert walker.has_begun()


def test_who_wakes_it_during_a_round_has_another_one(walkers: list[Walker]) -> None:
    goes_on = threading.Event()

    def long() -> None:
        goes_on.wait(SOON_S)

    walker = walk(walkers, Walker(long, until_woken))
    assert walker.has_begun()
    walker.wake()
    goes_on.set()
    assert walker.has_begun()


def test_a_stop_ends_the_longest_pause_and_the_one_before_the_first_round() -> None:
    for walker in (Walker(lambda: 3600.0), Walker(until_woken), Walker(until_woken, first_s=3600.0)):
        walker.start()
        began = time.monotonic()
        walker.stop()
        assert time.monotonic() - began < 1.0
        assert not walker._thread.is_alive()


def test_a_stop_waits_for_a_round_as_long_as_its_patience_and_no_other_begins() -> None:
    goes_on = threading.Event()

    def long() -> float:
        goes_on.wait(SOON_S)
        return 0.0

    walker = Walker(long, patience_s=0.05)
    walker.start()
    assert walker.has_begun()
    walker.stop()
    assert walker._thread.is_alive()
    goes_on.set()
    walker._thread.join(SOON_S)
    assert walker.rounds == 1


def test_one_that_never_began_can_be_stopped() -> None:
    walker = Walker(until_woken)
    walker.stop()
    assert walker.rounds == 0
