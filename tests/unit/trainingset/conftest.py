"""A project in a folder with a real lake, and the spool that a step wrote."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline.config import Project
from pipeline.features.run import run_features
from pipeline.process.context import RunContext
from pipeline.process.spec import RecordFacts, RunSpec
from pipeline.process.spool import Spool
from store import lake
from store.home import Home
from store.words import JobKind

NOW = datetime(2013, 6, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Shed:
    """A project with its home."""

    project: Project
    home: Home

    def put(self, dataset: str, rows: pa.Table) -> None:
        """A new version of a dataset, in place of the one before."""
        path = self.home.dataset(dataset)
        before = lake.latest(path)
        lake.commit(
            path,
            pa.RecordBatchReader.from_batches(rows.schema, rows.to_batches()),
            mode="replace",
            metadata={},
            expected=before.version if before else None,
        )

    def context(self, kind: JobKind, target: str, **changes: Any) -> RunContext:
        spec: dict[str, Any] = {"run": 1, "attempt": 1, "nonce": "n", "job": f"{kind}:{target}", "kind": kind}
        spec |= {"target": target, "project": self.project.root, "home": self.home.root, **changes}
        self.events.parent.mkdir(parents=True, exist_ok=True)
        spool = Spool(self.events, clock=NOW.timestamp)
        return RunContext(spec=RunSpec(**spec), project=self.project, home=self.home, spool=spool, now=lambda: NOW)

    def compute(self, view: str, *, last_fingerprint: str = "", force: bool = False) -> list[dict[str, Any]]:
        """Runs the view's job; the events it wrote."""
        self.events.unlink(missing_ok=True)
        record = RecordFacts(last_fingerprint=last_fingerprint)
        run_features(self.context("features", view, context=record, force=force))
        return self.spooled()

    @property
    def events(self) -> Path:
        return self.home.attempt(1, 1).events

    def spooled(self, kind: str | None = None) -> list[dict[str, Any]]:
        events = [json.loads(line) for line in self.events.read_text().splitlines()]
        return [event for event in events if kind in (None, event["e"])]


@pytest.fixture
def make_shed(tmp_path: Path) -> Callable[[dict[str, Any]], Shed]:
    def make(sections: dict[str, Any]) -> Shed:
        project = Project.model_validate({"project": {"name": "test"}, **sections}).placed_in(tmp_path)
        return Shed(project, Home(tmp_path / ".trainshed"))

    return make
