"""Labels over the API and from files: kept, told what they changed, and never half of a post."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from daemon.core import Daemon
from pipeline.predictions.record import to_line
from store.wire import LabelsRequest
from tests.unit.predictions.test_take import sample, write
from tui.client import Client
from tui.draw.labels import coverage
from tui.draw.predictions import logged
from tui.failure import ClientError
from tui.render import console


@pytest.fixture
def reader(daemon: Daemon) -> Iterator[None]:
    daemon.predictions.start()
    yield
    daemon.predictions.stop()


def request(*labels: dict[str, object], post: str | None = None) -> LabelsRequest:
    return LabelsRequest(model="late", labels=list(labels), post=post)


def test_labels_of_nobody_and_wrong_ones_are_refused_and_leave_nothing(client: Client, daemon: Daemon) -> None:
    with pytest.raises(ClientError, match="nobody"):
        client.add_labels(LabelsRequest(model="nobody", labels=[{"request": "a", "value": 1}]), wait=0)
    with pytest.raises(ClientError, match=r"labels\[1\]: a label needs a value"):
        client.add_labels(request({"request": "a", "value": 1}, {"request": "b"}), wait=0)
    assert not daemon.home.serving.labels_root.exists()


@pytest.mark.slow
def test_more_than_a_request_may_carry_is_refused(http: httpx.Client) -> None:
    many = [{"request": "a", "value": 1}] * 5001
    assert http.post("/v1/labels", json={"model": "late", "labels": many}).status_code == 422
    assert http.post("/v1/labels", json={"model": "late", "labels": []}).status_code == 422


@pytest.mark.slow
def test_a_post_hears_what_it_changed_and_the_same_again_changes_nothing(
    client: Client, daemon: Daemon, reader: None, tmp_path: Path
) -> None:
    lines = [to_line(sample(n, at_us=n)) for n in range(4)]
    write(daemon.home, "late", "w.1", lines).close()
    first = client.add_labels(request({"request": "r-1", "value": 1}, {"request": "r-2", "value": 0}), wait=12)
    assert (first.taken, first.current, first.new, first.restated, first.same) == (2, True, 2, 0, 0)
    again = client.add_labels(request({"request": "r-1", "value": 1}, {"request": "r-2", "value": 1}), wait=12)
    assert (again.new, again.restated, again.same) == (0, 1, 1)
    later = client.add_labels(request({"request": "r-9", "value": 1}), wait=0)
    assert (later.taken, later.current, later.new, later.same) == (1, False, None, None)
    view = client.labels("late")
    assert (view.requests, view.labelled, view.strays, view.restated, view.repeated) == (4, 2, 1, 1, 1)
    said = text(coverage(view), tmp_path)
    assert "50 %" in said
    assert "! 1 are of requests that are not in the log" in said
    beside = client.predictions("late", labels=True)
    assert {item.request: item.label for item in beside.items}["r-2"] == 1
    assert "label" in text(logged(beside, labels=True), tmp_path).splitlines()[0]
    assert all(item.label is None for item in client.predictions("late").items)


def text(drawn: object, tmp_path: Path) -> str:
    with (tmp_path / "said").open("w") as file:
        console(file).print(drawn)
    return (tmp_path / "said").read_text()
