"""The clients that users of model servers have, unmodified: over HTTP, with tensors in JSON and in bytes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import tritonclient.http as triton
from tritonclient.utils import InferenceServerException

from pipeline.serving.loaded import LoadedVersion
from store.routing import Arm, Route, Snapshot
from tests.unit.serving.door import Door, opened


@pytest.fixture(scope="module")
def door(loaded: LoadedVersion) -> Iterator[Door]:
    arm = Arm(version=3, digest=loaded.digest)
    with opened({("late", 3): loaded}, Snapshot(epoch=1, routes={"late": Route(arms=(arm,))})) as door:
        yield door


@pytest.fixture
def client(door: Door) -> Iterator[Any]:
    client = triton.InferenceServerClient(f"{door.host}:{door.port}")
    yield client
    client.close()


def inputs(rows: int, *, binary: bool) -> list[Any]:
    distance, hour = (triton.InferInput(name, [rows], "FP32") for name in ("distance", "hour"))
    carrier = triton.InferInput("carrier", [rows], "BYTES")
    distance.set_data_from_numpy(np.linspace(100, 900, rows, dtype=np.float32), binary_data=binary)
    hour.set_data_from_numpy(np.full(rows, 12, np.float32), binary_data=binary)
    carrier.set_data_from_numpy(np.array(["AA", "zz"] * rows, np.object_)[:rows], binary_data=binary)
    return [distance, carrier, hour]


def expected(loaded: LoadedVersion, rows: int) -> np.ndarray:
    numeric = np.stack([np.linspace(100, 900, rows), np.full(rows, 12)], axis=1).astype(np.float32)
    return loaded.run(numeric, np.array([[2], [1]] * rows, np.int32)[:rows])


def test_health_metadata_repository_and_statistics_are_understood(client: Any) -> None:
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("late")
    assert client.is_model_ready("late", "3")
    assert not client.is_model_ready("other")
    assert client.get_server_metadata()["name"] == "trainshed"
    assert [one["name"] for one in client.get_model_metadata("late")["inputs"]] == ["distance", "carrier", "hour"]
    assert client.get_model_config("late")["name"] == "late"
    assert client.get_model_repository_index() == [
        {"name": "late", "version": "3", "state": "READY", "reason": ""},
    ]
    for asked in (("late", "3"), ("late",), ()):
        stats = client.get_inference_statistics(*asked)["model_stats"]
        assert [(one["name"], one["version"]) for one in stats] == [("late", "3")]
    client.load_model("late")
    with pytest.raises(InferenceServerException, match="trainshed promote late VERSION"):
        client.unload_model("late")


@pytest.mark.parametrize("binary", [True, False])
@pytest.mark.parametrize("rows", [1, 2, 37])
def test_a_call_with_the_defaults_has_scores_and_labels(
    client: Any, loaded: LoadedVersion, rows: int, binary: bool
) -> None:
    answer = client.infer("late", inputs(rows, binary=binary), request_id="r1")
    assert answer.get_response()["id"] == "r1"
    np.testing.assert_allclose(answer.as_numpy("score"), expected(loaded, rows), rtol=1e-5)
    labels = [str(label, "utf-8") if isinstance(label, bytes) else label for label in answer.as_numpy("label")]
    assert labels == ["true" if score >= 0.5 else "false" for score in expected(loaded, rows)]


@pytest.mark.parametrize("compression", ["gzip", "deflate"])
def test_compressed_requests_are_answered(client: Any, loaded: LoadedVersion, compression: str) -> None:
    answer = client.infer("late", inputs(3, binary=True), request_compression_algorithm=compression)
    np.testing.assert_allclose(answer.as_numpy("score"), expected(loaded, 3), rtol=1e-5)


def test_one_output_may_be_asked_for_in_either_form(client: Any, loaded: LoadedVersion) -> None:
    for binary in (True, False):
        wanted = [triton.InferRequestedOutput("score", binary_data=binary)]
        answer = client.infer("late", inputs(2, binary=True), outputs=wanted)
        assert answer.as_numpy("label") is None
        np.testing.assert_allclose(answer.as_numpy("score"), expected(loaded, 2), rtol=1e-5)


def test_a_version_may_be_named_and_a_fault_is_understood(client: Any) -> None:
    assert client.infer("late", inputs(1, binary=True), model_version="3").get_response()["model_version"] == "3"
    with pytest.raises(InferenceServerException, match="version 9 of late is not served"):
        client.infer("late", inputs(1, binary=True), model_version="9")
    with pytest.raises(InferenceServerException, match="input hour is missing"):
        client.infer("late", inputs(1, binary=True)[:2])
