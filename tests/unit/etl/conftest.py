"""A project in a folder, run as the product runs it: real files, a real lake, a real spool."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pipeline.config import Project
from pipeline.etl.run import run_etl
from pipeline.process.context import RunContext
from pipeline.process.spec import RunSpec
from pipeline.process.spool import Spool
from store import lake
from store.errors import TrainshedError
from store.home import Home
from tests.webserver import Answerer, Site, serve

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@dataclass
class Told:
    """What one run wrote into its spool."""

    events: list[dict[str, Any]]

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["e"] == kind]

    def one(self, kind: str) -> dict[str, Any]:
        (event,) = self.of(kind)
        return event

    @property
    def skipped(self) -> str | None:
        found = self.of("skip")
        return found[0]["reason"] if found else None


@dataclass
class Shed:
    root: Path
    sections: dict[str, Any] = field(default_factory=dict)
    runs: int = 0

    @property
    def home(self) -> Home:
        return Home(self.root / "home")

    def write(self, name: str, text: str) -> None:
        (self.root / name).write_text(text)

    def run(
        self,
        name: str,
        *,
        force: bool = False,
        now: Callable[[], datetime] = lambda: NOW,
        stop: threading.Event | None = None,
        again: bool = False,
    ) -> Told:
        """One run of `etl:NAME`; `again`: a further attempt of the run before. Raises what the step raises."""
        self.runs += 0 if again else 1
        project = Project.model_validate({"project": {"name": "shop"}, **self.sections}).placed_in(self.root)
        folder = self.home.attempt(self.runs, 1 + again).root
        folder.mkdir(parents=True)
        spool = Spool(folder / "events.jsonl", time.time)
        spec = RunSpec(
            run=self.runs,
            attempt=1 + again,
            nonce="n",
            job=f"etl:{name}",
            kind="etl",
            target=name,
            project=self.root,
            home=self.home.root,
            force=force,
        )
        context = RunContext(
            spec=spec, project=project, home=self.home, spool=spool, now=now, stop=stop or threading.Event()
        )
        try:
            run_etl(context)
        except TrainshedError as error:
            spool.fault(error)
            raise
        finally:
            spool.close()
        return self.told()

    def told(self) -> Told:
        """By the newest attempt."""
        newest = max(self.home.runs.glob("*/*/events.jsonl"), key=lambda f: [int(part) for part in f.parts[-3:-1]])
        return Told([json.loads(line) for line in newest.read_text().splitlines()])

    def rows(self, name: str, version: int | None = None) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = lake.dataset_at(self.home.dataset(name), version).to_table().to_pylist()
        return found

    def table(self, name: str) -> pa.Table:
        return lake.dataset_at(self.home.dataset(name)).to_table()

    def version(self, name: str) -> int | None:
        newest = lake.latest(self.home.dataset(name))
        return newest.version if newest else None

    def quarantine(self, name: str) -> list[dict[str, Any]]:
        if lake.latest(self.home.quarantine(name)) is None:
            return []
        found: list[dict[str, Any]] = lake.dataset_at(self.home.quarantine(name)).to_table().to_pylist()
        return found


@pytest.fixture
def shed(tmp_path: Path) -> Shed:
    return Shed(tmp_path)


@pytest.fixture
def site() -> Iterator[Callable[[Answerer], Site]]:
    with ExitStack() as stack:
        yield lambda answer: stack.enter_context(serve(answer))
