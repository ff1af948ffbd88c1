"""Figures of a machine that only breathes: what stays as it is drawn, and what is news."""

from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from tests.unit.ui.still import BOX, SYSTEM
from tui.rows import box, steady
from tui.rows import system as rows
from tui.rows.words import about
from tui.table.column import Frame


def test_a_box_without_work_is_drawn_as_it_was() -> None:
    breath = {"cpu_percent": 40.0, "memory_used": BOX.memory_used + 900_000_000, "received": 15_000.0, "read": 9_000.0}
    drawn = steady.box(BOX, BOX.model_copy(update=breath))
    assert box.lines(drawn, None, 92) == box.lines(BOX, None, 92)


def test_work_is_seen_and_stays_near_what_was_measured() -> None:
    now = BOX.model_copy(update={"cpu_percent": 43.0, "received": 30_000_000.0, "written": 2_500_000.0})
    drawn = steady.box(BOX, now)
    assert drawn.cpu_percent == 43.0
    assert drawn.received == 30_000_000.0
    assert drawn.written == BOX.written


@given(st.lists(st.floats(0, 100), min_size=1, max_size=50))
def test_what_is_drawn_is_never_further_off_than_five_points(measured: list[float]) -> None:
    shown = BOX
    for percent in measured:
        shown = steady.box(shown, BOX.model_copy(update={"cpu_percent": percent}))
        assert abs(shown.cpu_percent - percent) <= steady.POINTS


def test_what_was_not_measured_is_not_held_for_a_figure() -> None:
    unknown = BOX.model_copy(update={"received": None})
    assert steady.box(BOX, unknown).received is None
    assert steady.box(unknown, BOX).received == BOX.received


def test_the_machine_room_is_drawn_as_it_was_and_a_new_process_at_once() -> None:
    daemon = SYSTEM.daemon.model_copy(update={"rss": 97_000_000, "threads": 11, "revision": 700})
    record = SYSTEM.record.model_copy(update={"wal_bytes": 36_000, "rows": {**SYSTEM.record.rows, "event": 1_209}})
    first, second = SYSTEM.processes
    processes = [first.model_copy(update={"cpu_percent": 2.0}), second.model_copy(update={"cpu_percent": 175.0})]
    new = second.model_copy(update={"pid": 4_712})
    now = SYSTEM.model_copy(update={"daemon": daemon, "record": record, "processes": [*processes, new]})
    drawn = steady.system(SYSTEM, now)
    frame = Frame(BOX.at)
    assert rows.facts(drawn, frame) == rows.facts(SYSTEM, frame)
    assert drawn.processes == [*SYSTEM.processes, new]


def test_a_process_that_took_an_old_number_is_another_one() -> None:
    first, second = SYSTEM.processes
    other = second.model_copy(update={"started_at": BOX.at, "cpu_percent": 186.0})
    drawn = steady.system(SYSTEM, SYSTEM.model_copy(update={"processes": [first, other]}))
    assert drawn.processes[1].cpu_percent == 186.0


def test_memory_of_a_gpu_moves_by_a_hundredth_of_it() -> None:
    gpu = BOX.gpus[0]
    little, much = (gpu.model_copy(update={"memory_used": gpu.memory_used + more}) for more in (10**8, 10**9))
    assert steady.box(BOX, BOX.model_copy(update={"gpus": [little]})).gpus == [gpu]
    assert steady.box(BOX, BOX.model_copy(update={"gpus": [much]})).gpus == [much]


def test_large_counts_are_told_to_two_digits() -> None:
    assert [about(number) for number in (7, 64, 1_204, 48_120)] == ["7", "64", "1,200", "48,000"]
