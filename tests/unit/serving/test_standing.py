"""A burst may wait for long; while there are too many, who comes waits for a tenth of it."""

from __future__ import annotations

from pipeline.serving.standing import CALM_S, SHORT, Standing

LONGEST_S = 0.25


class Queue:
    """One that a server of 1,000 a second empties, turn by turn of 2 ms."""

    def __init__(self) -> None:
        self.standing = Standing(LONGEST_S)
        self.now = self.longest_s = 0.0
        self.waiting = self.refused = self.answered = 0

    def turns(self, seconds: float, asked: int) -> None:
        """`asked`: in each."""
        until = self.now + seconds
        while self.now < until:
            for _ in range(asked):
                self.ask()
            self.now += 0.002
            self.longest_s = max(self.longest_s, self.waiting / 1000)
            self.answered += min(2, self.waiting)
            self.waiting -= min(2, self.waiting)

    def ask(self) -> None:
        if self.waiting / 1000 > self.standing.bound_s(self.now):
            self.refused += 1
            self.standing.refused(self.now)
        else:
            self.waiting += 1

    def since(self) -> tuple[float, int]:
        """(the longest wait, how many were refused) since the last time."""
        said = self.longest_s, self.refused
        self.longest_s, self.refused = 0.0, 0
        return said


def test_a_burst_that_fits_into_the_longest_wait_is_answered_as_a_whole_and_who_comes_behind_it_too() -> None:
    queue = Queue()
    for _ in range(230):
        queue.ask()
    queue.turns(0.5, asked=1)  # half of what can be answered
    longest_s, refused = queue.since()
    assert refused == 0
    assert longest_s > 0.2


def test_in_an_overload_that_lasts_those_who_are_taken_wait_for_a_tenth_and_nobody_less_is_answered() -> None:
    queue = Queue()
    queue.turns(1.0, asked=6)  # three times what can be answered
    queue.since()
    queue.turns(5.0, asked=6)
    later_s, refused = queue.since()
    assert later_s <= SHORT * LONGEST_S + 0.004
    assert 9_990 <= refused <= 10_010, "two of three"
    assert queue.answered >= 5_990


def test_clients_that_wait_for_their_answers_find_the_room_that_there_is() -> None:
    queue = Queue()
    queue.turns(0.1, asked=4)  # they begin one after the other
    queue.turns(5.0, asked=2)  # who is answered asks again
    assert queue.since()[1] == 0


def test_a_moment_in_which_nobody_asks_is_not_the_end_of_an_overload_and_a_calm_second_is() -> None:
    queue = Queue()
    queue.turns(1.0, asked=6)
    queue.turns(0.1, asked=0)  # the clients had no processor
    assert queue.waiting == 0
    queue.since()
    queue.turns(0.5, asked=6)
    assert queue.since()[0] <= SHORT * LONGEST_S + 0.004
    queue.turns(CALM_S + 0.1, asked=1)
    queue.since()
    for _ in range(200):
        queue.ask()
    assert queue.since()[1] == 0
