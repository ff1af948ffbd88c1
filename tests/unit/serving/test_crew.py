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


# ------------------------------------------------------------------------------------------------------ renewal


def old(number: int, state: State) -> Member:
    return Member(number=number, state=state, epoch=5, connected=True, old=True)


def test_new_settings_bring_new_workers_first_and_the_old_ones_go_one_for_one() -> None:
    before = [old(1, "accepting"), old(2, "ready")]
    wanted = orders(before, 1, True, 5)
    assert (wanted.start, wanted.accept, wanted.retire) == (True, (), ())
    ready = orders([*before, member(3, "ready")], 1, True, 5)
    assert (ready.accept, ready.retire, ready.start) == ((3,), (), True)
    taken = orders([*before, member(3, "accepting"), member(4, "loading")], 1, True, 5)
    assert (taken.accept, taken.retire, taken.start) == ((), (1,), False)
    done = orders([old(2, "ready"), member(3, "accepting"), member(4, "ready")], 1, True, 5)
    assert (done.accept, done.retire, done.start) == ((), (2,), False)


def test_of_two_that_accept_one_goes_for_each_that_came() -> None:
    crew = [old(1, "accepting"), old(2, "accepting"), member(3, "accepting")]
    assert orders(crew, 2, False, 5).retire == (1,)


def test_one_that_cannot_load_what_the_old_ones_answer_takes_nobodys_place() -> None:
    broken = Member(number=3, state="ready", epoch=5, connected=True, whole=False)
    wanted = orders([old(1, "accepting"), broken], 1, False, 5)
    assert (wanted.accept, wanted.retire, wanted.start) == ((), (), False)
