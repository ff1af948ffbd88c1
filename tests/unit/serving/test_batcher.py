"""The batcher: everybody gets the answers to their own rows, whoever else was in the batch."""

from __future__ import annotations

import asyncio
import itertools
import math
import threading
import time
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.serving.batcher import INLINE_S, Batch, Batcher
from pipeline.serving.loaded import LoadedVersion
from pipeline.serving.pending import Pending
from pipeline.serving.refusal import Refusal
from pipeline.versions.signature import Categorical, Numeric
from tests.examples import examples

LARGEST = 16
POISON = np.float32(-777)
"""In a row, it makes a run of it fail; see `Line.run`."""


class Line:
    """A batcher of a loaded version, and what it did."""

    def __init__(
        self,
        loaded: LoadedVersion,
        *,
        slow: bool = False,
        queue_rows: int = 10_000,
        longest_wait_s: float = math.inf,
        expected_s: Callable[[int], float] | None = None,
        clock: Callable[[], float] = time.perf_counter,
        threads: int = 1,
    ) -> None:
        self.loaded = loaded
        self.batches: list[Batch] = []
        self.threads: set[int] = set()
        self.runs = self.together = self.most_together = 0
        self.pool = ThreadPoolExecutor(threads)
        self.hold: Callable[[], None] = lambda: None
        self.batcher = Batcher(
            self.run,
            expected_s=expected_s or (lambda rows: 1.0 if slow else loaded.expected_seconds(rows)),
            largest=LARGEST,
            queue_rows=queue_rows,
            longest_wait_s=longest_wait_s,
            thread=self.pool,
            on_batch=self.batches.append,
            clock=clock,
        )

    def run(self, numeric: Numeric, categorical: Categorical) -> Any:
        self.runs += 1
        self.threads.add(threading.get_ident())
        self.together += 1
        self.most_together = max(self.most_together, self.together)
        self.hold()
        self.together -= 1
        if (numeric == POISON).any():
            raise FloatingPointError("poisoned")
        scores = self.loaded.run(numeric, categorical)
        return np.where(categorical[:, 0] == 5, np.float32(np.nan), scores)

    async def ask(self, rows: tuple[Numeric, Categorical], timeout_s: float = 30.0) -> Any:
        return await self.batcher.scores(*rows, timeout_s)


