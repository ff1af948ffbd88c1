"""The prediction log over the API: read before somebody looks, and honest about what is missing."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from daemon.core import Daemon
from daemon.predictionlog import PredictionReader, due
from pipeline.config.serving import PredictionLogSection
from pipeline.labels.box import LabelBox
from pipeline.labels.record import read_label
from pipeline.predictions.record import Dropped, to_line
from pipeline.predictions.segments import Segment
from store.errors import StorageError
from tests.unit.predictions.test_take import sample, write
from tui.client import Client
from tui.draw.predictions import logged
from tui.failure import ClientError
from tui.render import console

HOUR = timedelta(hours=1)


@pytest.fixture
def reader(daemon: Daemon) -> Iterator[PredictionReader]:
    daemon.predictions.start()
    yield daemon.predictions
    daemon.predictions.stop()


def text(client: Client, tmp_path: Path) -> str:
    with (tmp_path / "said").open("w") as file:
        console(file).print(logged(client.predictions("late")))
    return (tmp_path / "said").read_text()


def test_a_model_that_was_never_asked_has_an_empty_log_and_an_unknown_one_none(client: Client, tmp_path: Path) -> None:
    view = client.predictions("late")
    assert (view.total, view.items, view.current, view.problem) == (0, [], True, None)
    assert "nothing that late was asked is in the log yet" in text(client, tmp_path)
    with pytest.raises(ClientError, match="nobody"):
        client.predictions("nobody")


@pytest.mark.slow
def test_what_was_logged_is_read_before_it_is_shown(
    client: Client, daemon: Daemon, reader: PredictionReader, tmp_path: Path
) -> None:
    other = sample(2, request="mine", unit="ann", status=503, outputs=None)
    write(daemon.home, "late", "w.1", [to_line(Dropped(6, 0)), to_line(sample(1)), to_line(other)]).close()
    view = client.predictions("late", last=1)
    assert (view.total, view.dropped, view.current, view.items[0].request) == (2, 6, True, "mine")
    said = text(client, tmp_path)
    assert "score=0.5" in said
    assert "x=1" in said
    assert "! 6 found no room in the log" in said
    (event,) = client.events(subject="late").items
    assert event.message == "the prediction log of late lacks 6 lines that found no room"


@pytest.mark.slow
def test_a_log_that_cannot_be_read_says_why_and_is_read_when_it_can(
    client: Client, daemon: Daemon, reader: PredictionReader, tmp_path: Path
) -> None:
    write(daemon.home, "late", "w.1", [to_line(sample(1))]).close()
    blocked = daemon.home.lake / "predictions"
    blocked.parent.mkdir(parents=True, exist_ok=True)
    blocked.write_text("no folder")
    view = client.predictions("late")
    assert not view.current
    assert view.problem is not None
    assert view.problem.startswith("prediction logs are not read: late: ")
    assert "! prediction logs are not read" in text(client, tmp_path)
    blocked.unlink()
    again = client.predictions("late")
    assert (again.total, again.current, again.problem) == (1, True, None)


@pytest.mark.slow
def test_a_fault_after_one_reading_does_not_end_all_those_that_come(daemon: Daemon) -> None:
    """As a full disk is one, on which the history could not be written either: the thread was gone until a restart."""
    heard: list[str] = []

    def stumble(model: str) -> None:
        heard.append(model)
        if len(heard) == 1:
            raise StorageError("the disk is full", where="trainshed.db", remedy="free some space")

    reader = PredictionReader(daemon.record, PredictionLogSection, stumble)
    box = LabelBox(daemon.home.serving, 1_000_000)
    box.put("late", [read_label({"request": "a", "value": True}, arrived_us=1)])
    reader.start()
    deadline = time.monotonic() + 30
    while reader.problem is None and time.monotonic() < deadline:
        time.sleep(0.01)  # `fresh` might ask for a second reading, after that of the start
    assert "the disk is full" in (reader.problem or "")
    box.put("late", [read_label({"request": "b", "value": True}, arrived_us=2)])
    assert reader.fresh(30)
    assert heard == ["late", "late"]
    assert reader.problem is None
    box.close()
    reader.stop()


def test_there_is_something_to_read_when_a_segment_has_grown_or_may_go(tmp_path: Path) -> None:
    segment = Segment(tmp_path, "w.1")
    segment.append(b"x\n")
    now = segment.path.stat().st_mtime
    assert due({segment.path: 2}, {}, HOUR, now)
    assert due({segment.path: 2}, {segment.path: 1}, HOUR, now)
    assert not due({segment.path: 2}, {segment.path: 2}, HOUR, now + 7200)  # it is still written
    segment.close()
    assert not due({segment.path: 2}, {segment.path: 2}, HOUR, now + 60)
    assert due({segment.path: 2}, {segment.path: 2}, HOUR, now + 7200)
    segment.path.unlink()
    assert not due({segment.path: 2}, {segment.path: 2}, HOUR, now + 7200)
