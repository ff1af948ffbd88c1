"""The daemon's look at itself: its process, the record's file, the home's folders, its children, the devices."""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import psutil
from sqlmodel import Session

from daemon import findings
from daemon.folders import measure_folders
from daemon.program import ask_program
from daemon.remembered import Remembered
from daemon.usage import Trees, Usage
from store import lifecycle, queue
from store.engine import Record
from store.errors import TrainshedError
from store.migrations import OURS
from store.results import last_backup
from store.rowcounts import row_counts
from store.times import Clock
from store.wire import DoctorView, FindingView, FoldersView, ProcessView, RecordView

FOLDERS_S: Final = 60.0
"""For so long the measured folders and counted rows are good enough."""
DOCTOR_S: Final = 60.0
DOCTOR_WAIT_S: Final = 20.0
COUNT_S: Final = 2.0


@dataclass(frozen=True)
class Own:
    """The daemon as a process."""

    usage: Usage
    threads: int
    open_files: int


class MachineRoom:
    """Its methods may be called from any thread."""

    def __init__(
        self,
        record: Record,
        clock: Clock,
        folder: Path,
        shims: Callable[[], Mapping[int, int]],
        warm: Callable[[], Mapping[str, int]],
        serving: Callable[[], Mapping[str, int]],
    ) -> None:
        """`folder`: the project's; `shims`: run → pid of what runs; `warm`: libraries → pid of what is kept warm;
        `serving`: name → pid of what answers requests."""
        self._record = record
        self._clock = clock
        self._folder = folder
        self._shims = shims
        self._warm = warm
        self._serving = serving
        self._trees = Trees()
        self._turn = threading.Lock()
        self._folders = Remembered(self._measure_folders, FOLDERS_S, time.monotonic)
        self._rows = Remembered(self._count_rows, FOLDERS_S, time.monotonic)
        self._doctor = Remembered(self._ask_doctor, DOCTOR_S, time.monotonic)

    def doctor(self, *, fresh: bool) -> DoctorView | None:
        """What it found within the last minute, or finds now; None by a fault of ours, which is logged."""
        return self._doctor.get(DOCTOR_WAIT_S + 5, fresh=fresh)

    def folders(self, wait: float) -> FoldersView | None:
        """As measured within the last minute, or while that goes on, before."""
        return self._folders.get(wait)

    def processes(self) -> tuple[Own, list[ProcessView]]:
        """The daemon, what is kept warm, what answers requests, and every living attempt."""
        shims, warm, serving = dict(self._shims()), dict(self._warm()), dict(self._serving())
        own = os.getpid()
        # The daemon's children are listed by themselves, and so are those of a warm process: runs are forked from it.
        with self._turn:
            used = self._trees.measure(
                {
                    **dict.fromkeys(shims.values(), True),
                    **dict.fromkeys([*warm.values(), *serving.values(), own], False),
                }
            )
        process = psutil.Process(own)
        itself = Own(used[own], process.num_threads(), process.num_fds())
        found = [_view("daemon", "trainshedd", own, used[own])]
        found += [_view("warm", name, pid, used[pid]) for name, pid in warm.items() if pid in used]
        found += [_view("serving", name, pid, used[pid]) for name, pid in serving.items() if pid in used]
        with self._record.read() as session:
            found += [self._attempt(session, run, pid, used[pid]) for run, pid in shims.items() if pid in used]
        return itself, found

    def record(self, session: Session) -> RecordView:
        database = self._record.home.database
        wal = database.with_name(database.name + "-wal")
        verdict = findings.sqlite(sqlite3.sqlite_version_info)
        return RecordView(
            path=str(database),
            bytes=database.stat().st_size,
            wal_bytes=wal.stat().st_size if wal.exists() else 0,
            rows=self._rows.get(COUNT_S) or {},
            sqlite=sqlite3.sqlite_version,
            sqlite_verdict=verdict.verdict,
            sqlite_fact=verdict.fact,
            schema_revision=OURS.head,
            backup=last_backup(session),
        )

    def _attempt(self, session: Session, run: int, pid: int, usage: Usage) -> ProcessView:
        row = queue.get_run(session, run)
        view = _view("attempt", row.job, pid, usage)
        state = lifecycle.get_attempt(session, run, row.attempt).state
        return view.model_copy(update={"run": run, "attempt": row.attempt, "state": state})

    def _measure_folders(self) -> FoldersView:
        return FoldersView(at=self._clock(), folders=measure_folders(self._record.home, time.monotonic))

    def _count_rows(self) -> dict[str, int]:
        with self._record.read() as session:
            return row_counts(session, COUNT_S, time.monotonic)

    def _ask_doctor(self) -> DoctorView:
        at, began = self._clock(), time.monotonic()
        try:
            answer = ask_program("daemon.doctor", ["--project", str(self._folder), "--json"], DOCTOR_WAIT_S)
            found = [FindingView(**finding) for finding in answer["findings"]]
        except TrainshedError as error:
            found = [FindingView(about="doctor", verdict="fail", fact=error.what, remedy=error.remedy)]
        return DoctorView(
            verdict=findings.worst(found), findings=found, at=at, seconds=round(time.monotonic() - began, 3)
        )


def _view(what: str, name: str, pid: int, usage: Usage) -> ProcessView:
    return ProcessView.model_validate(
        {
            "what": what,
            "name": name,
            "pid": pid,
            "rss": usage.rss,
            "cpu_percent": usage.cpu_percent,
            "cpu_seconds": usage.cpu_seconds,
            "processes": len(usage.pids),
            "started_at": datetime.fromtimestamp(usage.began, UTC),
        }
    )
