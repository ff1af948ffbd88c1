"""Counts of comparisons, in files: exact over workers and restarts, bounded, and never going back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.experiments.counting import seen, tallied
from pipeline.experiments.stages import Plan
from pipeline.serving.tally import Event, Tally, forget, read, write

MEETINGS = st.lists(
    st.tuples(
        st.sampled_from(["a", "b", "c", "d", "e"]),
        st.sampled_from([1, 2]),
        st.sampled_from([200, 400, 500, 503]),
        st.integers(0, 20),
        st.sampled_from(["first", "second", "third"]),
        st.booleans(),
    ),
    max_size=60,
)


@pytest.mark.slow
@given(MEETINGS)
def test_any_number_of_workers_count_what_one_log_of_all_requests_says(
    tmp_path_factory: pytest.TempPathFactory, met: list[tuple[str, int, int, int, str, bool]]
) -> None:
    folder = tmp_path_factory.mktemp("tallies")
    workers = {name: Tally(folder, name) for name in ("first", "second", "third")}
    for unit, version, status, latency, worker, writes in met:
        events: list[Event] = ["errors"] if status >= 500 else ["refusals"] if status == 400 else []
        events += ["slow answers"] if latency > 10 else []
        workers[worker].saw(7, 0, version, unit, events)
        if writes:
            write(workers[worker].pending())
    for tally in workers.values():
        write(tally.pending())
    found = read(folder, 7, 0)
    columns = [np.array([one[place] for one in met]) for place in range(4)] if met else [np.array([])] * 4
    wanted = seen(*columns, canary=2, control=1, promised_us=10)
    assert tallied(found, Plan().tolerated, canary=2, control=1) == wanted


def test_what_a_dead_worker_counted_stays_and_stages_are_apart(tmp_path: Path) -> None:
    dead, alive = Tally(tmp_path, "dead"), Tally(tmp_path, "alive")
    dead.saw(1, 0, 2, "ann", ["errors"])
    write(dead.pending())
    alive.saw(1, 0, 2, "ann", ["errors"])
    alive.saw(1, 1, 2, "ann", [])
    write(alive.pending())
    assert alive.pending() == []
    first, second = read(tmp_path, 1, 0), read(tmp_path, 1, 1)
    assert (first.requests, first.events["errors"], first.hit["errors"]) == ({2: 2}, {2: 2}, {2: 1})
    assert (second.requests, second.hit) == ({2: 1}, {})


def test_units_with_an_event_are_bounded_and_the_bound_is_one_for_all_arms(tmp_path: Path) -> None:
    tally = Tally(tmp_path, "one", most_units=10)
    for number in range(100):
        tally.saw(1, 0, 1 + number % 2, f"u{number}", ["errors"])
    write(tally.pending())
    found = read(tmp_path, 1, 0)
    assert found.hit["errors"] == {1: 5, 2: 5}
    assert found.requests == {1: 50, 2: 50}


def test_units_are_told_to_about_one_percent_until_they_are_too_many(tmp_path: Path) -> None:
    one, other = Tally(tmp_path, "one"), Tally(tmp_path, "other")
    for number in range(20_000):
        (one if number % 3 else other).saw(1, 0, 2, f"u{number}", [])
        one.saw(1, 0, 2, f"u{number}", [])
    write([*one.pending(), *other.pending()])
    units = read(tmp_path, 1, 0).units[2]
    assert units is not None
    assert abs(units / 20_000 - 1) < 0.02


def test_comparisons_that_are_over_are_forgotten_and_a_file_that_was_cut_short_counts_nothing(tmp_path: Path) -> None:
    tally = Tally(tmp_path, "one")
    for comparison in (1, 2, 12):
        tally.saw(comparison, 0, 2, "ann", [])
    write(tally.pending())
    (tmp_path / "2-0-cut.json").write_bytes(b"")
    forget(tmp_path, {2, 12})
    assert sorted(file.name for file in tmp_path.iterdir()) == ["12-0-one.json", "2-0-cut.json", "2-0-one.json"]
    assert read(tmp_path, 2, 0).requests == {2: 1}
    tally.keep_only({12})
    assert tally.pending() == []
    tally.saw(2, 0, 2, "ann", [])
    (pending,) = tally.pending()
    assert b'"requests":[[2,1]]' in pending[1]
