"""Which runs start: by priority, then age, within pools and GPU memory; and each that waits is told why."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.dispatch import GPU_USABLE, Busy, Lease, Start, Waiting, choose


def waiting(run: int, *, priority: int = 0, pool: str = "default", slots: int = 1, gpu: float | None = None) -> Waiting:
    return Waiting(run=run, job=f"etl:d{run}", priority=priority, pool=pool, slots=slots, gpu_memory=gpu)


def busy(run: int, *, pool: str = "default", slots: int = 1, lease: Lease | None = None) -> Busy:
    return Busy(run=run, job=f"etl:d{run}", pool=pool, slots=slots, lease=lease)


POOLS = {"default": 2, "heavy": 1}


def started(starts: list[Start]) -> list[int]:
    return [start.run for start in starts]


def test_the_higher_priority_goes_first_then_the_older() -> None:
    choice = choose([waiting(1), waiting(2, priority=5), waiting(3, priority=5)], [], POOLS, [], None)
    assert started(choice.starts) == [2, 3]


def test_a_full_pool_says_how_full_it_is() -> None:
    choice = choose([waiting(9), waiting(10)], [busy(1), busy(2)], POOLS, [], None)
    assert choice.starts == []
    assert choice.waits == {
        9: "pool default is full (2 of 2)",
        10: "pool default is full (2 of 2)",
    }


def test_pools_do_not_stand_in_each_others_way() -> None:
    choice = choose([waiting(1), waiting(2, pool="heavy")], [busy(8), busy(9)], POOLS, [], None)
    assert started(choice.starts) == [2]


def test_nobody_overtakes_a_wide_run_that_waits_for_slots() -> None:
    choice = choose([waiting(1, slots=2), waiting(2)], [busy(9)], POOLS, [], None)
    assert choice.starts == []
    assert choice.waits[2] == "pool default is full (1 of 2), run 1 is before it"


def test_a_run_wider_than_its_pool_takes_the_whole_pool() -> None:
    assert started(choose([waiting(1, slots=50)], [], POOLS, [], None).starts) == [1]


def test_a_degraded_box_starts_nothing_and_says_why() -> None:
    choice = choose([waiting(1)], [], POOLS, [0], "the disk is full")
    assert (choice.starts, choice.waits) == ([], {1: "no run is started: the disk is full"})


def test_an_unknown_pool_is_named() -> None:
    assert "no pool gone" in choose([waiting(1, pool="gone")], [], POOLS, [], None).waits[1]


def test_two_small_leases_share_a_gpu_and_a_third_waits() -> None:
    many = {"default": 9}
    choice = choose([waiting(n, gpu=0.45) for n in (1, 2, 3)], [], many, [0], None)
    assert started(choice.starts) == [1, 2]
    assert choice.waits[3] == "waits for 0.45 of a GPU's memory (free: gpu 0: 0.02)"


def test_a_lease_takes_the_gpu_with_the_most_room() -> None:
    held = busy(9, lease=Lease(gpu=0, memory=0.5))
    choice = choose([waiting(1, gpu=0.3)], [held], {"default": 9}, [0, 1], None)
    assert choice.starts == [Start(run=1, lease=Lease(gpu=1, memory=0.3))]


def test_a_whole_gpu_leaves_room_for_the_cuda_libraries() -> None:
    assert choose([waiting(1, gpu=1.0)], [], POOLS, [0], None).starts[0].lease == Lease(gpu=0, memory=GPU_USABLE)


def test_without_a_gpu_a_run_that_wants_one_starts_and_its_worker_decides() -> None:
    assert choose([waiting(1, gpu=1.0)], [], POOLS, [], None).starts == [Start(run=1, lease=None)]


def test_a_lease_survives_the_way_through_the_record() -> None:
    lease = Lease(gpu=3, memory=0.25)
    assert Lease.from_json(lease.as_json()) == lease


@pytest.mark.slow
@given(
    queue=st.lists(
        st.tuples(
            st.integers(-2, 2), st.sampled_from(["default", "heavy"]), st.integers(1, 3), st.none() | st.floats(0.05, 1)
        ),
        max_size=12,
    ),
    gpus=st.integers(0, 3),
)
def test_no_pool_and_no_gpu_is_ever_overbooked(queue: list[tuple[int, str, int, float | None]], gpus: int) -> None:
    runs = [waiting(n, priority=p, pool=pool, slots=s, gpu=g) for n, (p, pool, s, g) in enumerate(queue, 1)]
    choice = choose(runs, [], POOLS, range(gpus), None)
    assert sorted([*started(choice.starts), *choice.waits]) == [run.run for run in runs]
    by_id = {run.run: run for run in runs}
    for pool, size in POOLS.items():
        assert sum(min(by_id[s.run].slots, size) for s in choice.starts if by_id[s.run].pool == pool) <= size
    for gpu in range(gpus):
        leased = [s.lease.memory for s in choice.starts if s.lease is not None and s.lease.gpu == gpu]
        assert sum(leased) <= GPU_USABLE + 1e-6
