"""The writer's side: nothing is lost that is not counted, and the hot path never waits."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from pipeline.predictions.log import Limits, PredictionLog
from pipeline.predictions.record import Dropped, Prediction, from_line, to_line
from pipeline.predictions.segments import finished, segments, whole_lines

ROOT = Path(__file__).parents[3]
QUICK = Limits(gather_s=0.001)


def sample(number: int, inputs: object = None) -> Prediction:
    return Prediction(f"r-{number}", number, "late", 2, "assigned", f"u-{number % 7}", 1, 250, 200, inputs, [0.5])


def log_in(folder: Path, limits: Limits = QUICK, writer: str = "w") -> PredictionLog:
    return PredictionLog(folder, writer, limits, now_us=lambda: 7)


def lines_of(folder: Path) -> list[Prediction | Dropped]:
    return [from_line(line) for segment in segments(folder) for _, line in whole_lines(segment, 0, 10**12)]


def numbers(lines: list[Prediction | Dropped]) -> list[int]:
    return [one.at_us for one in lines if isinstance(one, Prediction)]


def dropped(lines: list[Prediction | Dropped]) -> int:
    return sum(one.many for one in lines if isinstance(one, Dropped))


def settled(log: PredictionLog) -> None:
    while log.counts.waiting:
        time.sleep(0.001)


def test_what_is_offered_is_written_in_order(tmp_path: Path) -> None:
    log = log_in(tmp_path)
    assert all(log.offer(sample(n)) for n in range(5000))
    log.close()
    assert numbers(lines_of(tmp_path)) == list(range(5000))
    assert (log.counts.offered, log.counts.written, log.counts.dropped, log.counts.waiting) == (5000, 5000, 0, 0)


def test_without_predictions_there_is_no_file(tmp_path: Path) -> None:
    log_in(tmp_path / "predictions").close()
    assert not (tmp_path / "predictions").exists()


def test_a_full_queue_drops_and_the_log_says_how_many(tmp_path: Path) -> None:
    log = log_in(tmp_path, Limits(waiting=10 * len(to_line(sample(99))), gather_s=0.3))
    taken = [log.offer(sample(n)) for n in range(100)]
    assert sum(taken) == 10  # while the thread gathers, or just after it took the first few
    assert log.counts.dropped == 90
    log.close()
    found = lines_of(tmp_path)
    assert numbers(found) == list(range(10))
    assert dropped(found) == 90


def test_from_many_threads_every_offer_is_written_or_counted(tmp_path: Path) -> None:
    log = log_in(tmp_path, Limits(waiting=20_000, gather_s=0.001))
    threads = [
        threading.Thread(target=lambda k=k: [log.offer(sample(k * 10_000 + n)) for n in range(5000)]) for k in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    found, counts = lines_of(tmp_path), log.counts
    assert counts.offered == 20_000 == counts.written + counts.dropped
    assert len(set(numbers(found))) == len(numbers(found)) == counts.written
    assert dropped(found) == counts.dropped > 0


def test_one_that_is_no_json_is_dropped_alone(tmp_path: Path) -> None:
    log = log_in(tmp_path)
    for number in range(5):
        log.offer(sample(number, object() if number == 2 else {"x": 1}))
    log.close()
    found = lines_of(tmp_path)
    assert numbers(found) == [0, 1, 3, 4]
    assert dropped(found) == log.counts.dropped == 1


def test_segments_end_when_they_are_full_and_only_the_last_is_open(tmp_path: Path) -> None:
    log = log_in(tmp_path, Limits(segment=2000, gather_s=0.001))
    for number in range(200):
        log.offer(sample(number))
        time.sleep(0.0005)
    settled(log)
    found = segments(tmp_path)
    assert len(found) > 3
    assert [finished(one) for one in found] == [True] * (len(found) - 1) + [False]
    log.close()
    assert finished(found[-1])
    assert numbers(lines_of(tmp_path)) == list(range(200))


def test_a_folder_that_is_full_drops_until_somebody_takes_segments_away(tmp_path: Path) -> None:
    log = log_in(tmp_path, Limits(segment=1, folder=1500, gather_s=0.001))
    for number in range(40):
        log.offer(sample(number))
        settled(log)
    lost = log.counts.dropped
    assert 0 < lost < 40
    for segment in segments(tmp_path)[:-1]:
        segment.unlink()
    log.offer(sample(99))
    log.close()
    assert numbers(lines_of(tmp_path))[-1] == 99
    assert dropped(lines_of(tmp_path)) == lost


def test_payloads_are_kept_for_the_share_that_is_asked_for_and_lines_for_all(tmp_path: Path) -> None:
    log = log_in(tmp_path, Limits(payloads=0.2))
    for number in range(4000):
        log.offer(sample(number, {"x": 1}))
    log.close()
    kept = [one.inputs is not None for one in lines_of(tmp_path) if isinstance(one, Prediction)]
    assert len(kept) == 4000
    assert sum(kept) / 4000 == pytest.approx(0.2, abs=0.025)


def test_after_closing_everything_is_dropped(tmp_path: Path) -> None:
    log = log_in(tmp_path)
    log.close()
    assert not log.offer(sample(1))
    assert (log.counts.offered, log.counts.dropped) == (1, 1)


def test_two_writers_of_one_name_do_not_write_into_one_file(tmp_path: Path) -> None:
    for number in (1, 2):
        log = log_in(tmp_path)
        log.offer(sample(number))
        log.close()
        assert log.counts.dropped == number - 1
    assert numbers(lines_of(tmp_path)) == [1]


FULL = """
import json, resource, sys, time
from pathlib import Path
from tests.unit.predictions.test_log import log_in, sample, settled

def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))

log = log_in(Path(sys.argv[1]))
log.offer(sample(0))
settled(log)
limit(1000)  # from here on a write stops in the middle of a line
began = time.perf_counter()
for number in range(1, 101):
    log.offer(sample(number))
took = time.perf_counter() - began
settled(log)
limit(resource.RLIM_INFINITY)
log.offer(sample(101))
log.close()
print(json.dumps([took, log.counts.written, log.counts.dropped]))
"""


@pytest.mark.slow
def test_a_disk_that_takes_no_more_is_counted_cut_back_and_never_waited_for(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    took, written, lost = json.loads(done.stdout)
    found = lines_of(tmp_path)
    assert took < 0.5
    assert len(numbers(found)) == written
    assert dropped(found) == lost == 102 - written > 80
    assert numbers(found)[-1] == 101
    assert all(segment.read_bytes().endswith(b"\n") for segment in segments(tmp_path))


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_segment_that_cannot_be_cut_back_is_left_and_the_next_begins(tmp_path: Path) -> None:
    log = log_in(tmp_path)
    log.offer(sample(0))
    settled(log)
    descriptor = next(n for n in os.listdir("/proc/self/fd") if _leads_to(n, segments(tmp_path)[0]))
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, int(descriptor))  # no write fits, and it cannot be made shorter
    os.close(full)
    log.offer(sample(1))
    settled(log)
    log.offer(sample(2))
    log.close()
    assert len(segments(tmp_path)) == 2
    assert numbers(lines_of(tmp_path)) == [0, 2]
    assert dropped(lines_of(tmp_path)) == log.counts.dropped == 1


def _leads_to(descriptor: str, path: Path) -> bool:
    try:
        found = os.stat(f"/proc/self/fd/{descriptor}")
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and os.path.samestat(found, path.stat())