def rows_of(
    count: int, seed: int, *, poisoned: bool = False, not_a_number: bool = False
) -> tuple[Numeric, Categorical]:
    rng = np.random.default_rng(seed)
    numeric = rng.normal(500, 100, (count, 2)).astype(np.float32)
    categorical = rng.integers(0, 5, (count, 1)).astype(np.int32)
    if poisoned:
        numeric[count // 2, 0] = POISON
    if not_a_number:
        categorical[count // 2, 0] = 5
    return numeric, categorical


def in_loop(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(work())


request = st.tuples(
    st.integers(1, LARGEST + 5),
    st.sampled_from(["good", "good", "good", "good", "poisoned", "not a number", "cancelled", "late"]),
    st.booleans(),
)


@pytest.mark.slow
@settings(max_examples=examples(100))
@given(st.lists(request, min_size=30, max_size=60), st.booleans(), st.integers(0, 2**31))
def test_everybody_gets_the_answers_to_their_own_rows_and_only_their_own_fault(
    loaded: LoadedVersion, asked: list[tuple[int, str, bool]], slow: bool, seed: int
) -> None:
    """4,000 requests and more: of all sizes, some that fail, are cancelled or too late, in turns of any length."""

    async def work() -> None:
        line = Line(loaded, slow=slow)
        sent = []
        for place, (count, kind, new_turn) in enumerate(asked):
            rows = rows_of(count, seed + place, poisoned=kind == "poisoned", not_a_number=kind == "not a number")
            task = asyncio.create_task(line.ask(rows, -1.0 if kind == "late" else 30.0))
            sent.append((task, rows, kind))
            if new_turn:
                await asyncio.sleep(0)
        await asyncio.sleep(0)
        for task, _, kind in sent:
            if kind == "cancelled":
                task.cancel()
        answers = await asyncio.gather(*(task for task, _, _ in sent), return_exceptions=True)
        for answer, (_, rows, kind) in zip(answers, sent, strict=True):
            check(answer, rows, kind)
        assert line.batcher.waiting_rows == 0
        line.pool.shutdown()

    def check(answer: Any, rows: tuple[Numeric, Categorical], kind: str) -> None:
        if kind == "good" or (kind == "cancelled" and not isinstance(answer, asyncio.CancelledError)):
            np.testing.assert_allclose(answer, loaded.run(*rows), rtol=1e-5, atol=1e-6)
        elif kind == "poisoned":
            assert isinstance(answer, FloatingPointError)
        elif kind == "not a number":
            assert isinstance(answer, Refusal)
            assert answer.status == 500
        elif kind == "late":
            assert isinstance(answer, Refusal)
            assert answer.status == 504
        else:
            assert isinstance(answer, asyncio.CancelledError)

    in_loop(work)


def test_who_fails_over_an_answer_holds_up_nobody_who_has_one_from_the_same_run(
    loaded: LoadedVersion, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[int] = []

    def hear(place: int, _: Pending) -> None:
        if place == 1:
            raise ValueError("its client wrote nonsense")
        heard.append(place)

    async def work() -> None:
        line = Line(loaded)
        waiting = [line.batcher.scores(*rows_of(1, seed), 30.0) for seed in range(3)]
        for place, one in enumerate(waiting):
            one.heard = partial(hear, place)
        await asyncio.wait([asyncio.ensure_future(one) for one in waiting])
        assert heard == [0, 2]
        assert line.runs == 1

    in_loop(work)
    assert [record.getMessage() for record in caplog.records] == ["an answer could not be given"]


def test_who_asks_again_as_soon_as_there_is_an_answer_is_in_the_next_turn_with_all_who_do_so(
    loaded: LoadedVersion,
) -> None:
    """Else one client could have a turn for itself, and others would see none of it."""

    async def work() -> None:
        line, turns = Line(loaded), [0]
        seen: list[int] = []
        asked: list[Pending] = []

        def count() -> None:
            turns[0] += 1
            if len(asked) < 15 or not asked[-1].done():
                asyncio.get_running_loop().call_soon(count)

        def ask(left: int) -> None:
            def hear(_: Pending) -> None:
                seen.append(turns[0])
                if left > 1:
                    ask(left - 1)

            asked.append(line.batcher.scores(*rows_of(1, left), 30.0))
            asked[-1].heard = hear

        count()
        for _ in range(5):
            ask(3)
        while len(seen) < 15:
            await asyncio.sleep(0)
        assert [batch.rows for batch in line.batches] == [5, 5, 5]
        assert len(set(seen)) == 3

    in_loop(work)


def test_a_wait_is_never_negative_also_of_who_asks_again_once_a_request_was_too_late(loaded: LoadedVersion) -> None:
    async def work() -> None:
        line = Line(loaded)
        late = line.batcher.scores(*rows_of(1, 0), -1.0)
        more: list[Pending] = []
        late.heard = lambda _: more.append(line.batcher.scores(*rows_of(1, 1), 30.0))
        with pytest.raises(Refusal):
            await late
        await more[0]
        assert [batch.waited_s >= 0 for batch in line.batches] == [True]

    in_loop(work)


def test_who_asks_again_as_soon_as_there_is_an_answer_has_no_two_runs_at_a_time_in_the_thread(
    loaded: LoadedVersion,
) -> None:
    """The race: a flush is asked for while one runs, which then hands a batch over to the thread."""

    async def work() -> None:
        line = Line(loaded, expected_s=lambda rows: 1e-6 if rows == 1 else 1.0, threads=2)
        line.hold = lambda: time.sleep(0.05)
        more: list[Pending] = []
        first = line.batcher.scores(*rows_of(1, 0), 30.0)
        first.heard = lambda _: more.extend(line.batcher.scores(*rows_of(LARGEST, seed), 30.0) for seed in (1, 2, 3))
        await first
        await asyncio.gather(*more)
        assert [batch.rows for batch in line.batches] == [1, LARGEST, LARGEST, LARGEST]
        assert line.most_together == 1
        line.pool.shutdown()

    in_loop(work)


def test_requests_of_one_turn_share_a_run_and_nobody_waits_for_others(loaded: LoadedVersion) -> None:
    async def work() -> None:
        line = Line(loaded)
        await asyncio.gather(*(line.ask(rows_of(1, seed)) for seed in range(10)))
        assert [(batch.requests, batch.rows) for batch in line.batches] == [(10, 10)]
        await line.ask(rows_of(1, 99))
        assert line.runs == 2

    in_loop(work)


def test_a_batch_has_no_more_rows_than_the_largest_unless_one_request_has(loaded: LoadedVersion) -> None:
    async def work() -> None:
        line = Line(loaded)
        await asyncio.gather(*(line.ask(rows_of(count, count)) for count in (10, 6, 1, 40, 3)))
        assert [batch.rows for batch in line.batches] == [16, 1, 40, 3]

    in_loop(work)


@pytest.mark.parametrize(("batch_s", "turns"), [(INLINE_S / 20, 1), (INLINE_S / 2, 3), (INLINE_S, 6)])
def test_short_runs_share_a_turn_and_longer_ones_leave_each_turn_to_others(
    loaded: LoadedVersion, batch_s: float, turns: int
) -> None:
    """What is let in during one turn is run in it: else those behind would learn late that there is no room."""

    async def work() -> None:
        line = Line(loaded, expected_s=lambda rows: batch_s, clock=lambda: 0.0)
        asked = [asyncio.create_task(line.ask(rows_of(LARGEST, seed))) for seed in range(6)]
        await asyncio.sleep(0)
        taken = 0
        while line.batcher.waiting_rows:
            await asyncio.sleep(0)
            taken += 1
        assert taken == turns
        await asyncio.gather(*asked)

    in_loop(work)


def test_what_a_batch_waited_and_took_is_counted_finer_than_in_milliseconds(loaded: LoadedVersion) -> None:
    ticks = itertools.count()

    async def work() -> None:
        line = Line(loaded, expected_s=lambda rows: 0.0001, clock=lambda: 0.0001 * next(ticks))
        await line.ask(rows_of(1, 1))
        (batch,) = line.batches
        # The clock is read when it comes, when the turn begins, when the batch is taken, and before and after the run.
        assert (batch.waited_s, batch.took_s) == pytest.approx((0.0003, 0.0001))

    in_loop(work)


def test_a_long_run_leaves_the_loop_free_and_those_who_come_meanwhile_are_the_next_batch(loaded: LoadedVersion) -> None:
    async def work() -> None:
        line = Line(loaded, slow=True)
        go = threading.Event()
        line.hold = lambda: assert_(go.wait(20))
        first = asyncio.create_task(line.ask(rows_of(1, 1)))
        await asyncio.sleep(0.01)
        others = [asyncio.create_task(line.ask(rows_of(1, seed))) for seed in range(2, 5)]
        began = time.monotonic()
        await asyncio.sleep(0)  # the loop turns although the model runs
        assert time.monotonic() - began < 5
        go.set()
        await asyncio.gather(first, *others)
        assert [batch.requests for batch in line.batches] == [1, 3]
        assert line.threads != {threading.get_ident()}
        line.pool.shutdown()

    in_loop(work)


@pytest.mark.parametrize(("batch_s", "room"), [(0.001, 50 * LARGEST), (0.02, 40), (5.0, 2 * LARGEST)])
def test_no_more_rows_wait_than_are_run_in_time_and_two_batches_always_may(
    loaded: LoadedVersion, batch_s: float, room: int
) -> None:
    async def work() -> None:
        line = Line(loaded, longest_wait_s=0.05, expected_s=lambda rows: batch_s)
        assert await crowd(line, room + 5) == 5
        line.pool.shutdown()

    in_loop(work)


def test_batches_that_follow_each_other_late_make_the_room_smaller(loaded: LoadedVersion) -> None:
    """Runs are done in time, and the loop has other things to do between them."""

    async def work() -> None:
        line = Line(loaded, longest_wait_s=0.05, expected_s=lambda rows: INLINE_S)
        asked = [asyncio.create_task(line.ask(rows_of(1, seed))) for seed in range(20 * LARGEST)]
        await asyncio.sleep(0)
        while line.batcher.waiting_rows:
            time.sleep(0.01)
            await asyncio.sleep(0)
        await asyncio.gather(*asked)
        assert await crowd(line, 20 * LARGEST) > 10 * LARGEST, "five batches of 10 ms have room"
        line.pool.shutdown()

    in_loop(work)


def test_while_there_are_too_many_a_single_batch_waits_behind_one_that_takes_long(loaded: LoadedVersion) -> None:
    async def work() -> None:
        line = Line(loaded, longest_wait_s=0.05, expected_s=lambda rows: 5.0, clock=lambda: 0.0)
        line.batcher._standing.refused(0.0)
        assert await crowd(line, 2 * LARGEST) == LARGEST
        line.pool.shutdown()

    in_loop(work)


def test_in_an_overload_that_lasts_who_is_taken_waits_for_a_tenth_of_what_a_burst_may_wait(
    loaded: LoadedVersion,
) -> None:
    async def work() -> None:
        clock = itertools.count()  # of runs, which take 10 ms each
        now = [0.0]

        def run() -> None:
            now[0] = next(clock) * 0.01

        line = Line(loaded, longest_wait_s=0.5, expected_s=lambda rows: 0.0019, clock=lambda: now[0])
        line.batcher._pace = 0.01 / 0.0019
        line.hold = run
        longest: list[int] = []
        asked: list[asyncio.Task[Any]] = []
        for _ in range(60):
            for seed in range(6 * LARGEST):  # three times the two batches that a turn runs
                if not line.batcher.turns_away():
                    asked.append(asyncio.create_task(line.ask(rows_of(1, seed))))
            longest.append(line.batcher.waiting_rows)
            await asyncio.sleep(0)
        await asyncio.gather(*asked, return_exceptions=True)
        assert max(longest) > 15 * LARGEST, "before it has lasted"
        assert max(longest[-20:]) <= 6 * LARGEST + 5 * LARGEST
        line.pool.shutdown()

    in_loop(work)


def test_what_the_next_turn_runs_may_wait_however_late_that_turn_is(loaded: LoadedVersion) -> None:
    """Who was let in is not refused then, after a wait, because other processes have the processor."""

    async def work() -> None:
        line = Line(loaded, longest_wait_s=0.01, expected_s=lambda rows: INLINE_S / 10)
        line.batcher._pace = 1000.0
        for batches, full in ((10, False), (1, True)):
            assert await crowd(line, batches * LARGEST) == 0
            assert line.batcher.turns_away() is full
        assert await crowd(line, 2) == 2
        line.pool.shutdown()

    in_loop(work)


async def crowd(line: Line, rows: int) -> int:
    """How many of so many requests of a row are refused while a batch is run."""
    line.batcher._running = True
    asked = [asyncio.create_task(line.ask(rows_of(1, seed))) for seed in range(rows)]
    await asyncio.sleep(0)
    refused = [one for one in asked if one.done()]
    assert all(isinstance(one.exception(), Refusal) for one in refused)
    for one in asked:
        one.cancel()
    return len(refused)


def test_a_full_queue_refuses_at_once_and_says_when_to_come_again(loaded: LoadedVersion) -> None:
    async def work() -> None:
        line = Line(loaded, slow=True, queue_rows=20)
        go = threading.Event()
        line.hold = lambda: assert_(go.wait(20))
        running = asyncio.create_task(line.ask(rows_of(1, 1)))
        await asyncio.sleep(0.01)
        waiting = [asyncio.create_task(line.ask(rows_of(10, seed))) for seed in (2, 3)]
        await asyncio.sleep(0)
        began = time.monotonic()
        with pytest.raises(Refusal, match="20 rows are waiting already") as refused:
            await line.ask(rows_of(1, 4))
        assert time.monotonic() - began < 0.01
        assert (refused.value.status, refused.value.retry_after) == (503, 1)
        go.set()
        await asyncio.gather(running, *waiting)
        line.pool.shutdown()

    in_loop(work)


def test_what_waited_longer_than_it_may_is_never_run(loaded: LoadedVersion) -> None:
    async def work() -> None:
        line = Line(loaded, slow=True)
        line.hold = lambda: time.sleep(0.05)
        first = asyncio.create_task(line.ask(rows_of(1, 1)))
        await asyncio.sleep(0.01)
        with pytest.raises(Refusal, match="time was over") as refused:
            await line.ask(rows_of(1, 2), 0.01)
        assert refused.value.status == 504
        await first
        assert line.runs == 1
        line.pool.shutdown()

    in_loop(work)


def assert_(condition: bool) -> None:
    assert condition
