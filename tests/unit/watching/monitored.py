"""A project whose monitors are run by hand: real lake, real spool, and the facts that the record would give."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from pipeline.config import Project
from pipeline.process.context import RunContext
from pipeline.process.spec import KnownStream, KnownWindow, MonitorFacts, RecordFacts, RunSpec, WatchedVersion
from pipeline.process.spool import Spool
from pipeline.watching.run import run_monitor
from store import lake
from store.home import Home
from store.times import to_us

START = datetime(2026, 3, 2, tzinfo=UTC)
"""A Monday."""
HOUR = timedelta(hours=1)
SECTIONS: dict[str, Any] = {
    "project": {"name": "test"},
    "sources": {"raw": {"kind": "file", "path": "*.csv", "format": "csv"}},
    "datasets": {"flights": {"source": "raw"}},
    "models": {
        "late": {"task": "binary", "dataset": "flights", "label": "late", "key": ["flight"], "numeric": ["distance"]}
    },
}


@dataclass
class Monitored:
    """`run` runs a monitor once, and remembers what it told as the record would."""

    folder: Path
    monitor: dict[str, Any]
    now: datetime = START
    versions: list[WatchedVersion] = field(default_factory=list)
    last: str = ""
    windows: dict[tuple[int, int], dict[str, Any]] = field(default_factory=dict)
    streams: dict[int, dict[str, Any]] = field(default_factory=dict)
    runs: int = 0
    log: dict[str, Any] = field(default_factory=dict)
    """`[serving.log]`."""

    @property
    def home(self) -> Home:
        return Home(self.folder / ".trainshed")

    @property
    def project(self) -> Project:
        sections = {**SECTIONS, "monitors": {"watch": self.monitor}, "serving": {"log": self.log}}
        return Project.model_validate(sections).placed_in(self.folder)

    def facts(self) -> RecordFacts:
        names = ("version", "start_us", "end_us", "token")
        known = [KnownWindow(**{name: one[name] for name in names}) for _, one in sorted(self.windows.items())]
        streams = [
            KnownStream(version=one["version"], until_us=one["until_us"], state=one["state"])
            for one in self.streams.values()
        ]
        known.sort(key=lambda one: one.end_us)
        facts = MonitorFacts(versions=self.versions, windows=known, streams=streams)
        return RecordFacts(monitor=facts, last_fingerprint=self.last)

    def context(self, *, force: bool = False) -> RunContext:
        self.runs += 1
        directory = self.home.attempt(self.runs, 1)
        directory.root.mkdir(parents=True)
        spec = RunSpec(
            run=self.runs,
            attempt=1,
            nonce="n",
            job="monitor:watch",
            kind="monitor",
            target="watch",
            project=self.folder,
            home=self.home.root,
            force=force,
            context=self.facts(),
        )
        spool = Spool(directory.events, clock=self.now.timestamp)
        return RunContext(spec=spec, project=self.project, home=self.home, spool=spool, now=lambda: self.now)

    def run(self, *, force: bool = False, stop: bool = False) -> Told:
        ctx = self.context(force=force)
        if stop:
            ctx.stop.set()
        run_monitor(ctx)
        events = self.home.attempt(self.runs, 1).events
        told = Told([json.loads(line) for line in events.read_text().splitlines()])
        for one in told.windows:
            self.windows[one["version"], one["start_us"]] = one
        for one in told.of("report"):
            if one["stream"] is not None:
                self.streams[one["version"]] = one["stream"]
        self.last = told.fingerprint or self.last
        return told

    def put(self, rows: pa.Table, mode: lake.Mode = "append") -> None:
        """Into the dataset."""
        path = self.home.dataset("flights")
        before = lake.latest(path)
        batches = pa.RecordBatchReader.from_batches(rows.schema, rows.to_batches())
        expected = before.version if before else None
        lake.commit(path, batches, mode="replace" if before is None else mode, metadata={}, expected=expected)


@dataclass(frozen=True)
class Told:
    """What a run wrote into its spool."""

    events: list[dict[str, Any]]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [one for one in self.events if one["e"] == kind]

    @property
    def windows(self) -> list[dict[str, Any]]:
        return [window for one in self.of("windows") for window in one["windows"]]

    @property
    def report(self) -> dict[str, Any]:
        (found,) = self.of("report")
        return found

    @property
    def skipped(self) -> str | None:
        return next((one["reason"] for one in self.of("skip")), None)

    @property
    def fingerprint(self) -> str | None:
        return next((one["value"] for one in self.of("fingerprint")), None)

    def column(self, name: str) -> dict[str, Any]:
        return next(one for one in self.report["body"]["columns"] if one["name"] == name)


def flights(start: datetime, rows: int, *, per: timedelta = HOUR, seed: int = 0, shift: float = 0.0) -> pa.Table:
    """So many rows, evenly over a span of time."""
    rng = np.random.default_rng(seed)
    at = to_us(start) + (np.arange(rows) * (per / timedelta(microseconds=1)) / rows).astype(np.int64)
    return pa.table(
        {
            "at": pa.array(at, pa.int64()).cast(pa.timestamp("us", "UTC")),
            "distance": rng.normal(500 + shift, 100, rows),
            "carrier": pa.array(rng.choice(["AA", "UA", "DL"], rows), pa.string()),
        }
    )
