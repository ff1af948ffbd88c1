"""kill -9 at any moment of an ingest: nothing is lost and nothing is doubled."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from store import lake
from store.home import Home
from tests.acceptance.nursery import Nursery
from tests.thorough import repeats
from tests.webserver import Asked, Reply, serve

pytestmark = pytest.mark.slow

PAGE_ROWS = 50
ROUND_ROWS = 750
KILLS = repeats(10, 50)

PROJECT = """
[project]
name = "crash"

[sources.api]
kind = "http"
url = "env:CRASH_API"
records = "rows"
paging = { style = "cursor" }
incremental = { column = "at" }

[datasets.orders]
source = "api"
mode = "append"
time = "at"

[[datasets.orders.checks]]
kind = "sql"
name = "odd one out"
rule = "id % 100 <> 7"
max_share = 0.02
"""

WORK = """
import time
from datetime import UTC, datetime
from pathlib import Path
import pipeline.sources.http
from pipeline.config import load_project
from pipeline.process.context import RunContext
from pipeline.etl.run import run_etl
from pipeline.process.spec import RunSpec
from pipeline.process.spool import Spool
from store.home import Home

def work(root, run, attempt):
    root = Path(root)
    home = Home(root / "home")
    folder = home.attempt(int(run), int(attempt)).root
    folder.mkdir(parents=True)
    # A clock that runs a hundred times too fast, so that every page or two goes to disk and kills find something there.
    began = time.time()
    clock = lambda: datetime.fromtimestamp(began + (time.time() - began) * 100, UTC)
    spec = RunSpec(run=run, attempt=attempt, nonce=attempt, job="etl:orders", kind="etl", target="orders",
                   project=root, home=home.root)
    run_etl(RunContext(spec=spec, project=load_project(root), home=home,
                       spool=Spool(folder / "events.jsonl", time.time), now=clock))
"""


def row(number: int) -> dict[str, Any]:
    """Four rows share a moment, so the edge is full of ties; every row of a moment twice, word for word."""
    moment = number // 8
    return {"id": number // 2, "at": f"2013-01-01T{moment // 3600:02d}:{moment // 60 % 60:02d}:{moment % 60:02d}Z"}


class Api:
    """Publishes more and more rows; pages by row number, from the first row at or after `since` on."""

    def __init__(self) -> None:
        self.rows: list[dict[str, Any]] = []

    def __call__(self, asked: Asked) -> Reply:
        since = asked.query.get("since", "")
        first = next((n for n, r in enumerate(self.rows) if r["at"] >= since), len(self.rows))
        start = int(asked.query.get("cursor", first))
        end = min(start + PAGE_ROWS, len(self.rows))
        time.sleep(0.002)
        return Reply.json({"rows": self.rows[start:end], "next_cursor": end if end < len(self.rows) else None})


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "trainshed.toml").write_text(PROJECT)
    return tmp_path


@pytest.fixture
def api(root: Path) -> Iterator[tuple[Api, Nursery]]:
    made = Api()
    with serve(made) as site:
        nursery = Nursery(WORK, CRASH_API=site.url)
        yield made, nursery
        nursery.close()


def settled(root: Path) -> tuple[list[int], list[int]]:
    """Ids in the lake and in quarantine."""
    home = Home(root / "home")
    good = lake.dataset_at(home.dataset("orders")).to_table()["id"].to_pylist()
    bad = lake.dataset_at(home.quarantine("orders")).to_table()["id"].to_pylist()
    return sorted(good), sorted(bad)


def facts(root: Path) -> dict[int, dict[str, Any]]:
    """Version → what the record was told of it, by any attempt."""
    told: dict[int, dict[str, Any]] = {}
    for file in sorted((root / "home" / "runs").glob("*/*/events.jsonl")):
        for line in file.read_bytes().split(b"\n")[:-1]:
            event = json.loads(line)
            if event["e"] == "dataset":
                assert told.get(event["version"], event)["rows"] == event["rows"]
                told[event["version"]] = event
    return told


def test_an_ingest_killed_at_many_moments_holds_every_row_once(root: Path, api: tuple[Api, Nursery]) -> None:
    """Rounds of new pages; each round is killed again and again, at random moments, until one attempt gets through."""
    publisher, nursery = api
    chance = random.Random(11)
    killed = run = 0
    whole = 0.5
    while killed < KILLS:
        run += 1
        publisher.rows += [row(n) for n in range(len(publisher.rows), len(publisher.rows) + ROUND_ROWS)]
        status, attempt = -signal.SIGKILL, 0
        while status == -signal.SIGKILL:
            attempt += 1
            # A third of the kills come late: around the commit and behind it.
            patience = chance.uniform(0.0, 1.0) if chance.random() < 0.67 else chance.uniform(0.8, 1.1)
            began = time.monotonic()
            pid = nursery.begin(root, run, attempt)
            if not nursery.ends_within(patience * whole if killed < KILLS else None):
                os.kill(pid, signal.SIGKILL)
            _, status = nursery.rest()
            killed += status == -signal.SIGKILL
        assert status == 0, "it failed by itself"
        whole = max(0.1, time.monotonic() - began)
    good, bad = settled(root)
    ids = [r["id"] for r in publisher.rows]
    assert bad == [n for n in ids if n % 100 == 7]
    assert good == [n for n in ids if n % 100 != 7]
    told = facts(root)
    newest = lake.latest(Home(root / "home").dataset("orders"))
    assert newest is not None
    assert sorted(told) == list(range(newest.version + 1))
    assert sum(event["added"] for event in told.values()) == len(good)
    assert sum(event["quarantined"] for event in told.values()) == len(bad)
    assert not (root / "home" / "staging" / "orders").exists()
