"""Retention on a long history: what others wait for while old runs go, and what it costs.

    python benchmarks/prune.py [--runs 100000] [--keep DIR]

A history is made by fill.py (with --keep: in DIR, and used up there), a folder of five files for each of its oldest
runs that go, and rounds are gone until nothing is left that goes. Beside them another thread writes one row every 10
ms: `writer_wait_ms` is how long it waited for its turn and its commit, with and without retention. `transaction_ms`:
how long one of retention held the record, its commit included; `transaction_cpu_ms`: computing, without it, which is
the figure to trust on a busy box. `plan`: one `trainshed prune --dry-run`, folders included.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.fill import fill
from benchmarks.made.runs import EVERY_S
from daemon.prune import preview
from daemon.retention import Retention
from pipeline.config import Project, load_project
from store import oldruns
from store.engine import Record, Transaction
from store.home import Home
from store.retention import Policy
from store.times import system_clock, to_us

WITH_FOLDERS: Final = 5000
LONE_S: Final = 10.0


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=100_000)
    parser.add_argument("--keep", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as elsewhere:
        print(json.dumps(measure(given.keep or Path(elsewhere), given.runs), indent=2))


def measure(folder: Path, count: int) -> dict[str, Any]:
    """The older four fifths of the history are old enough to go."""
    filled = fill(folder, count)
    seconds = max(86_400, count * EVERY_S // 5)
    (folder / "trainshed.toml").write_text(
        (folder / "trainshed.toml").read_text() + f'[daemon]\nkeep_runs = "{seconds}s"\n'
    )
    project = load_project(folder)
    record = Timed.open(Home.of_project(folder, {}), system_clock)
    assert isinstance(record, Timed)
    _make_folders(record, project)
    began = time.perf_counter()
    with record.read() as session:
        plan = preview(session, record.home, project, to_us(system_clock()), time.monotonic)
    plan_ms = (time.perf_counter() - began) * 1000
    lone, rounds = Writer(record), []
    with lone.writing():
        time.sleep(LONE_S)
    record.held.clear()
    beside, retention = Writer(record), Retention(record, lambda: project, system_clock)
    cpu, more = time.process_time(), True
    with beside.writing():
        while more:
            start = time.perf_counter()
            more = retention.remove("daemon")
            rounds.append(time.perf_counter() - start)
    found = {
        "history": filled,
        "plan": {"runs": plan.runs, "stay": plan.staying, "complete": plan.complete, "ms": round(plan_ms)},
        "transaction_ms": spread([wall for writer, wall, _ in record.held if writer is not beside.thread]),
        "transaction_cpu_ms": spread([cpu for writer, _, cpu in record.held if writer is not beside.thread]),
        "writer_wait_ms": {"alone": spread(lone.waited), "beside": spread(beside.waited)},
        "rounds": {"number": len(rounds), "s": spread([one / 1000 for one in rounds])},
        "cpu_ms_a_run": round((time.process_time() - cpu) * 1000 / max(plan.runs, 1), 2),
    }
    record.close()
    return found


class Timed(Record):
    """Notes how long each transaction held the record, in which thread, and the CPU time of it."""

    held: list[tuple[threading.Thread, float, float]]

    @contextmanager
    def transaction(self) -> Iterator[Transaction]:
        with super().transaction() as tx:
            began, cpu = time.perf_counter(), time.thread_time()
            yield tx
            tx.finish()
        took = threading.current_thread(), time.perf_counter() - began, time.thread_time() - cpu
        self.__dict__.setdefault("held", []).append(took)


class Writer:
    """A thread that writes a row, waits 10 ms, and so on."""

    def __init__(self, record: Record) -> None:
        self.waited: list[float] = []
        self.thread = threading.Thread(target=self._write)
        self._record = record
        self._over = False

    @contextmanager
    def writing(self) -> Iterator[None]:
        self.thread.start()
        yield
        self._over = True
        self.thread.join()

    def _write(self) -> None:
        while not self._over:
            began = time.perf_counter()
            with self._record.transaction() as tx:
                _ = tx.rev
            self.waited.append(time.perf_counter() - began)
            time.sleep(0.01)


def spread(seconds: Sequence[float]) -> dict[str, float]:
    ranked = sorted(one * 1000 for one in seconds)
    at = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "most": 1.0}
    return {name: round(ranked[min(len(ranked) - 1, int(share * len(ranked)))], 1) for name, share in at.items()} | {
        "number": len(ranked),
        "mean": round(statistics.fmean(ranked), 1),
    }


def _make_folders(record: Record, project: Project) -> None:
    from daemon.keeping import policy_of

    policy: Policy = policy_of(project)
    made = 0
    with record.read() as session:
        for verdicts in oldruns.pages(session, policy, to_us(system_clock())):
            for one in verdicts:
                if one.goes and made < WITH_FOLDERS:
                    folder = record.home.attempt(one.run, 1).root
                    folder.mkdir(parents=True)
                    for name in ("spec.json", "status.json", "events.jsonl", "stdout.log", "stderr.log"):
                        (folder / name).write_bytes(b"x" * 2000)
                    made += 1


if __name__ == "__main__":
    main()
