"""What the machine room measures: rates, folders, dear answers that are remembered, programs that answer."""

from __future__ import annotations

import os
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from daemon.folders import measure_folders
from daemon.program import ask_program
from daemon.rates import Counts, Rates, count, rates
from daemon.remembered import Remembered
from store.errors import StorageError
from store.home import Home


def test_rates_are_differences_of_counts_over_time() -> None:
    before, after = Counts(1000, 10, None, 500), Counts(3000, 30, 7, 100)
    assert rates(before, after, 2.0) == Rates(1000.0, 10.0, None, None)
    assert rates(None, after, 2.0) == Rates(None, None, None, None)


def test_the_processors_are_busy_by_their_own_clocks_whoever_asks() -> None:
    before, after = Counts(0, 0, 0, 0, busy=10.0, idle=30.0), Counts(0, 0, 0, 0, busy=13.0, idle=31.0)
    assert rates(before, after, 2.0).cpu_percent == 75.0
    assert rates(before, before, 2.0).cpu_percent == 0.0

    def work() -> Counts:
        end = time.process_time() + 0.2
        while time.process_time() < end:
            pass
        return count()

    with ThreadPoolExecutor(1) as pool:
        first = count()
        assert rates(first, pool.submit(work).result(), 1.0).cpu_percent > 5.0


def test_the_kernel_counts_what_this_machine_sends() -> None:
    counted = count()
    assert counted.received is None or counted.received >= 0


def test_folders_are_measured_and_a_linked_file_counts_once(tmp_path: Path) -> None:
    home = Home(tmp_path)
    (home.lake / "datasets").mkdir(parents=True)
    (home.lake / "datasets" / "part").write_bytes(b"x" * 100_000)
    (home.backups / "one").mkdir(parents=True)
    os.link(home.lake / "datasets" / "part", home.backups / "one" / "part")
    (home.backups / "one" / "manifest.json").write_bytes(b"{}")
    found = {folder.name: folder for folder in measure_folders(home, lambda: 0.0)}
    assert set(found) == {"lake", "backups"}
    assert found["lake"].bytes >= 100_000
    assert (found["backups"].files, found["backups"].bytes < 10_000) == (2, True)
    assert all(folder.complete for folder in found.values())


def test_a_walk_that_takes_too_long_ends_and_says_so(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.runs.mkdir()
    for name in range(10):
        (home.runs / str(name)).write_bytes(b"x")
    clock = iter(float(second) for second in range(1000))
    (folder,) = measure_folders(home, lambda: next(clock))
    assert not folder.complete
    assert 0 < folder.files < 10


def test_a_dear_answer_is_found_once_for_all_who_ask_and_again_when_it_is_old() -> None:
    found: list[int] = []
    now = [0.0]
    go = threading.Event()

    def find() -> int:
        assert go.wait(10)
        found.append(len(found))
        return found[-1]

    remembered = Remembered(find, good_for=60.0, monotonic=lambda: now[0])
    assert remembered.get(0.01) is None, "the first answer is not there yet"
    go.set()
    assert remembered.get(10) == 0
    assert remembered.get(10) == 0
    assert remembered.get(10, fresh=True) == 1
    go.clear()
    now[0] = 61.0
    assert remembered.get(10) == 1, "nobody waits for a newer one"
    go.set()
    assert remembered.get(10, fresh=True) == 2
    assert found == [0, 1, 2]


@pytest.mark.slow
def test_a_program_that_says_nothing_is_told_by_its_last_words() -> None:
    with pytest.raises(StorageError, match="unrecognized arguments: --colour"):
        ask_program("daemon.doctor", ["--colour"], 20.0)
    with pytest.raises(StorageError, match=r"did not answer within 0\.01 s"):
        ask_program("daemon.doctor", ["--json"], 0.01)
