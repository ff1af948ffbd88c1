"""Labels at the door of predictions: kept before they are answered, bounded, and counted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from pipeline.labels.record import Label, from_line
from pipeline.predictions.segments import segments, whole_lines
from pipeline.serving.labelling import MOST
from pipeline.serving.loaded import LoadedVersion
from store.home import Home, ServingDir
from store.routing import Arm, Route, Snapshot
from tests.unit.serving.bench import Bench
from tests.unit.serving.door import opened


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LoadedVersion:
    return Bench(Home(tmp_path_factory.mktemp("home"))).loaded()


def snapshot(loaded: LoadedVersion) -> Snapshot:
    return Snapshot(epoch=7, routes={"late": Route(arms=(Arm(version=1, digest=loaded.digest),))})


@pytest.fixture
def client(loaded: LoadedVersion, tmp_path: Path) -> Iterator[httpx.Client]:
    with opened({("late", 1): loaded}, snapshot(loaded), log=tmp_path) as door, door.client() as client:
        yield client


def kept(folder: Path) -> list[Label]:
    found = segments(ServingDir(folder).labels("late"))
    return [from_line(line) for one in found for _, line in whole_lines(one, 0, 10**9)]


@pytest.mark.parametrize(
    "body",
    [
        {"request": "a", "value": True},
        [{"request": "a", "value": True}],
        {"labels": [{"request": "a", "value": True}]},
    ],
)
def test_a_label_is_on_the_disk_when_its_sender_hears_so(client: httpx.Client, tmp_path: Path, body: Any) -> None:
    answer = client.post("/v1/labels/late", json=body)
    assert (answer.status_code, answer.json()) == (202, {"model": "late", "kept": 1})
    (label,) = kept(tmp_path)
    assert (label.request, label.value, label.name) == ("a", "true", "label")
    assert 'trainshed_serving_labels_total{model="late",worker="1"} 1.0' in client.get("/metrics").text


def test_of_a_post_with_a_wrong_label_none_is_kept(client: httpx.Client, tmp_path: Path) -> None:
    answer = client.post("/v1/labels/late", json=[{"request": "a", "value": 1}, {"request": "b"}])
    assert (answer.status_code, answer.json()) == (400, {"error": "labels[1]: a label needs a value"})
    assert kept(tmp_path) == []


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/v1/labels/late", b"[", 400),
        ("/v1/labels/late", b"[]", 400),
        ("/v1/labels/late", b"7", 400),
        ("/v1/labels/late", b"[" + b",".join([b'{"request":1,"value":1}'] * (MOST + 1)) + b"]", 413),
        ("/v1/labels/nobody", b'{"request":1,"value":1}', 404),
        ("/v1/labels/..%2f..%2fx", b'{"request":1,"value":1}', 404),
    ],
)
def test_what_is_no_post_is_refused(client: httpx.Client, tmp_path: Path, path: str, body: bytes, status: int) -> None:
    answer = client.post(path, content=body)
    assert answer.status_code == status
    assert "error" in answer.json()
    assert not ServingDir(tmp_path).labels_root.exists()


def test_where_labels_are_not_taken_their_sender_hears_which_setting_says_so(loaded: LoadedVersion) -> None:
    with opened({("late", 1): loaded}, snapshot(loaded)) as door, door.client() as client:
        answer = client.post("/v1/labels/late", json={"request": "a", "value": 1})
        assert answer.status_code == 403
        assert "`labels` in [serving.log] is off" in answer.json()["error"]
        assert client.get("/v1/labels/late").status_code == 405


@pytest.mark.slow
def test_a_full_folder_says_come_again_and_predictions_go_on(
    client: httpx.Client, loaded: LoadedVersion, tmp_path: Path
) -> None:
    ServingDir(tmp_path).labels_root.write_text("no folder")
    answer = client.post("/v1/labels/late", json={"request": "a", "value": 1})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    row = {"distance": 500.0, "carrier": "AA", "hour": 12}
    assert client.post("/v1/predict/late", json=row).status_code == 200
