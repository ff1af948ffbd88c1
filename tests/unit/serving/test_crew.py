"""Which workers there should be: the spare takes the place of one that died, and nobody begins with an old epoch."""

from __future__ import annotations

import pytest

from pipeline.serving.crew import Member, State, orders, pause_s


def member(number: int, state: State, epoch: int = 5, connected: bool = True) -> Member:
    return Member(number=number, state=state, epoch=epoch, connected=connected)


def test_from_nothing_one_is_started_at_a_time_so_that_the_first_is_soon_ready() -> None:
    assert orders([], 2, True, 5).start
    assert not orders([member(1, "loading")], 2, True, 5).start
    assert orders([member(1, "accepting")], 2, True, 5).start


def test_the_first_that_is_ready_accepts_and_the_next_one_waits_as_the_spare() -> None:
    assert orders([member(1, "ready")], 1, True, 5).accept == (1,)
    full = orders([member(1, "accepting"), member(2, "ready")], 1, True, 5)
    assert (full.accept, full.start) == ((), False)


def test_the_spare_takes_the_place_of_one_that_died_and_a_new_spare_is_started() -> None:
    wanted = orders([member(2, "ready")], 1, True, 5)
    assert wanted.accept == (2,)
    assert wanted.start


def test_nobody_begins_to_accept_with_an_older_epoch_and_is_told_of_the_new_one() -> None:
    wanted = orders([member(1, "ready", epoch=4)], 1, False, 5)
    assert (wanted.accept, wanted.switch) == ((), (1,))
    assert orders([member(1, "accepting", epoch=4)], 1, False, 5).switch == (1,)


def test_one_that_nobody_can_reach_is_told_nothing_and_counts() -> None:
    wanted = orders([member(1, "ready", epoch=4, connected=False)], 1, False, 5)
    assert (wanted.accept, wanted.switch, wanted.start) == ((), (), False)


def test_one_that_drains_is_replaced() -> None:
    assert orders([member(1, "draining")], 1, False, 5).start


def test_without_workers_nothing_is_started() -> None:
    assert not orders([], 0, False, 5).start


@pytest.mark.parametrize(("failures", "seconds"), [(0, 0.0), (1, 0.5), (2, 1.0), (5, 8.0), (50, 30.0)])
def test_workers_that_die_before_they_are_ready_are_tried_again_ever_later(failures: int, seconds: float) -> None:
    assert pause_s(failures) == seconds
