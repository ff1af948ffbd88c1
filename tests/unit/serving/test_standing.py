"""A burst may wait for long; where a queue stands, who comes waits for a tenth of it."""

from __future__ import annotations

from pipeline.serving.standing import CALM_S, LOOK_S, SHORT, Standing

LONGEST_S = 0.25


class Queue:
    """One that a server of 1,000 a second empties, turn by turn of 2 ms."""

    def __init__(self) -> None:
        self.standing = Standing(LONGEST_S)
        self.now = self.longest_s = 0.0
        self.waiting = self.refused = 0

    def turns(self, seconds: float, asked: int) -> None:
        """`asked`: in each."""
        until = self.now + seconds
        while self.now < until:
            for _ in range(asked):
                self.ask()
            self.now += 0.002
            begun = min(2, self.waiting)
            self.waiting -= begun
            self.longest_s = max(self.longest_s, self.waiting / 1000)
            if self.waiting:
                self.standing.begun(begun, self.waiting / 1000, self.now)
            else:
                self.standing.emptied()

    def ask(self) -> None:
        self.standing.asked += 1
        if self.waiting / 1000 > self.standing.bound_s(self.now):
            self.refused += 1
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


def test_in_an_overload_that_lasts_those_who_are_taken_wait_for_a_tenth() -> None:
    queue = Queue()
    queue.turns(1.0, asked=6)  # three times what can be answered
    at_first_s, _ = queue.since()
    queue.turns(5.0, asked=6)
    later_s, refused = queue.since()
    assert at_first_s < 2 * 2.5 * LOOK_S, "so much has come before it is seen"
    assert later_s <= SHORT * LONGEST_S + 0.004
    assert 9_900 <= refused <= 10_100, "two of three, and one is answered: the server is never idle"


def test_clients_that_wait_for_their_answers_do_not_make_a_queue_stand() -> None:
    queue = Queue()
    for _ in range(200):
        queue.ask()
    queue.turns(5.0, asked=2)  # who is answered asks again
    longest_s, refused = queue.since()
    assert refused == 0
    assert 0.19 < longest_s < 0.21


def test_clients_that_all_begin_within_a_moment_do_not_either() -> None:
    queue = Queue()
    queue.turns(0.03, asked=14)  # 210, three times what a look lets through, and as many as are allowed to wait
    queue.turns(5.0, asked=2)
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


def test_a_queue_whose_length_nobody_bounds_is_never_found_too_long() -> None:
    standing = Standing(float("inf"))
    for turn in range(1000):
        standing.asked += 6
        standing.begun(2, turn * 0.004, turn * 0.002)
    assert standing.bound_s(2.0) == float("inf")
