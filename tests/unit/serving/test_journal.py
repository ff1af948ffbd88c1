"""What a worker's door writes down of the requests it answers, whatever the protocol."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import httpx
import numpy as np
import pytest

from pipeline.predictions.record import Dropped, Prediction, from_line
from pipeline.predictions.segments import segments, whole_lines
from pipeline.serving.loaded import LoadedVersion
from pipeline.serving.rpc.schema import INFERENCE, message
from store.home import Home, ServingDir
from store.routing import Arm, Route, Snapshot
from tests.acceptance.living import until
from tests.unit.serving.bench import Bench
from tests.unit.serving.door import Door, opened

ROW = {"distance": 500.0, "carrier": "AA", "hour": 12}
Ask = Callable[[httpx.Client], object]


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> LoadedVersion:
    return Bench(Home(tmp_path_factory.mktemp("home"))).loaded()


def logged(loaded: LoadedVersion, folder: Path, ask: Callable[[Door], object], **door: Any) -> list[Prediction]:
    """The lines that are there after `ask` when the door is closed."""
    arm = Arm(version=1, digest=loaded.digest)
    with opened(
        {("late", 1): loaded}, Snapshot(epoch=7, routes={"late": Route(arms=(arm,))}), log=folder, **door
    ) as at:
        ask(at)
    lines = [line for one in segments(ServingDir(folder).predictions("late")) for _, line in whole_lines(one, 0, 10**9)]
    found = [from_line(line) for line in lines]
    return [one for one in found if not isinstance(one, Dropped)]


@pytest.mark.slow
def test_rows_of_plain_json_are_columns_with_the_answer_beside_them(loaded: LoadedVersion, tmp_path: Path) -> None:
    said: list[httpx.Response] = []

    def ask(door: Door) -> None:
        body = {"rows": [{**ROW, "weight": 3}, {**ROW, "carrier": None}], "id": "a-1", "unit": "ann"}
        with door.client() as client:
            said.append(client.post("/v1/predict/late", json=body))

    (line,) = logged(loaded, tmp_path, ask)
    assert (line.request, line.model, line.version, line.why, line.unit) == ("a-1", "late", 1, "assigned", "ann")
    assert (line.epoch, line.status) == (7, 200)
    assert line.latency_us > 0
    assert line.inputs == {"distance": [500.0, 500.0], "carrier": ["AA", None], "hour": [12, 12]}
    shares = [one["probabilities"]["true"] for one in said[0].json()["predictions"]]
    assert line.outputs["score"] == pytest.approx(shares)
    assert line.outputs["label"] == [one["label"] for one in said[0].json()["predictions"]]
    assert "x-request-id" not in said[0].headers  # it has one of its own


def test_a_request_without_an_id_hears_the_one_it_was_logged_under(loaded: LoadedVersion, tmp_path: Path) -> None:
    named: list[str] = []

    def ask(door: Door) -> None:
        with door.client() as client:
            for path in ("/v1/predict/late", "/v1/predict/late/versions/1"):
                named.append(client.post(path, json=ROW).headers["x-request-id"])

    lines = logged(loaded, tmp_path, ask)
    assert [line.request for line in lines] == named
    assert len(set(named)) == 2
    assert [line.why for line in lines] == ["no unit", "pinned"]


def test_tensors_are_columns_too_one_by_one_or_packed_over_rest_and_grpc(loaded: LoadedVersion, tmp_path: Path) -> None:
    carrier = {"name": "carrier", "shape": [2], "datatype": "BYTES", "data": ["AA", "DL"]}
    single = [{"name": n, "shape": [2], "datatype": "FP32", "data": [1.0, 2.0]} for n in ("distance", "hour")]
    numbers = np.array([[1.0, 3.0], [2.0, 4.0]], "<f4").tobytes()
    size = {"binary_data_size": len(numbers)}
    packed = [
        {"name": "numeric", "shape": [2, 2], "datatype": "FP32", "parameters": size},
        {"name": "categorical", "shape": [2, 1], "datatype": "BYTES", "data": ["AA", "DL"]},
    ]

    def ask(door: Door) -> None:
        with door.client() as client:
            client.post("/v2/models/late/infer", json={"id": "1", "inputs": [*single, carrier]}).raise_for_status()
            text = json.dumps({"id": "2", "inputs": packed}).encode()
            headers = {"inference-header-content-length": str(len(text))}
            client.post("/v2/models/late/infer", content=text + numbers, headers=headers).raise_for_status()
        request = message(INFERENCE, "ModelInferRequest")(model_name="late", id="3")
        for name in ("distance", "hour"):
            request.inputs.add(name=name, datatype="FP32", shape=[1]).contents.fp32_contents.append(5.0)
        request.inputs.add(name="carrier", datatype="BYTES", shape=[1]).contents.bytes_contents.append(b"AA")
        with grpc.insecure_channel(f"{door.host}:{door.grpc_port}") as channel:
            channel.unary_unary(
                "/inference.GRPCInferenceService/ModelInfer",
                request_serializer=lambda one: one.SerializeToString(),
                response_deserializer=message(INFERENCE, "ModelInferResponse").FromString,
            )(request, timeout=20)

    lines = {line.request: line.inputs for line in logged(loaded, tmp_path, ask)}
    assert lines == {
        "1": {"distance": [1.0, 2.0], "carrier": ["AA", "DL"], "hour": [1.0, 2.0]},
        "2": {"distance": [1.0, 2.0], "carrier": ["AA", "DL"], "hour": [3.0, 4.0]},
        "3": {"distance": [5.0], "carrier": ["AA"], "hour": [5.0]},
    }


@pytest.mark.slow
def test_what_was_wrongly_asked_is_not_logged_and_what_we_failed_to_answer_is(
    loaded: LoadedVersion, tmp_path: Path
) -> None:
    def wrong(door: Door) -> None:
        with door.client() as client:
            assert client.post("/v1/predict/late", json={"distance": 1}).status_code == 400
            assert client.post("/v1/predict/none", json=ROW).status_code == 404

    assert logged(loaded, tmp_path / "wrong", wrong) == []

    statuses: list[int] = []

    def ask_often(door: Door) -> None:
        with door.client() as client:
            statuses.extend(client.post("/v1/predict/late", json=[ROW] * 4).status_code for _ in range(15))

    def crowded(door: Door) -> None:
        threads = [threading.Thread(target=ask_often, args=(door,)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    lines = logged(loaded, tmp_path / "crowded", crowded, queue_rows=8, slow=True)
    assert sorted(line.status for line in lines) == sorted(statuses)
    assert 503 in statuses
    assert all((line.outputs is None) == (line.status == 503) for line in lines)
    assert all(line.inputs["hour"] == [12] * 4 for line in lines)


def test_metrics_count_what_was_written(loaded: LoadedVersion, tmp_path: Path) -> None:
    said: list[str] = []

    def ask(door: Door) -> None:
        with door.client() as client:
            client.post("/v1/predict/late", json=ROW)
            until(lambda: 'outcome="written",worker="1"} 1.0' in client.get("/metrics").text, 20)
            said.append(client.get("/metrics").text)

    logged(loaded, tmp_path, ask)
    assert 'trainshed_serving_log_predictions_total{model="late",outcome="dropped",worker="1"} 0.0' in said[-1]
    assert 'trainshed_serving_log_waiting{worker="1"} 0.0' in said[-1]
