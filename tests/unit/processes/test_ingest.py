"""From the spool into the record: each event exactly once, and only from the attempt the run is in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlmodel import select

from daemon.attempts import settle_attempt
from daemon.ingest import Fenced, Place, ingest
from pipeline.process.spool import Spool
from store import curves, lifecycle, queue, runs
from store.engine import Record
from store.facts import DatasetFacts
from store.home import AttemptDir, Home
from store.tables import DatasetVersion, Event, Param
from store.times import system_clock, to_us
from store.wire import RunView


@dataclass
class Bench:
    """A run in its first attempt, with its spool."""

    record: Record
    directory: AttemptDir
    spool: Spool
    place: Place

    def ingest(self) -> Place:
        self.place = ingest(self.record, self.directory, self.place)
        return self.place

    def view(self) -> RunView:
        with self.record.read() as session:
            return runs.view(session, self.place.run, to_us(system_clock()))

    def history(self, kind: str) -> list[str]:
        with self.record.read() as session:
            return list(session.exec(select(Event.message).where(Event.kind == kind)))


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    home = Home(tmp_path)
    record = Record.open(home, system_clock)
    new = queue.NewRun(job="etl:flights", kind="etl", target="flights", trigger="manual", actor="ada")
    with record.transaction() as tx:
        run = queue.submit(tx, [new])[0]
        lifecycle.start_attempt(tx, run, "n1")
    directory = home.attempt(run, 1)
    directory.root.mkdir(parents=True)
    place = Place(run=run, attempt=1, nonce="n1", offset=0, sequence=0)
    yield Bench(record, directory, Spool(directory.events, lambda: 1000.0), place)
    record.close()


def points(bench: Bench, name: str) -> list[tuple[int, float | None]]:
    with bench.record.read() as session:
        return [(p.step, p.value) for p in curves.series(session, bench.place.run, name).points]


def test_the_first_word_makes_the_run_running(bench: Bench) -> None:
    assert bench.view().state == "starting"
    bench.spool.write("hello", pid=1, python="3.11", jax=None)
    bench.ingest()
    assert bench.view().state == "running"


def test_metrics_become_points(bench: Bench) -> None:
    bench.spool.metrics([1, 2, 3], {"loss": [3.0, 2.0, float("nan")]})
    bench.ingest()
    assert points(bench, "loss") == [(1, 3.0), (2, 2.0), (3, None)]


def test_read_again_from_the_stored_place_nothing_is_doubled(bench: Bench) -> None:
    bench.spool.metrics([1], {"loss": [3.0]})
    bench.spool.note("schema", "a column came")
    first = bench.ingest()
    with bench.record.read() as session:
        stored = lifecycle.get_attempt(session, bench.place.run, 1)
        assert (stored.spool_offset, stored.spool_seq) == (first.offset, 2)
    assert bench.ingest() == first
    assert bench.history("schema") == ["a column came"]


def test_a_reader_with_an_old_place_is_refused(bench: Bench) -> None:
    old = bench.place
    bench.spool.note("schema", "a column came")
    bench.ingest()
    with pytest.raises(Fenced):
        ingest(bench.record, bench.directory, old)
    assert bench.history("schema") == ["a column came"], "nothing of the refused transaction stays"


def test_an_older_attempt_is_refused(bench: Bench) -> None:
    with bench.record.transaction() as tx:
        lifecycle.settle(tx, bench.place.run, "lost", reason="gone", retry_at=tx.now)
    with bench.record.transaction() as tx:
        lifecycle.start_attempt(tx, bench.place.run, "n2")
    bench.spool.metrics([1], {"loss": [3.0]})
    with pytest.raises(Fenced):
        bench.ingest()


def test_another_nonce_is_refused(bench: Bench) -> None:
    bench.spool.note("schema", "a column came")
    stranger = Place(run=bench.place.run, attempt=1, nonce="n9", offset=0, sequence=0)
    with pytest.raises(Fenced):
        ingest(bench.record, bench.directory, stranger)


def test_progress_shows_the_newest(bench: Bench) -> None:
    bench.spool.progress(1, 10, "pages")
    bench.spool.progress(2, 10, "pages", message="January", eta_s=4.0)
    bench.ingest()
    view = bench.view()
    assert (view.done, view.total, view.unit, view.message, view.eta_seconds) == (2, 10, "pages", "January", 4.0)


def test_facts_become_rows(bench: Bench) -> None:
    facts: dict[str, Any] = {"rows": 3, "added": 3, "bytes": 10, "columns": [], "fingerprint": "f"}
    bench.spool.facts("dataset", DatasetFacts(dataset="flights", kind="dataset", version=0, **facts))
    bench.spool.write("params", values={"batch": 256})
    bench.spool.write("fingerprint", value="abc")
    bench.ingest()
    with bench.record.read() as session:
        assert session.get(DatasetVersion, ("flights", 0)) is not None
        assert session.exec(select(Param.value)).all() == [256]


def test_an_unknown_kind_is_noted_and_the_rest_is_stored(bench: Bench) -> None:
    bench.spool.write("telepathy", thought=1)
    bench.spool.metrics([1], {"loss": [3.0]})
    bench.ingest()
    assert "unknown kind 'telepathy'" in bench.history("run.spool")[0]
    assert points(bench, "loss") == [(1, 3.0)]


def test_a_broken_line_is_noted_and_the_rest_is_stored(bench: Bench) -> None:
    with bench.directory.events.open("ab") as file:
        file.write(b"Segmentation fault\n")
    bench.spool.metrics([1], {"loss": [3.0]})
    bench.ingest()
    assert len(bench.history("run.spool")) == 1
    assert points(bench, "loss") == [(1, 3.0)]


def test_an_event_that_cannot_be_stored_is_passed_over_and_its_neighbours_are_not(bench: Bench) -> None:
    bench.spool.metrics([1], {"loss": [3.0]})
    bench.spool.write("dataset", dataset="flights", version="not a number")
    bench.spool.metrics([2], {"loss": [2.0]})
    place = bench.ingest()
    assert points(bench, "loss") == [(1, 3.0), (2, 2.0)]
    assert "could not be stored" in bench.history("run.spool")[0]
    assert place.offset == bench.directory.events.stat().st_size


@pytest.mark.parametrize(
    "poison",
    [
        pytest.param({"e": "metrics", "steps": [2**80], "values": {"loss": [1.0]}}, id="a step of eighty bits"),
        pytest.param({"e": "params", "values": ["batch", 256]}, id="a list for a mapping"),
    ],
)
def test_whatever_cannot_be_stored_is_passed_over(bench: Bench, poison: dict[str, Any]) -> None:
    """Else its run would never end, nobody could cancel it, and the next daemon could not start."""
    bench.spool.write(poison.pop("e"), **poison)
    bench.spool.metrics([1], {"loss": [3.0]})
    bench.ingest()
    assert points(bench, "loss") == [(1, 3.0)]
    assert "could not be stored" in bench.history("run.spool")[0]


def test_words_that_are_no_unicode_are_stored_as_far_as_they_are(bench: Bench) -> None:
    """A file's name in Latin-1 comes out of Python with half a character, which no database takes."""
    bench.spool.note("source", "read caf\udce9.csv")
    bench.spool.write("fault", code="Bug", what="cannot read caf\udce9.csv", where="", remedy="", retryable=False)
    bench.ingest()
    settle_attempt(bench.record, run=bench.place.run, number=1, directory=bench.directory)
    assert (bench.view().state, bench.view().reason) == ("failed", "cannot read caf?.csv")
    assert bench.history("source") == ["read caf?.csv"]


def test_heartbeats_are_no_news(bench: Bench) -> None:
    bench.spool.write("heartbeat")
    assert bench.ingest().news == 0
    bench.spool.progress(1, 2, "pages")
    assert bench.ingest().news == 1
